"""An override that Slack and a row both tell: tables, and properties of any two histories."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.schedule.merging import (
    HISTORY,
    Base,
    Facts,
    Merged,
    RowState,
    differences,
    facts_of,
    merge,
)
from rules.schedule.roster import Override, OverrideKind, OverrideState

T10 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def override(start: float = 0, end: float = 8, person: str = "bo", **more: object) -> Override:
    made = Override(
        id="ov-1",
        rotation="data",
        role="primary",
        person=person,
        starts_at=T10 + start * HOUR,
        ends_at=T10 + end * HOUR,
        by="ana",
        created_at=T10,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def ended(one: Override, at: datetime) -> Override:
    return replace(one, state=OverrideState.ENDED, ends_at=max(one.starts_at, at), changed_by="ana")


def after(base: Base | None, ours: Override, row: Facts | None, hours: float = 2) -> Merged:
    return merge(base, ours, row, T10 + hours * HOUR, "roster")


OURS = override()
ROW = facts_of(OURS)
BASE = Base(ROW)


def test_a_new_one_is_to_be_written_and_recognised_when_it_is_read_back() -> None:
    assert after(None, OURS, None).write
    found = after(Base(ROW, RowState.SENT), OURS, ROW)
    assert (found.ours, found.base, found.write) == (OURS, BASE, False)
    assert not after(None, ended(OURS, T10 + HOUR), None).write


def test_an_editor_moves_the_end_and_nothing_else_happens() -> None:
    found = after(BASE, OURS, replace(ROW, ends_at=T10 + 4 * HOUR))
    assert (found.ours.starts_at, found.ours.ends_at) == (T10, T10 + 4 * HOUR)
    assert found.changed
    assert not found.write
    assert not found.clashes
    assert found.past is None


def test_an_end_that_has_passed_ends_it_now() -> None:
    found = after(BASE, OURS, replace(ROW, ends_at=T10 + HOUR))
    assert found.ours.ends_at == T10 + 2 * HOUR
    assert found.ours.state is OverrideState.ENDED


def test_another_person_from_now_on_and_the_past_stays() -> None:
    found = after(BASE, OURS, replace(ROW, person="cy"))
    assert found.past is not None
    assert (found.past.person, found.past.ends_at) == ("bo", T10 + 2 * HOUR)
    assert found.past.origin == HISTORY
    assert (found.ours.person, found.ours.starts_at) == ("cy", T10 + 2 * HOUR)
    assert found.write, "the row is told when it really began"


def test_a_start_cannot_move_into_the_past() -> None:
    found = after(BASE, OURS, replace(ROW, starts_at=T10 - 5 * HOUR))
    assert found.ours.starts_at == T10
    assert found.write


def test_deleting_the_row_ends_it_now_and_its_return_revives_it() -> None:
    found = after(BASE, OURS, None)
    assert (found.ours.state, found.ours.ends_at) == (OverrideState.ENDED, T10 + 2 * HOUR)
    assert found.deleted
    assert found.base == Base(ROW, RowState.GONE)
    back = merge(found.base, found.ours, ROW, T10 + 3 * HOUR, "roster")
    assert (back.ours.starts_at, back.ours.ends_at) == (T10 + 3 * HOUR, T10 + 8 * HOUR)
    assert back.past is not None
    assert back.past.ends_at == T10 + 2 * HOUR


def test_undo_in_slack_changes_the_state_of_the_row_only() -> None:
    found = after(BASE, ended(OURS, T10 + HOUR), ROW)
    assert found.write
    assert found.ours.state is OverrideState.ENDED
    assert not found.clashes
    assert differences(ROW, facts_of(found.ours)) == {"active": False}


def test_cancelled_in_the_row_is_cancelled_here() -> None:
    found = after(BASE, OURS, replace(ROW, active=False))
    assert found.ours.state is OverrideState.ENDED
    assert not found.write


def test_both_changed_ahead_the_row_wins() -> None:
    ours = override(5, 9)
    base = Base(facts_of(override(5, 8)))
    found = after(base, ours, replace(base.facts, ends_at=T10 + 7 * HOUR))
    assert found.ours.ends_at == T10 + 7 * HOUR
    (clash,) = found.clashes
    assert (clash.field, clash.row_kept) == ("ends_at", True)


def test_both_changed_while_it_runs_who_is_on_call_stays() -> None:
    ours = override(person="cy")
    found = after(BASE, ours, replace(ROW, person="dee"))
    assert found.ours == ours
    assert found.write
    assert [(c.field, c.row_kept) for c in found.clashes] == [("person", False)]


def test_a_row_deleted_while_slack_changed_the_running_one_is_written_again() -> None:
    found = after(BASE, override(person="cy"), None)
    assert found.write
    assert found.base is None
    assert found.clashes
    assert found.ours.state is OverrideState.ACTIVE


def test_what_is_over_on_both_sides_is_left_alone() -> None:
    found = after(BASE, OURS, replace(ROW, person="dee", ends_at=T10 + 3 * HOUR), hours=20)
    assert found.ours == OURS
    assert not found.write
    assert not found.changed


# --- properties -------------------------------------------------------------------------------

hours = st.integers(-4, 12).map(lambda h: T10 + h * HOUR)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    start = draw(hours)
    return Facts(
        rotation="data",
        role=draw(st.sampled_from(["primary", "secondary"])),
        person=draw(st.sampled_from(["ana", "bo", "cy"])),
        instead_of="",
        kind=draw(st.sampled_from([OverrideKind.COVER, OverrideKind.ADD])),
        starts_at=start,
        ends_at=start + draw(st.integers(1, 10)) * HOUR,
        active=draw(st.booleans()),
    )


@st.composite
def overrides(draw: st.DrawFn) -> Override:
    told = draw(facts())
    made = override(
        person=told.person, role=told.role, kind=told.kind,
        starts_at=told.starts_at, ends_at=told.ends_at,
    )  # fmt: skip
    return made if told.active else ended(made, draw(hours))


bases = st.none() | st.builds(Base, facts(), st.sampled_from(RowState))
rows = st.none() | facts()


def written(found: Merged, row: Facts | None) -> tuple[Base | None, Facts | None]:
    """Do what the writer does: tell the row what the override says."""
    if not found.write:
        return found.base, row
    said = facts_of(found.ours)
    if row is not None:
        said = replace(row, **differences(row, said))  # type: ignore[arg-type]
    return Base(said), said


@given(bases, overrides(), rows, hours)
def test_it_converges_after_one_write_and_reads_repeated_change_nothing(
    base: Base | None, ours: Override, row: Facts | None, now: datetime
) -> None:
    first = merge(base, ours, row, now, "roster")
    base, row = written(first, row)
    second = merge(base, first.ours, row, now, "roster")
    assert (second.ours, second.write, second.changed) == (first.ours, False, False)
    assert not second.clashes
    assert second.past is None


@given(bases, overrides(), rows, hours)
def test_the_past_is_never_changed(
    base: Base | None, ours: Override, row: Facts | None, now: datetime
) -> None:
    found = merge(base, ours, row, now, "roster")

    def said(ones: list[Override | None], at: datetime) -> set[tuple[str, str, str]]:
        here = [one for one in ones if one and one.starts_at <= at < one.ends_at]
        return {(one.role, one.person, one.kind) for one in here}

    at = T10 - 6 * HOUR
    while at < now:
        assert said([ours], at) == said([found.ours, found.past], at)
        at += HOUR / 2


@given(bases, overrides(), facts(), hours)
def test_a_running_one_that_both_changed_goes_on_as_it_is(
    base: Base | None, ours: Override, row: Facts, now: datetime
) -> None:
    found = merge(base, ours, row, now, "roster")
    runs = ours.state is OverrideState.ACTIVE and ours.starts_at <= now < ours.ends_at
    if not runs:
        return
    for clash in found.clashes:
        if clash.field == "ends_at" and row.ends_at > now:
            continue
        assert not clash.row_kept or clash.field == "ends_at"
        if clash.field in {"person", "role"}:
            assert getattr(found.ours, clash.field) == getattr(ours, clash.field)


@given(overrides(), hours)
def test_what_only_the_row_says_is_taken(ours: Override, now: datetime) -> None:
    base = Base(facts_of(ours))
    if ours.state is not OverrideState.ACTIVE or ours.starts_at <= now:
        return
    row = replace(base.facts, person="dee", ends_at=base.facts.ends_at + HOUR)
    found = merge(base, ours, row, now, "roster")
    assert facts_of(found.ours) == row
    assert not found.clashes
    assert not found.write
