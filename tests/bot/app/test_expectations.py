"""What config.yaml and the catalogue expect to run, and on which days they do not."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.app.expectations import Waiting, expected_runs
from bot.app.holidays import read_holidays
from bot.config.settings import Config
from rules.catalogue import Catalogue, Product

HOLIDAYS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261227
SUMMARY:Christmas
END:VEVENT
BEGIN:VEVENT
DTSTART:20261101T090000Z
SUMMARY:a meeting
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20200101
RRULE:FREQ=YEARLY
SUMMARY:New year
END:VEVENT
END:VCALENDAR
"""


def config(**more: object) -> Config:
    return Config.model_validate(
        {
            "slack": {"mode": "local"},
            "sources": [{"name": "af", "kind": "airflow"}, {"name": "cron", "kind": "generic"}],
            **more,
        }
    )


SHOP = {"name": "shop", "source": "af", "pipeline": "prod/shop_daily", "schedule": "0 5 * * *"}
ORDERS = Product(id="orders", name="Orders", schedule="0 6 * * *", timezone="Europe/Berlin")


def test_a_pipeline_a_heartbeat_and_a_product() -> None:
    beat = {"name": "beat", "source": "cron", "heartbeat": "load", "schedule": "*/5 * * * *"}
    made = expected_runs(config(expected_runs=[SHOP, beat]), Catalogue([ORDERS]), {})
    shop, load, orders = made
    assert made.of_pipeline("af", "prod/shop_daily") == (shop,)
    assert shop.labels["dag_id"] == "shop_daily"
    assert made.of_pipeline("cron", "heartbeat:load") == (load,)
    assert load.labels["heartbeat"] == "load"
    assert made.of_product("orders") == (orders,)
    assert (orders.schedule.zone, orders.grace) == ("Europe/Berlin", timedelta(minutes=15))


def test_a_product_that_is_named_has_no_clock_of_its_own() -> None:
    given = config(expected_runs=[{**SHOP, "product": "Orders"}])
    (shop,) = expected_runs(given, Catalogue([ORDERS]), {})
    assert (shop.name, shop.product) == ("shop", "orders")


@pytest.mark.parametrize("more", [{"schedule": ""}, {"grace": None}])
def test_products_nobody_waits_for(more: dict[str, object]) -> None:
    product = Product(id="orders", name="Orders", **{"schedule": "0 6 * * *", **more})  # type: ignore[arg-type]
    assert len(expected_runs(config(), Catalogue([product]), {})) == 0


@pytest.mark.parametrize("runs", [[], [{**SHOP, "product": "orders"}]])
def test_when_a_product_runs_is_known_though_nobody_waits(runs: list[object]) -> None:
    product = replace(ORDERS, grace=None, holidays="nl")
    given = config(expected_runs=runs, holidays={"nl": ["2026-04-27"]})
    made = expected_runs(given, Catalogue([product]), read_holidays(given)[0])
    (schedule,) = made.schedules.values()
    assert (schedule.zone, schedule.holidays) == ("Europe/Berlin", frozenset({date(2026, 4, 27)}))
    about = made.about("orders")
    assert (about.name if about else "") == ("shop" if runs else "")
    assert made.about("") is None


def test_calendars_are_lists_or_files(tmp_path: Path) -> None:
    (tmp_path / "de.ics").write_text(HOLIDAYS)
    given = config(holidays={"nl": ["2026-04-27"], "de": str(tmp_path / "de.ics")})
    days, faults = read_holidays(given)
    assert faults == {}
    assert days["nl"] == {date(2026, 4, 27)}
    assert {date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 1)} <= days["de"]
    assert {date(2026, 12, 27), date(2026, 11, 1)}.isdisjoint(days["de"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no calendar", "cannot be read"),
        (HOLIDAYS.replace("FREQ=YEARLY", "FREQ=WEEKLY"), "list the days"),
        ("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n", "no events"),
        (HOLIDAYS.replace("DTSTART", "DTSTOP"), "no DTSTART"),
        (HOLIDAYS + HOLIDAYS, "cannot be read"),
    ],
)
def test_a_file_that_is_no_calendar_is_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "de.ics").write_text(text)
    days, faults = read_holidays(config(holidays={"de": str(tmp_path / "de.ics")}))
    assert (days["de"], list(faults)) == (frozenset(), ["de"])
    assert says in faults["de"]


def test_the_same_catalogue_gives_the_same_expectations() -> None:
    waiting, catalogue = Waiting(config(catalogue=["x.yaml"])), Catalogue([ORDERS])
    first = waiting.on(catalogue, read=False)
    assert not first.complete
    assert waiting.on(catalogue, read=False) is first
    assert waiting.on(catalogue, read=True).complete
