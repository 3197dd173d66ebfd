"""`watchbill roster`: a template that works, at most ten faults, a held version that is confirmed."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import rules_in_force
from bot.app.roster.keeping import RosterKeeper
from bot.cli.main import app
from bot.cli.roster import roster_now
from bot.clock import SystemClock
from bot.config.file import load
from bot.ports.roster_versions import AcceptedPlan
from bot.roster.directory import KnownPeople
from bot.roster.files import FileSource
from bot.roster.roster import RosterFile
from bot.roster.settings import RosterSettings
from bot.store.opening import open_store
from rules.people import People, Person

CONFIG = """
database: sqlite:///{folder}/watchbill.db
slack: {{mode: local}}
roster: {roster}
people:
  - {{name: Ana Ruiz, email: ana@example.com}}
  - {{name: Bo Chen, email: bo@example.com}}
rotations: {{data: {{zone: Europe/Berlin}}}}
fallback: [ana@example.com]
"""
RUN = CliRunner()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return configured(tmp_path, "roster.csv")


def configured(folder: Path, roster: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(CONFIG.format(folder=folder, roster=roster))
    return path


def run(config: Path, *words: str, status: int = 0, typed: str = "") -> str:
    done = RUN.invoke(app, [*words, "-c", str(config)], input=typed)
    assert done.exit_code == status, done.output
    return done.output


@pytest.mark.parametrize("to", ["roster.xlsx", "tabs"])
@pytest.mark.parametrize("layout", ["grid", "rows"])
def test_a_template_is_a_roster_without_faults(tmp_path: Path, to: str, layout: str) -> None:
    config = configured(tmp_path, to)
    run(config, "roster", "template", "-o", str(tmp_path / to), "--layout", layout)
    assert run(config, "roster", "check") == "0 faults, 0 warnings\n"
    who = run(config, "who")
    assert "data primary: Ana Ruiz" in who
    assert "(row 2)" in who
    assert "No gaps." in run(config, "roster", "show")


def test_a_template_overwrites_nothing(tmp_path: Path, config: Path) -> None:
    (tmp_path / "roster.csv").write_text("mine")
    told = run(config, "roster", "template", "-o", str(tmp_path / "roster.csv"), status=1)
    assert "is there already; it is left as it is." in told
    assert (tmp_path / "roster.csv").read_text() == "mine"
    run(config, "roster", "template", "-o", str(tmp_path / "x.xlsx"), "--layout", "odd", status=1)
    assert not (tmp_path / "x.xlsx").exists()


def many_faults(tmp_path: Path) -> None:
    weeks = [f"2030-01-{day:02},Zed {day}" for day in range(1, 13)]
    (tmp_path / "roster.csv").write_text("\n".join(["Start,Primary", *weeks]) + "\n")


def test_ten_faults_are_printed_and_all_when_asked(tmp_path: Path, config: Path) -> None:
    many_faults(tmp_path)
    told = run(config, "roster", "check", status=1).splitlines()
    assert len(told) == 12
    assert "B2: nobody is called" in told[0]
    assert told[10].endswith("more; --all prints them.")
    assert len(run(config, "roster", "check", "--all", status=1).splitlines()) > 12
    found = json.loads(run(config, "roster", "check", "--json", status=1))
    assert not found["ok"]
    first = found["faults"][0]
    assert (first["address"], first["code"], first["severity"]) == ("B2", "E01", "error")
    assert len(found["faults"]) == 12


def test_a_held_version_is_confirmed_at_the_terminal(tmp_path: Path, config: Path) -> None:
    roster = tmp_path / "roster.csv"
    now = SystemClock().now()
    began, ends, far = (now.date() + timedelta(days=days) for days in (-3, 20, 365))
    roster.write_text(f"Start,End,Primary\n{began},{ends},ana ruiz\n")
    asyncio.run(accept(tmp_path, roster))
    assert run(config, "roster", "confirm") == "No version is held: there is nothing to confirm.\n"
    roster.write_text(f"Start,Primary\n{far},bo\n")
    assert "Ana Ruiz" in run(config, "who")
    assert "Held" in run(config, "roster", "confirm", status=1, typed="n\n")
    assert "is confirmed" in run(config, "roster", "confirm", typed="y\n")
    asyncio.run(accept(tmp_path, roster))
    assert "nobody" in run(config, "who").lower()
    before = (now - timedelta(minutes=5)).isoformat()
    assert "Ana Ruiz" in run(config, "who", "--at", before)


@pytest.mark.parametrize(
    ("database", "expected"),
    [("postgresql://bot@127.0.0.1/watchbill", "bo@example.com"),  # as the bot answers
     ("sqlite:///watchbill.db", "ana@example.com")],
)  # fmt: skip
def test_a_command_beside_an_old_copy_answers_as_the_bots_do(
    tmp_path: Path, database: str, expected: str
) -> None:
    path = configured(tmp_path, "roster.csv")
    path.write_text(path.read_text().replace(f"sqlite:///{tmp_path}/watchbill.db", database))
    config = load(path, {}).config
    assert config is not None
    accepted: list[AcceptedPlan] = []
    at = datetime(2026, 11, 18, 12, tzinfo=UTC)
    roster = tmp_path / "roster.csv"
    for who in ("bo", "ana"):  # what stands there in the end is the older one
        roster.write_text(f"Start,End,Primary\n2026-11-16,2099-11-16,{who}\n")
        file = rules_in_force.roster_file(config, config.directory())
        assert file is not None
        file.load(at)
        (good,) = file.good.values()
        accepted.insert(0, AcceptedPlan(plan=good.plan, version=good.version, accepted_at=at))
    later = datetime(2098, 6, 1, tzinfo=UTC)  # what a command reads counts from its own now on
    known = roster_now(config, later, accepted)
    assert known is not None
    assert known.on_call((), later).at("data", "primary", later) == (expected,)


async def accept(folder: Path, roster: Path) -> None:
    """Do what a bot does that starts and sees the file."""
    clock = SystemClock()
    store = await open_store(f"sqlite:///{folder}/watchbill.db", clock)
    people = People([Person("ana@example.com", "Ana Ruiz"), Person("bo@example.com", "Bo Chen")])
    file = RosterFile(FileSource(roster), KnownPeople(people), RosterSettings(rotation="data"))
    try:
        await RosterKeeper(file, store.roster_versions, clock).begin()
    finally:
        await store.close()


def test_a_roster_that_cannot_be_read_is_not_called_empty(tmp_path: Path) -> None:
    config = configured(tmp_path, "roster.csv")
    said = run(config, "who", status=1)
    assert "roster.csv: the file cannot be read: No such file or directory." in said
    assert "Who is on call cannot be told" in said
    assert "empty" not in said
    (tmp_path / "roster.csv").write_text("no heading\n")
    assert "Who is on call cannot be told" in run(config, "who", "--why", status=1)
