"""The page on back-ends names every kind, every option and all of the command's contract."""

import re
from pathlib import Path
from typing import get_args

import pytest

from bot.access.backends import exec_command
from bot.access.backends.exec_command import Action, AnswerPayload, MemberPayload
from bot.access.backends.registry import KINDS
from bot.config.checks import ACCESS_SECRETS

PAGE = (Path(__file__).parents[4] / "docs" / "access-backends.md").read_text()


def section(kind: str) -> str:
    """Return what stands under the heading that names the kind."""
    found = re.search(rf"^## .*`{kind}`.*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no heading names {kind}"
    return found[0]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_option_stands_under_its_kind(kind: str) -> None:
    written = section(kind)
    missing = [name for name in KINDS[kind].options.model_fields if f"`{name}`" not in written]
    assert missing == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_table_has_every_kind(kind: str) -> None:
    assert re.search(rf"^\| `{kind}` \|", PAGE, re.MULTILINE)


def test_every_kind_but_exec_tells_its_least_rights() -> None:
    for kind in KINDS:
        assert "**Least rights.**" in section(kind) or kind == "exec"


def test_the_contract_names_all_that_is_sent_and_read() -> None:
    written = section("exec")
    names = [*AnswerPayload.model_fields, *MemberPayload.model_fields, *get_args(Action)]
    assert [name for name in names if name not in written] == []
    assert f"`version` ({exec_command.VERSION})" in written
    assert f"{exec_command.LARGEST_ANSWER:,} characters" in written


def test_every_secret_option_is_refused_in_the_file() -> None:
    secret = {
        name
        for kind in KINDS.values()
        for name, field in kind.options.model_fields.items()
        if "SecretStr" in str(field.annotation) and name != "environment"
    }
    assert secret == ACCESS_SECRETS
