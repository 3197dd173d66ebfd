"""One group is one place, however it is written and reached."""

from typing import Any

import pytest

from bot.config.access import AccessGroupSpec


def place(group: str = "00gAdmin", **backend: Any) -> str:
    options = {"kind": "okta_group", "url": "https://example.okta.com", **backend}
    written = {"backend": options, "group": group, "may_ask": {"people": ["ana@example.com"]}}
    return AccessGroupSpec.model_validate(written).place


@pytest.mark.parametrize(
    "same",
    [
        place(token="another"),
        place(token_file="/run/token"),
        place(url="https://EXAMPLE.okta.com/"),
        place(group=" @00gadmin"),
    ],
)
def test_another_credential_or_spelling_is_the_same_place(same: str) -> None:
    assert same == place()


@pytest.mark.parametrize(
    "other",
    [
        place(group="00gOther"),
        place(url="https://other.okta.com"),
        place(kind="exec", command=["/bin/groups"]),
    ],
)
def test_another_group_or_server_is_another_place(other: str) -> None:
    assert other != place()


def test_a_place_tells_no_secret_and_roles_are_of_a_whole_server() -> None:
    one = place(kind="postgresql_role", url="postgresql://bot:secret@db.example/one")
    other = place(kind="postgresql_role", url="postgresql://db.example/two?sslmode=require")
    assert one == other
    assert "secret" not in one
    assert place("Admin", kind="postgresql_role") != place("admin", kind="postgresql_role")
