"""Taking a shift is for everybody; the keys that go with it are for whom the roster names."""

from datetime import UTC, datetime, timedelta

from rules.access.asking import Ask, Scene, decide_request
from rules.access.group import AccessGroup, AccessRules, Duty, Whom
from rules.access.telling import Refusal
from rules.access.trusting import named, trusted
from rules.rotation import OnCall, Span
from rules.schedule.roster import Layer, Override, RotationPlan, Shift, Unit

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
PLAN = RotationPlan(
    name="data",
    layers=(Layer(role="primary", order=(("ana",), ("bo",)), unit=Unit.WEEK, starts=NOW.replace(tzinfo=None)),),
    shifts=(Shift(rotation="data", role="secondary", start=NOW, end=NOW + DAY, people=("cy",)),),
    stand_ins={"ana": "dee"},
    fallback=("lead",),
    overrides=(Override(id="o", rotation="data", role="primary", person="eve", starts_at=NOW,
                        ends_at=NOW + DAY, by="eve", created_at=NOW),),
)  # fmt: skip
TAKEN = OnCall([Span(NOW - DAY, NOW + DAY, "data", "primary", ("eve", "bo"))])


def test_the_rosters_own_rows_name_people_and_overrides_do_not() -> None:
    assert {person for _, person in named([PLAN])} == {"ana", "bo", "cy", "dee", "lead"}


def test_who_took_a_shift_without_being_named_is_on_call_and_gets_nothing() -> None:
    assert TAKEN.at("data", "primary", NOW) == ("eve", "bo")
    kept = trusted(TAKEN, named([PLAN]))
    assert kept.at("data", "primary", NOW) == ("bo",)
    assert kept.roles("data") == TAKEN.roles("data")
    assert trusted(TAKEN, None) is TAKEN


def test_a_name_in_another_rotation_is_no_name_here() -> None:
    assert trusted(TAKEN, frozenset({("web", "bo")})).at("data", "primary", NOW) == ()


def test_break_glass_is_not_for_whoever_takes_the_shift() -> None:
    duty = (Duty("data"),)
    group = AccessGroup(name="admin", may_ask=Whom(on_call=duty), break_glass=duty,
                        approvers=Whom(people=("lead",)))  # fmt: skip
    rules = AccessRules(groups={"admin": group}, named=named([PLAN]))
    scene = Scene(rules=rules, on_call=rules.on_call(TAKEN), now=NOW)
    asks = {
        who: decide_request(
            Ask(id="g", group="admin", person=who, length=timedelta(hours=1), why="x"), scene
        )
        for who in ("eve", "bo")
    }
    assert isinstance(asks["eve"], Refusal)
    assert asks["eve"].rule in {"may_ask", "no account"}
    assert not isinstance(asks["bo"], Refusal)
