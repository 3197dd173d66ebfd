"""Products of every shape, and catalogues read from text."""

from collections.abc import Mapping
from datetime import date, time, timedelta
from pathlib import Path

from hypothesis import strategies as st

from bot.catalogue.reading import CatalogueRead, read_catalogue
from rules.budget import Objective
from rules.catalogue import LoadType, Product, Promises
from rules.claims import AssetPattern
from rules.hours import DAYS, Hours
from rules.sla import FreshBy

WORDS = st.from_regex(r"[A-Za-z0-9~:#'\"@%&é.-]{1,12}( [A-Za-z0-9:#'é]{1,8})?", fullmatch=True)
IDS = st.from_regex(r"[A-Za-z0-9~:#'\"@%&é/._-]{1,20}", fullmatch=True)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,10}(\*[a-z]{0,3})?", fullmatch=True)
TASKS = st.from_regex(r"[a-z]{1,5}\.[a-z]{1,5}", fullmatch=True)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])
SPANS = st.one_of(
    st.none(), st.integers(1, 10_000_000).map(lambda seconds: timedelta(seconds=seconds))
)
FRESH_BY = st.builds(
    FreshBy,
    st.times().map(lambda at: time(at.hour, at.minute)),
    ZONES,
    st.lists(st.sampled_from(DAYS), min_size=1, unique=True).map(tuple),
    st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=2),
)
OBJECTIVES = st.one_of(
    st.none(),
    st.builds(Objective, st.sampled_from([90.0, 95.0, 99.5, 99.999]), st.integers(1, 1_000)),
)
HOURS = st.builds(
    Hours,
    st.sampled_from([time(0), time(9), time(22, 30)]),
    st.sampled_from([time(0), time(6, 15), time(18)]),
    ZONES,
    st.sampled_from([DAYS, DAYS[:5], ("sat",)]),
)
PROMISES = st.one_of(
    st.builds(
        Promises,
        max_age=SPANS,
        availability=st.sampled_from([None, 99.0, 99.95, 100.0]),
        time_to_detect=SPANS,
        time_to_notify=SPANS,
        time_to_repair=SPANS,
    ),
    st.builds(
        Promises,
        fresh_by=FRESH_BY,
        fresh_objective=OBJECTIVES,
        quality=OBJECTIVES,
        availability=st.just(99.5),
        availability_over=st.sampled_from([timedelta(days=30), timedelta(days=90)]),
    ),
)
CLAIMS = st.one_of(
    st.builds(AssetPattern, st.sampled_from(["model", "source", "dag", "relation"]), NAMES),
    st.builds(AssetPattern, st.just("task"), TASKS),
)
PRODUCTS = st.builds(
    Product,
    id=IDS,
    name=WORDS,
    owner=st.one_of(st.just(""), WORDS),
    team=st.one_of(st.just(""), WORDS),
    channel=st.sampled_from(["", "data-orders", "C0123"]),
    rotation=st.sampled_from(["", "data-platform"]),
    tier=st.integers(0, 9),
    driver=st.sampled_from(["", "regulatory", "operational", "analytics"]),
    load_type=st.sampled_from([None, *LoadType]),
    schedule=st.sampled_from(["", "0 6 * * mon-fri", "*/5 * * * *"]),
    timezone=ZONES,
    promises=PROMISES,
    runbook=st.sampled_from(["", "https://example.com/runbook#orders"]),
    consumers=st.lists(WORDS, max_size=3).map(tuple),
    consumer_hours=st.one_of(st.none(), HOURS),
    run_takes=SPANS,
    grace=st.one_of(st.none(), st.just(timedelta(minutes=15)), SPANS),
    holidays=st.sampled_from(["", "nl"]),
    assets=st.sets(CLAIMS, max_size=4).map(lambda claims: tuple(sorted(claims))),
)


def read_text(folder: Path, files: Mapping[str, str]) -> CatalogueRead:
    """Write the files, then read them in order."""
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return read_catalogue([folder / name for name in files])
