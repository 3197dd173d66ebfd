"""Every promise can be seen broken."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from bot.config.settings import SourceSpec
from bot.demo.beats import AGAIN, DATABASE, DOUBLE, LATE, RETRIES, STORM
from bot.demo.checks import STORM_MESSAGES, Night
from bot.demo.player import Moment, Played, Sent
from bot.demo.stage import Stage
from bot.demo.watching import Kind, Seen, Watcher
from bot.workspace.state import Workspace

TWO = datetime(2026, 11, 23, 1, tzinfo=UTC)
NUMBERS = {LATE: 1, DOUBLE: 2, DATABASE: 3, STORM: 4, AGAIN: 5}
BEGAN = {LATE: 1, DOUBLE: 10, DATABASE: 22, STORM: 34, AGAIN: 49}
BODIES = {"warehouse_up": 31, "checks_failed": 34, "orders_fresh": 44}
PROMISED = "raw.orders is stale: promised to Finance by 07:30 CET"


def seen(kind: Kind, number: int, minute: float, **changed: object) -> Seen:
    plain: dict[str, object] = {
        "at": TWO + timedelta(minutes=minute),
        "clock": minute,
        "kind": kind,
        "edited": False,
        "place": "ana" if kind is Kind.PAGE else "data-alerts",
        "number": number,
        "lines": ("🔴 broken", "Triggered."),
        "text": "broken",
        "actions": frozenset({"ack"}),
        "channel": "C1",
        "ts": f"{kind} {number} {changed.get('place')}",
    }
    return Seen(**{**plain, **changed})  # type: ignore[arg-type]


def edit(number: int, minute: float, sign: str, state: str = "") -> Seen:
    return seen(Kind.ROOT, number, minute, edited=True, lines=(f"{sign} broken", state))


GOOD = (
    seen(Kind.ROOT, 1, 1),
    seen(Kind.PAGE, 1, 1, text=PROMISED),
    seen(Kind.NOTE, 1, 1.5, pictures=("Blast radius of raw.orders",)),
    seen(Kind.PAGE, 1, 6.1, place="bo"),
    edit(1, 7.5, "🟡"),
    seen(Kind.ROOT, 2, 10),
    seen(Kind.PAGE, 2, 10),
    seen(Kind.NOTE, 2, 10.5, pictures=("Blast radius of fct_orders",)),
    edit(2, 11, "🟡"),
    seen(Kind.ROOT, 3, 22),
    seen(Kind.PAGE, 3, 22),
    edit(3, 23, "🟡"),
    edit(3, 31.1, "🟢", "Resolved by alertmanager"),
    seen(Kind.ROOT, 4, 34.1),
    *(seen(Kind.ROOT, 6 + n, 34.1) for n in range(STORM_MESSAGES - 1)),
    edit(4, 36, "🟡"),
    seen(Kind.ROOT, 5, 49.1),
    seen(Kind.PAGE, 5, 49.1),
    seen(Kind.NOTE, 5, 49.5, pictures=("Blast radius of fct_orders",)),
)


def night(happened: tuple[Seen, ...] = GOOD, played: Played | None = None) -> Night:
    watcher = Watcher(Workspace(), "UTC")
    watcher.see(happened)
    stage = SimpleNamespace(
        speed=120.0,
        cast={"primary": "ana", "secondary": "bo", "later": "ana"},
        source=lambda kind: SourceSpec(name=kind, kind=kind),
    )
    return Night(cast("Stage", stage), watcher, played or well())


def well(**changed: object) -> Played:
    sent = {
        name: Sent(kind="", body=name, at=TWO + timedelta(minutes=m), clock=m, size=1)
        for name, m in BODIES.items()
    }
    began = {name: Moment(TWO + timedelta(minutes=m), m) for name, m in BEGAN.items()}
    return Played(sent=sent, numbers=NUMBERS, began=began, **changed)  # type: ignore[arg-type]


def without(kind: Kind, number: int, minute: float) -> tuple[Seen, ...]:
    left = tuple(s for s in GOOD if (s.kind, s.number, s.clock) != (kind, number, minute))
    assert len(left) == len(GOOD) - 1
    return left


TOLD = without(Kind.PAGE, 1, 1)
ILLUSTRATED = without(Kind.NOTE, 2, 10.5)
SPLIT = without(Kind.PAGE, 2, 10)
RESOLVED = without(Kind.ROOT, 3, 31.1)
DREW = ("Blast radius",)


def test_a_good_night_breaks_no_promise() -> None:
    good = night()
    found = [good.one_root_each(), good.paged_at_once(BEGAN.keys() - {STORM}),
             good.promise_told(), good.pictures(), good.second_step(),
             good.quiet_after_ack(), good.nothing_in(RETRIES), good.resolved_itself(),
             good.storm()]  # fmt: skip
    assert found == [""] * len(found)


@pytest.mark.parametrize(
    ("promise", "happened", "said"),
    [
        ("one_root_each", (*GOOD, seen(Kind.ROOT, 2, 12)), "#2 has 2"),
        ("one_root_each", (*GOOD, seen(Kind.ROOT, 99, 12)), "16 incidents instead of 15"),
        ("promise_told", TOLD, "nobody was paged"),
        ("promise_told", (*TOLD, seen(Kind.PAGE, 1, 1)), "it says: broken"),
        ("pictures", ILLUSTRATED, "#2 has 0"),
        ("pictures", (*GOOD, seen(Kind.NOTE, 1, 2, pictures=DREW)), "#1 has 2"),
        ("pictures", (*GOOD, seen(Kind.NOTE, 3, 23, pictures=DREW)), "#3 has 1"),
        ("second_step", without(Kind.PAGE, 1, 6.1), "they never were"),
        ("second_step", (seen(Kind.PAGE, 1, 3, place="bo"), *GOOD), "it was after 0:02:00"),
        ("second_step", (seen(Kind.PAGE, 1, 30, place="bo"), *GOOD), "it was after 0:29:00"),
        ("quiet_after_ack", (*GOOD, seen(Kind.PAGE, 2, 20, place="bo")), "#2 paged bo"),
        ("quiet_after_ack", without(Kind.ROOT, 1, 7.5), "only 3 were acknowledged"),
        ("resolved_itself", RESOLVED, "it is not resolved"),
        ("resolved_itself", (*RESOLVED, edit(3, 25, "🟢")), "it was resolved before"),
        ("resolved_itself", (*RESOLVED, edit(3, 32, "🟢", "by Ana")), "it says: by Ana"),
        ("storm", (*GOOD, seen(Kind.NOTE, 4, 35)), "it made 12"),
    ],
)
def test_a_broken_promise_is_told(promise: str, happened: tuple[Seen, ...], said: str) -> None:
    assert getattr(night(happened), promise)() == said


def test_an_incident_that_paged_late_or_nobody_is_told() -> None:
    assert night(SPLIT).paged_at_once([LATE, DOUBLE]) == "double: not at all"
    late = (*SPLIT, seen(Kind.PAGE, 2, 14))
    assert night(late).paged_at_once([DOUBLE]) == "double: after 4.0 s"


def test_a_page_where_none_should_be_is_told() -> None:
    loud = well(marked={RETRIES: [seen(Kind.PAGE, 9, 18)]})
    assert night(played=loud).nothing_in(RETRIES) == "page in ana: 🔴 broken"


def test_what_was_left_open_is_told() -> None:
    assert night().all_resolved(()).startswith("#1 is open, #2 is open, #4 is open")
