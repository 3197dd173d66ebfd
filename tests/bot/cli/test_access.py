"""`watchbill access`: the ledger, the review, and the emergency that needs neither bot nor database."""

import asyncio
import csv
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.acts.access import RevokeAll
from bot.acts.act import act_from_json
from bot.cli import access_log
from bot.cli.access_stored import gone, ledger
from bot.cli.configuration import configuration
from bot.cli.main import app
from bot.clock import SystemClock
from bot.store.opening import open_store
from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup, Whom
from rules.access.ledger import Entry, Happening
from rules.access.review import review
from tests.databases import make_sqlite

NOW = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - commands read the real clock
HOUR = timedelta(hours=1)
COMMAND = """import json, pathlib, sys
file = pathlib.Path(__file__).with_name("members.json")
asked = json.loads(sys.stdin.read())
members = json.loads(file.read_text())
mine = members.setdefault(asked["group"], [])
if asked["action"] == "revoke":
    mine[:] = [one for one in mine if one.lower() != asked["account"].lower()]
    file.write_text(json.dumps(members))
print(json.dumps({"ok": True, "members": [{"account": one} for one in mine]}))
"""
CONFIG = """
database: {database}
slack: {{mode: local}}
people:
  - {{name: Ana Ruiz, email: ana@example.com}}
  - {{name: Bo Chen, email: bo@example.com}}
rotations: {{data: {{}}}}
roster: roster.csv
access_groups:
  admins:
    backend: {{kind: exec, command: [{python}, {folder}/groups.py]}}
    group: admins
    may_ask: {{people: [ana@example.com, bo@example.com]}}
    ownership: owned
    dry_run: false
    permanent: [root@example.com]
  readers:
    backend: {{kind: exec, command: [{python}, {folder}/groups.py]}}
    group: readers
    may_ask: {{people: [ana@example.com]}}
"""
GRANT = Grant(
    id="a1b2c3", group="readers", person="ana@example.com", account="ana@example.com",
    origin=Origin.ASKED, state=GrantState.ACTIVE, requested_at=NOW - HOUR, length=2 * HOUR,
    until=NOW + HOUR, active_since=NOW - HOUR, why='=HYPERLINK("http://evil")', incident=7,
    started_at=NOW - HOUR,
)  # fmt: skip
ENTRY = Entry(at=NOW - HOUR, what=Happening.REQUESTED, group="readers", person="ana@example.com",
              grant="a1b2c3", by="ana@example.com", why=GRANT.why, evidence={"rule": "@x"})  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "roster.csv").write_text("Week of,Primary\n2026-11-16,Ana Ruiz\n")
    (tmp_path / "groups.py").write_text(COMMAND)
    configure(tmp_path, "sqlite:///bot.db")
    members = {"admins": ["root@example.com", "eve@example.com"],
               "readers": ["ana@example.com", "cy@example.com"]}  # fmt: skip
    (tmp_path / "members.json").write_text(json.dumps(members))
    return tmp_path


def configure(folder: Path, database: str) -> None:
    text = CONFIG.format(database=database, python=sys.executable, folder=folder)
    (folder / "config.yaml").write_text(text)


async def _fill(folder: Path, grant: Grant = GRANT) -> None:
    await make_sqlite(folder / "bot.db")
    store = await open_store(f"sqlite:///{folder / 'bot.db'}", SystemClock())
    async with store.store.begin() as tx:
        tx.access.save(grant, grant.until)
        tx.access.note(ENTRY)
        gone = replace(ENTRY, at=NOW, what=Happening.REFUSED, person="bo@example.com", grant="")
        tx.access.note(gone)
    await store.close()


@pytest.fixture
def filled(folder: Path) -> Path:
    asyncio.run(_fill(folder))
    return folder


def run(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["access", *words, "-c", str(folder / "config.yaml")])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def members(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads((folder / "members.json").read_text())
    return found


def test_who_has_what_is_listed(filled: Path) -> None:
    assert "a1b2c3  readers  ana@example.com  active" in run(filled, "list")[1]
    assert json.loads(run(filled, "list", "--json")[1])[0]["incident"] == 7
    assert "Nobody" in run(filled, "list", "--group", "admins")[1]


def test_a_reason_commands_no_terminal(folder: Path) -> None:
    asyncio.run(_fill(folder, replace(GRANT, why="\x1b]0;owned\x07\x9b2J disk")))
    status, text = run(folder, "list")
    assert status == 0
    assert "disk" in text
    assert not {"\x1b", "\x07", "\x9b"} & set(text)


def test_the_ledger_is_printed_filtered_and_safe_for_spreadsheets(filled: Path) -> None:
    assert all(line[19:23] == " UTC" for line in run(filled, "log")[1].splitlines())
    document = json.loads(run(filled, "log", "--json")[1])
    assert [one["what"] for one in document] == ["access_requested", "access_refused"]
    _, text = run(filled, "log", "--csv", "--only", "person=ANA@example.com", "--only",
                  "what=access_requested")  # fmt: skip
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["why"] == '\'=HYPERLINK("http://evil")'
    assert row["grant"] == "a1b2c3"
    wrong = CliRunner().invoke(app, ["access", "log", "--only", "who=x", "-c",
                                     str(filled / "config.yaml")])  # fmt: skip
    assert wrong.exit_code == 1
    assert "is no filter" in wrong.stderr


def test_a_log_that_is_not_whole_is_not_shown(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, _ = configuration(filled / "config.yaml")
    whole = ledger(config, NOW - 2 * HOUR, NOW + HOUR, "", most=2)
    assert len(asyncio.run(whole)) == 2
    with pytest.raises(typer.Exit):
        asyncio.run(ledger(config, NOW - 2 * HOUR, NOW + HOUR, "", most=1))
    assert "--since" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", " =1", "\t=1", "\r1", "\uff1d1"])
def test_no_cell_begins_as_a_formula(text: str) -> None:
    told = access_log.entries_csv([replace(ENTRY, why=text, person=text, evidence={text: "x"})])
    (row,) = csv.DictReader(io.StringIO(told, newline=""))
    assert [row["why"], row["person"], row["evidence"]] == [f"'{text}", f"'{text}", f"'{text}=x"]


def test_a_review_names_every_grant_and_what_nobody_used(filled: Path) -> None:
    _, text = run(filled, "report", "--month", f"{NOW - HOUR:%Y-%m}")
    assert "ana@example.com  had it" in text
    assert "#7" in text
    assert "Nobody used: admins. Still needed?" in text
    assert "admins: ana@example.com, bo@example.com" in text


def test_a_review_counts_what_fell_into_the_month_and_what_was_late() -> None:
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    ended = GRANT.but(requested_at=start - HOUR, active_since=start - HOUR, until=start + HOUR,
                      revoke_at=start + HOUR, gone_since=start + 3 * HOUR,
                      state=GrantState.ENDED)  # fmt: skip
    before = ended.but(id="x", requested_at=start - 9 * HOUR, gone_since=start - 8 * HOUR)
    groups = {"readers": AccessGroup(name="readers", may_ask=Whom(people=("bo@example.com",)))}
    found = review([ended, before], groups, start=start, end=end, now=end)
    (one,) = found.grants
    assert (one.lasted, one.late) == (3 * HOUR, 2 * HOUR)
    assert found.unused_groups == ()
    assert found.unused_people == {"readers": ("bo@example.com",)}
    assert "2 h LATE" in "\n".join(access_log.review_lines(found))


@pytest.mark.parametrize(
    ("written", "now", "month"),
    [("", "2026-01-05", "2025-12"), ("", "2026-11-22", "2026-10"), ("2026-12", "2026-01-01", "2026-12")],
)  # fmt: skip
def test_a_month_is_read(written: str, now: str, month: str) -> None:
    start, end = access_log.month_of(written, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert f"{start:%Y-%m}" == month
    assert end.day == 1
    assert timedelta(days=27) < end - start < timedelta(days=32)


def test_all_are_taken_out_at_once_and_the_bot_is_told(filled: Path) -> None:
    status, text = run(filled, "revoke-all", "--yes", "--why", "stolen laptop")
    assert (status, members(filled)) == (
        0, {"admins": ["root@example.com"], "readers": ["cy@example.com"]}
    )  # fmt: skip
    assert "admins: done; seen gone: eve@example.com" in text
    assert "readers: done; seen gone: ana@example.com" in text
    (act,) = asyncio.run(_acts(filled))
    assert act == RevokeAll(by="command line", why="stolen laptop")


async def _acts(folder: Path) -> list[object]:
    store = await open_store(f"sqlite:///{folder / 'bot.db'}", SystemClock(), beside=True)
    async with store.store.begin() as tx:
        taken = await tx.take_deliveries(10, NOW + HOUR)
    await store.close()
    return [act_from_json(one.body).act for one in taken]


@contextmanager
def _broken(folder: Path, how: str) -> Iterator[None]:
    if how == "refused":
        configure(folder, "postgresql://nobody@127.0.0.1:1/none")
    else:
        (folder / "bot.db").write_bytes(b"no database at all" * 99)
    yield


@pytest.mark.parametrize("how", ["refused", "corrupt"])
def test_without_a_database_owned_groups_are_emptied_and_the_rest_is_said(
    folder: Path, how: str
) -> None:
    with _broken(folder, how):
        status, text = run(folder, "revoke-all", "--yes")
    assert status == 1
    assert members(folder) == {"admins": ["root@example.com"],
                               "readers": ["ana@example.com", "cy@example.com"]}  # fmt: skip
    assert "admins: done" in text
    assert "readers: NOT DONE" in text
    assert "nobody can tell whose membership is a grant" in text
    assert "Run this again when the database is back" in text


def test_who_had_it_before_a_grant_began_keeps_it_in_an_emergency(folder: Path) -> None:
    begins = replace(GRANT, state=GrantState.GRANTING, started_at=None, active_since=None)
    asyncio.run(_fill(folder, begins))
    status, told = run(folder, "revoke-all", "--yes", "--group", "readers")
    assert status == 0, told
    assert members(folder)["readers"] == ["ana@example.com", "cy@example.com"]


@pytest.mark.parametrize("change", [{"group": "writers"}, {"place": "exec:readers:before"}])
def test_who_was_put_in_elsewhere_is_not_called_gone(folder: Path, change: dict[str, str]) -> None:
    asyncio.run(_fill(folder, replace(GRANT, **change)))  # type: ignore[arg-type]
    status, told = run(folder, "revoke-all", "--yes")
    assert status == 1
    assert "ana@example.com (put in where the group is kept no more" in told
    assert "ana@example.com" in members(folder)["readers"]


@pytest.mark.parametrize(
    ("ended", "out", "words"),
    [
        (replace(GRANT, id="old", account="Ana@example.com"), False, "by a1b2c3. End that, too"),
        (replace(GRANT, id="old", account="x", was_member=True), False, "were in it before"),
        (replace(GRANT, id="old", account="x"), True, "is out of readers: ended"),
    ],
)
def test_who_stays_by_another_grant_is_not_called_gone(
    filled: Path, ended: Grant, out: bool, words: str
) -> None:
    async def said() -> tuple[bool, str]:
        config, _ = configuration(filled / "config.yaml")
        store = await open_store(config.database, SystemClock(), beside=True)
        try:
            return await gone(config, store, replace(ended, state=GrantState.ENDED))
        finally:
            await store.close()

    done, text = asyncio.run(said())
    assert done is out
    assert words in text


def test_one_back_end_that_is_down_stops_no_other(filled: Path) -> None:
    text = (filled / "config.yaml").read_text()
    (filled / "config.yaml").write_text(text.replace("groups.py]}", "none.py]}", 1))
    status, told = run(filled, "revoke-all", "--yes")
    assert status == 1
    assert "admins: NOT DONE" in told
    assert members(filled)["readers"] == ["cy@example.com"]


def test_nobody_is_taken_out_without_a_yes(filled: Path) -> None:
    before = members(filled)
    done = CliRunner().invoke(
        app, ["access", "revoke-all", "-c", str(filled / "config.yaml")], input="n\n"
    )
    assert done.exit_code == 1
    assert members(filled) == before


def test_differences_are_told_and_nothing_is_changed(filled: Path) -> None:
    before = members(filled)
    status, text = run(filled, "reconcile", "--dry-run")
    assert status == 0
    assert "admins: differs" in text
    assert "to take out: eve@example.com" in text
    assert "readers: as the ledger has it" in text
    assert members(filled) == before


def test_an_unknown_group_is_named(filled: Path) -> None:
    done = CliRunner().invoke(
        app, ["access", "revoke-all", "--group", "admin", "-c", str(filled / "config.yaml")]
    )
    assert done.exit_code == 1
    assert "There is no group admin; there is admins, readers." in done.stderr
