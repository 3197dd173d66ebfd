"""What must hold after the fire can be seen broken, too."""

from datetime import timedelta

import pytest

from bot.demo.aftercheck import Days
from bot.demo.aftermath import FIX
from bot.demo.beats import AGAIN, DOUBLE, LATE
from bot.demo.player import Played, Sent
from bot.demo.watching import Kind, Seen
from tests.bot.demo.test_checks import TWO, night, seen

CLAIM = "Resolved by ana\n⏳ To be proved by the check after the run due tomorrow 05:10."
SEEN = f"📓 Seen once before (#2): ana fixed it: “{FIX}” · `/oncall journal 2`"


def root(minute: float, *lines: str, number: int = 2) -> Seen:
    return seen(Kind.ROOT, number, minute, lines=("🟢 broken", *lines))


def note(number: int, text: str) -> Seen:
    return seen(Kind.NOTE, number, 60, text=text, lines=(text,), ts=text)


GOOD = (
    root(47, CLAIM),
    root(48, CLAIM + " So far: nothing."),
    note(2, "What should the next person know about #2?"),
    note(2, "done, ana, 05:50"),
    note(1, "worked, bo, 05:08"),
    root(90, "✅ Proved: unique passed", f"📓 ana wrote the journal: “{FIX}”"),
    root(200, SEEN, number=5),
    seen(Kind.PAGE, 5, 200, lines=("🔴 broken", SEEN)),
)


def days(happened: tuple[Seen, ...] = GOOD) -> Days:
    base = night(happened)
    sent = {name: Sent(kind="dbt", body=name, at=TWO + timedelta(minutes=m), clock=m, size=1)
            for name, m in {"orders_under_way": 48, "orders_mended": 89}.items()}  # fmt: skip
    played = Played(sent=sent, numbers={LATE: 1, DOUBLE: 2, AGAIN: 5})
    workspace = base.watcher.workspace
    workspace.seed(users=[{"name": name, "real_name": name} for name in ("ana", "bo")])
    return Days(base.stage, base.watcher, played)


def test_good_days_break_no_promise() -> None:
    good = days()
    found = [good.claim(), good.proof(), good.journal(), good.tried(), good.left(),
             good.seen_before()]  # fmt: skip
    assert found == [""] * len(found)


@pytest.mark.parametrize(
    ("promise", "left_out", "said"),
    [
        ("claim", (0, 1), "it does not say so"),
        ("proof", (1,), "it told nothing of the run before"),
        ("proof", (5,), "it was never proved"),
        ("journal", (2,), "it asked 0 times"),
        ("journal", (5,), "the message does not show the entry"),
        ("left", (3,), "nothing was ticked off"),
        ("tried", (4,), "it does not say who"),
        ("seen_before", (7,), "nobody does not tell"),
    ],
)
def test_a_broken_promise_is_told(promise: str, left_out: tuple[int, ...], said: str) -> None:
    happened = tuple(one for n, one in enumerate(GOOD) if n not in left_out)
    assert getattr(days(happened), promise)().startswith(said)


def test_a_run_from_before_the_fix_that_proves_is_told() -> None:
    early = (*GOOD[:1], root(48, "✅ Proved: too early"), *GOOD[2:])
    assert days(early).proof().startswith("it was proved at")
