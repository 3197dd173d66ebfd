"""What counts as missing or stale, and how often its owner is told."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from rules.catalogue import Catalogue
from rules.hours import Hours
from rules.runbooks.choosing import Runbooks, Subject
from rules.runbooks.gaps import (
    FIRST_NUDGE,
    MOST_NUDGES,
    GapKind,
    LastUse,
    RunbookGap,
    failed,
    gap_sentence,
    is_old,
    missing_gap,
    nudge_at,
    nudges_due,
    stale_gaps,
    still_missing,
)
from rules.runbooks.runbook import Guide, Matches, Runbook, RunbookUse, StepOutcome, Tick
from rules.sentence import plain

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOW.date()
QUIET = Hours(time(22), time(8), "UTC")


def runbook(reviewed: date | None = TODAY) -> Runbook:
    matches = Matches(product=("orders",))
    return Runbook(id="orders", title="o", owner="cy", reviewed_on=reviewed, matches=matches)


def test_a_runbook_is_old_after_ninety_days_and_not_before() -> None:
    assert not is_old(runbook(TODAY - timedelta(days=90)), TODAY)
    assert is_old(runbook(TODAY - timedelta(days=91)), TODAY)
    assert is_old(runbook(None), TODAY)


def test_a_review_in_a_far_future_is_a_slip_of_the_pen() -> None:
    slip = runbook(TODAY + timedelta(days=365))
    last = {"orders": LastUse("orders", 7, NOW, failed=True)}
    assert [gap.kind for gap in stale_gaps([slip], last, NOW)] == [GapKind.OLD]
    ahead = runbook(TODAY + timedelta(days=1))  # in a zone where the day has begun
    assert list(stale_gaps([ahead], {}, NOW)) == []


def test_a_failed_use_makes_it_stale_until_somebody_reviews_it() -> None:
    last = {"orders": LastUse("orders", 7, NOW - timedelta(days=2), failed=True)}
    (gap,) = stale_gaps([runbook(TODAY - timedelta(days=9))], last, NOW)
    assert (gap.kind, gap.owner, gap.number) == (GapKind.FAILED, "cy", 7)
    assert list(stale_gaps([runbook(TODAY - timedelta(days=1))], last, NOW)) == []
    behind = replace(last["orders"], at=NOW, reviewed_on=TODAY - timedelta(days=9))
    evening = runbook(TODAY - timedelta(days=1))  # in a zone where it is still the day before
    assert list(stale_gaps([evening], {"orders": behind}, NOW)) == []
    (gap,) = stale_gaps([runbook(TODAY - timedelta(days=3))], {"orders": behind}, NOW)
    assert gap.kind is GapKind.FAILED, "somebody looked between its showing and its failure"
    worked = {"orders": replace(last["orders"], failed=False)}
    assert list(stale_gaps([runbook(TODAY - timedelta(days=9))], worked, NOW)) == []


def test_steps_failed_when_one_did_not_help_and_none_worked() -> None:
    use = RunbookUse(incident_id="i", number=1, runbook=runbook(), chosen_at=NOW)

    def guide(*outcomes: StepOutcome) -> Guide:
        return Guide(use, tuple(Tick(n, one, "ana", NOW) for n, one in enumerate(outcomes)))

    assert failed(guide(StepOutcome.SKIPPED, StepOutcome.DID_NOT_HELP))
    assert not failed(guide(StepOutcome.DID_NOT_HELP, StepOutcome.WORKED))
    assert not failed(guide(StepOutcome.SKIPPED))
    assert not failed(guide())


def gap(**more: object) -> RunbookGap:
    made = missing_gap(Subject(product=("orders",), owner="cy"), 7, NOW)
    assert made is not None
    return replace(made, **more)  # type: ignore[arg-type]


def test_a_missing_runbook_is_there_once_one_matches() -> None:
    assert still_missing(gap(), Runbooks(), Catalogue())
    assert not still_missing(gap(), Runbooks([runbook()]), Catalogue())
    assert missing_gap(Subject(), 7, NOW) is None


def test_the_owner_hears_weekly_outside_quiet_hours_and_four_times_at_most() -> None:
    first = nudge_at(gap(), QUIET)
    assert first == (NOW + FIRST_NUDGE).replace(hour=8)  # 00:00 is quiet; 08:00 is not
    again = nudge_at(gap(nudges=1, nudged_at=first), QUIET)
    assert again == first + timedelta(days=7)
    assert nudge_at(gap(nudges=MOST_NUDGES, nudged_at=first), QUIET) is None
    assert nudge_at(gap(closed_at=NOW), None) is None
    assert nudge_at(gap(owner=""), None) is None
    assert nudge_at(gap(), None) == NOW + FIRST_NUDGE


def test_what_became_due_in_the_night_waits_for_the_morning() -> None:
    late = NOW + timedelta(days=1)
    assert nudges_due([gap()], late.replace(hour=23), lambda _: QUIET) == []
    assert nudges_due([gap()], late.replace(hour=9), lambda _: QUIET) == [gap()]
    assert nudges_due([gap()], NOW, lambda _: None) == []


def test_each_gap_says_what_to_do() -> None:
    told = gap_sentence(gap()).render(plain)
    assert told == "orders has no runbook (#7 had none). Write one, even of three lines."
