"""The night is the same on every day of the year, whatever the time is outside."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.catalogue.manifest import read_manifest
from bot.catalogue.reading import CatalogueRead, read_catalogue
from bot.cli.roster import roster_now
from bot.config.file import load
from bot.demo.payloads import shop
from bot.demo.roster import roster_for
from bot.demo.stage import ZONE, for_the_demo, night_of, read_configuration
from bot.explain import explain
from bot.runbooks.reading import read_runbooks
from rules.people import People
from rules.rulebook import RuleBook
from tests.bot.demo.test_payloads import alerts

MINUTE = timedelta(minutes=1)
CONFIG = Path(__file__).parents[3] / "config.yaml"
A_WEEK = [datetime(2026, 11, day, tzinfo=UTC) for day in range(23, 30)]
CLOCKS_CHANGE = [datetime(2027, 3, 28, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> CatalogueRead:
    written = shop(tmp_path_factory.mktemp("shop"), A_WEEK[0])
    return read_catalogue(written, manifest=read_manifest)


def rules_of(night: datetime, known: CatalogueRead, folder: Path) -> RuleBook:
    """Return what the shipped configuration decides by, in this night."""
    loaded = load(CONFIG, {})
    assert loaded.config is not None
    assert loaded.parts is not None
    roster = folder / "roster.csv"
    roster.write_text(roster_for(night, zone=str(ZONE)), encoding="utf-8")
    config = loaded.config.model_copy(update={"roster": str(roster)})
    known_roster = roster_now(config, night)
    assert known_roster is not None
    book = loaded.parts.rulebook(on_call=known_roster.on_call((), night))
    return replace(book, catalogue=known.catalogue, lineage=known.lineage)


def test_what_is_shipped_has_no_faults(known: CatalogueRead) -> None:
    assert (known.faults, known.warnings) == ((), ())
    assert [product.id for product in known.catalogue.products] == ["orders", "customer_value"]


def test_a_configuration_of_ones_own_is_taken_only_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = Path("config.yaml")
    own.write_text("slack: {mode: local, bot_token: ${MISSING}}\n", encoding="utf-8")
    assert read_configuration(None, {}).config is not None
    assert read_configuration(own, {}).config is None


def test_the_storys_runbooks_are_found_wherever_its_configuration_stands(tmp_path: Path) -> None:
    """In a wheel it stands in the package, and its relative paths lead nowhere."""
    packaged, folder = tmp_path / "config.yaml", tmp_path / "folder"
    folder.mkdir()
    shutil.copy(CONFIG, packaged)
    loaded = read_configuration(packaged, {})
    assert loaded.config is not None
    config, _ = for_the_demo(loaded.config, folder, A_WEEK[0])
    read = read_runbooks(config.runbooks.folders)
    assert (read.faults, read.warnings) == ((), ())
    assert [one.id for one in read.runbooks] == ["orders-late"]


@pytest.mark.parametrize("outside", ["00:00", "03:30", "11:59", "22:59"])
@pytest.mark.parametrize("day", [*A_WEEK, *CLOCKS_CHANGE], ids=lambda day: f"{day:%a %d %b}")
def test_the_night_begins_at_five_of_the_day_that_it_is(day: datetime, outside: str) -> None:
    hour, minute = map(int, outside.split(":"))
    now = day.astimezone(ZONE).replace(hour=hour, minute=minute)
    night = night_of(now.astimezone(UTC), 0).astimezone(ZONE)
    assert (night.date(), f"{night:%H:%M}") == (now.date(), "05:00")


@pytest.mark.parametrize("day", [*A_WEEK, *CLOCKS_CHANGE], ids=lambda day: f"{day:%a %d %b}")
@pytest.mark.parametrize(("body", "after"), [("orders_stale", 1), ("orders_tests", 10)])
def test_what_breaks_is_a_p1_that_waits_for_nobody(
    day: datetime, body: str, after: int, known: CatalogueRead, tmp_path: Path
) -> None:
    now = night_of(day, 0) + after * MINUTE
    book = rules_of(now, known, tmp_path)
    told = explain(alerts("dbt", body, now), book, People(()), now)
    incident, pages = told["incident"], told["pages"]
    assert isinstance(incident, dict)
    assert isinstance(pages, list)
    assert (incident["priority"], incident["urgency"]) == ("P1", "high")
    due = datetime.fromisoformat(str(incident["deadline"])).astimezone(ZONE)
    assert (due.date(), f"{due:%H:%M}") == (now.astimezone(ZONE).date(), "07:30")
    assert [page["at"] for page in pages[:2]] == [
        now.isoformat(),
        (now + 5 * MINUTE).isoformat(),
    ]
