"""Who is on call at an instant, from spans, by bisection."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.rotation import OnCall, Span
from tests.rules.build import ANA, BO, CY, DAY, HOUR, NOW, make_span

TICK = timedelta(microseconds=1)

WEEK = OnCall(
    [
        make_span(BO, start=NOW + DAY, end=NOW + 2 * DAY),
        make_span(ANA, start=NOW, end=NOW + DAY),
        make_span("", start=NOW + 3 * DAY, end=NOW + 4 * DAY),
        make_span(ANA, start=NOW + 4 * DAY, end=NOW + 5 * DAY),
        make_span(CY, "secondary"),
        Span(NOW, NOW + DAY, "platform", "primary", (CY, BO)),
        Span(NOW, NOW + DAY, "platform", "lead", (ANA,)),
    ]
)


def test_a_hand_off_is_sharp() -> None:
    assert WEEK.at("data", "primary", NOW - TICK) == ()
    assert WEEK.at("data", "primary", NOW) == (ANA,)
    assert WEEK.at("data", "primary", NOW + DAY - TICK) == (ANA,)
    assert WEEK.at("data", "primary", NOW + DAY) == (BO,)
    assert WEEK.at("data", "primary", NOW + 2 * DAY) == ()


def test_a_gap_and_a_span_of_nobody_both_mean_nobody() -> None:
    assert WEEK.at("data", "primary", NOW + 2 * DAY + HOUR) == ()
    assert WEEK.span_at("data", "primary", NOW + 2 * DAY + HOUR) is None
    assert WEEK.at("data", "primary", NOW + 3 * DAY) == ()
    assert WEEK.span_at("data", "primary", NOW + 3 * DAY) is not None


def test_an_unknown_rotation_or_role_has_nobody() -> None:
    assert WEEK.at("nowhere", "primary", NOW) == ()
    assert WEEK.at("data", "lead", NOW) == ()
    assert WEEK.next_after("nowhere", "primary", NOW) is None


def test_several_people_may_share_a_turn() -> None:
    assert WEEK.at("platform", "primary", NOW) == (CY, BO)


def test_the_next_one_is_somebody_else() -> None:
    same_again = OnCall([make_span(ANA, end=NOW), make_span(ANA, start=NOW, end=NOW + DAY),
                         make_span(BO, start=NOW + DAY)])  # fmt: skip
    found = same_again.next_after("data", "primary", NOW - HOUR)
    assert found is not None
    assert found.people == (BO,)


def test_the_next_one_skips_turns_of_nobody() -> None:
    found = WEEK.next_after("data", "primary", NOW + DAY)
    assert found is not None
    assert (found.people, found.start) == ((ANA,), NOW + 4 * DAY)
    assert WEEK.next_after("data", "primary", NOW + 4 * DAY) is None


def test_rotations_and_roles_are_listed_in_a_steady_order() -> None:
    assert WEEK.rotations == ("data", "platform")
    assert WEEK.roles("data") == ("primary", "secondary")
    assert WEEK.roles("platform") == ("primary", "lead")
    assert [span.people for span in WEEK.spans("platform", "lead")] == [(ANA,)]


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=30),
    gaps=st.lists(st.integers(0, 3), min_size=30, max_size=30),
    asked=st.integers(-5, 2000),
)
def test_bisection_agrees_with_looking_at_every_span(
    lengths: list[int], gaps: list[int], asked: int
) -> None:
    spans, start = [], NOW
    for turn, (length, gap) in enumerate(zip(lengths, gaps, strict=False)):
        end = start + length * HOUR
        spans.append(make_span((ANA, BO, CY, "")[turn % 4], start=start, end=end))
        start = end + gap * HOUR
    when = NOW + asked * HOUR
    found = [span.people for span in spans if when in span]
    assert OnCall(reversed(spans)).at("data", "primary", when) == (found[0] if found else ())
