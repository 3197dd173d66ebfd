"""`watchbill explain` answers as the running bot would: roster, overrides and silences in force."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.store.opening import open_store
from rules.matching.matcher import matchers_of
from rules.schedule.roster import Override, OverrideKind
from rules.silence import Silence
from tests.fakes.clock import FakeClock

CONFIG = """
database: sqlite:///{folder}/watchbill.db
slack: {{mode: local}}
sources: [{{name: generic, kind: generic}}]
rotations: {{data: {{zone: UTC}}}}
roster: {folder}/roster
people: [{{name: Dee Novak, email: dee@example.com}}]
fallback: [dee@example.com]
"""
PEOPLE = "Name,E-mail\nAna Ruiz,ana@example.com\nBo Chen,bo@example.com\n"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "roster").mkdir()
    (tmp_path / "roster" / "People.csv").write_text(PEOPLE)
    (tmp_path / "roster" / "Shifts.csv").write_text(
        "Start,End,Person\n2020-01-01,2099-01-01,Ana Ruiz\n"
    )
    (tmp_path / "body.json").write_text('{"title": "x", "severity": "critical", "env": "test"}')
    return tmp_path


def explained(folder: Path) -> dict[str, Any]:
    config, body = str(folder / "config.yaml"), str(folder / "body.json")
    words = ["explain", "--source", "generic", body, "--at", AT.isoformat(), "--json", "-c", config]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def first_paged(folder: Path) -> str:
    page: dict[str, Any] = explained(folder)["pages"][0]
    return f"{page['name']}: {page['reason']}"


async def keep(folder: Path, what: Override | Silence) -> None:
    opened = await open_store(f"sqlite:///{folder}/watchbill.db", FakeClock(AT))
    async with opened.store.begin() as tx:
        if isinstance(what, Override):
            tx.roster.save_override(what)
        else:
            tx.save_silence(what)
    await opened.close()


def test_people_are_called_as_the_rosters_own_tab_calls_them(folder: Path) -> None:
    assert first_paged(folder) == "Ana Ruiz: you are primary of data"


def test_an_override_made_in_slack_is_paged_instead(folder: Path) -> None:
    override = Override(
        id="o", rotation="data", role="primary", person="bo@example.com", by="bo@example.com",
        created_at=AT - HOUR, starts_at=AT - HOUR, ends_at=AT + HOUR, kind=OverrideKind.COVER,
    )  # fmt: skip
    asyncio.run(keep(folder, override))
    assert first_paged(folder) == "Bo Chen: you are primary of data"


def test_a_silence_made_in_slack_mutes_it(folder: Path) -> None:
    matchers = matchers_of(["env=test"])
    asyncio.run(keep(folder, Silence("s1", matchers, AT - HOUR, AT + HOUR, "ana", "deploy")))
    document = explained(folder)
    assert document["pages"][0]["at"] == (AT + HOUR).isoformat()
    assert any("deploy" in one["text"] or "ilence" in one["text"] for one in document["reasons"])
