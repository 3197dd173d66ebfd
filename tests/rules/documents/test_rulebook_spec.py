"""Rulebook documents: what each section may hold, how documents merge, what cannot be right."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from rules.alert import Severity
from rules.category import Category
from rules.documents.rulebook_checks import Findings, cross_check
from rules.documents.rulebook_parts import Draft, RulebookParts, Surroundings, assemble
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import fit, parse, read
from rules.folding import FoldingRule
from rules.hours import DAYS, Hours
from rules.matching.matcher import Matcher, Operator
from rules.people import People, Person
from rules.policy import (
    AtLeast,
    Channel,
    NextOnCallOf,
    OnCallOf,
    OnePerson,
    Policy,
    Step,
    UserGroup,
    Webhook,
)
from rules.priority import Priority
from rules.rotation import OnCall
from rules.rulebook import DEFAULT_PRIORITIES, FlappingRule, RuleBook, StormRule
from rules.silence import MaintenanceWindow
from rules.verifying.settings import VerifyingRules

PACK = (Path(__file__).parents[3] / "rules/packs/default.yaml").read_text(encoding="utf-8")
AROUND = Surroundings(
    people=People(
        [
            Person("ana@example.com", "Ana Ruiz", "ana@example.com"),
            Person("lead@example.com", "Dee Novak", "lead@example.com"),
        ]
    ),
    webhooks=frozenset({"pager-gateway"}),
    alerts_channel="data-alerts",
    first_rotation="data",
)
FALLBACK = "fallback: [lead@example.com]\n"


def _drafts(*texts: str) -> list[Draft]:
    drafts = []
    for n, text in enumerate(texts):
        document, faults = parse(text, f"{n}.yaml")
        assert document is not None
        spec, misfits = fit(document, RulebookSpec)
        assert spec is not None, misfits
        assert faults == []
        drafts.append(Draft(document, spec))
    return drafts


def _parts(*texts: str) -> RulebookParts:
    drafts = _drafts(PACK, *texts)
    assert cross_check(drafts, AROUND).faults == ()
    return assemble(drafts, AROUND)


def _found(*texts: str) -> Findings:
    return cross_check(_drafts(PACK, *texts), AROUND)


def _faults(*texts: str) -> list[str]:
    return [str(fault) for fault in _found(*texts).faults]


def _step(written: str) -> Step:
    policies = _parts(f"escalation_policies:\n  own:\n    - {written}\n").policies
    assert isinstance(policies["own"], Policy)
    return policies["own"].steps[0]


def _refused(text: str) -> list[str]:
    value, faults = read(text, RulebookSpec, "r.yaml")
    assert value is None
    return [fault.message for fault in faults]


# --- the shipped pack ----------------------------------------------------------------------


def test_the_shipped_pack_says_what_the_code_defaults_to() -> None:
    parts, code = _parts(), RuleBook(policies={}, routes=())
    assert parts.priorities == DEFAULT_PRIORITIES
    assert parts.pages == code.pages
    assert (parts.ack_timeout, parts.ack_confirm) == (code.ack_timeout, code.ack_confirm)
    assert parts.fallback_every == code.fallback_every
    assert (parts.flapping, parts.storm) == (FlappingRule(), StormRule())
    assert [(r.name, r.policy, r.channel, r.rotation, r.matchers) for r in parts.routes] == [
        ("everything", "default", "data-alerts", "data", ())
    ]


def test_the_shipped_pack_alone_needs_only_a_fallback() -> None:
    found = cross_check(_drafts(PACK), AROUND)
    assert found.faults == ()
    assert [w.message.split(":")[0] for w in found.warnings] == ["no `fallback`"]


def test_the_parts_make_a_rulebook() -> None:
    book = _parts(FALLBACK).rulebook(on_call=OnCall())
    assert book.fallback == ("lead@example.com",)
    assert book.routes[-1].matchers == ()


# --- steps ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("on_call: primary", OnCallOf("primary")),
        ("on_call: {role: primary, rotation: platform}", OnCallOf("primary", "platform")),
        ("next_on_call: primary", NextOnCallOf("primary")),
        ("person: lead@example.com", OnePerson("lead@example.com")),
        ("person: Ana Ruiz", OnePerson("ana@example.com")),
        ("user_group: '@data-oncall'", UserGroup("data-oncall")),
        ("channel: '#data-leads'", Channel("data-leads")),
        ("webhook: pager-gateway", Webhook("pager-gateway")),
    ],
)
def test_every_kind_of_target(written: str, target: object) -> None:
    assert _step(f"{{page: [{written}], wait: 5m}}") == Step((target,), timedelta(minutes=5))  # type: ignore[arg-type]


def test_a_step_may_only_wait() -> None:
    assert _step("{wait: 1h}") == Step((), timedelta(hours=1))


def test_conditions_of_a_step() -> None:
    step = _step(
        "{page: [on_call: primary], repeat: 2, wait: 1m, only_if: {alerts: 5, within: 10m}, "
        "only_during: {from: 09:00, to: '18:00', days: mon-fri, zone: Europe/Berlin, outside: skip}}"
    )
    assert step.repeat == 2
    assert step.only_if == AtLeast(5, timedelta(minutes=10))
    assert step.only_during == Hours(time(9), time(18), "Europe/Berlin", DAYS[:5])
    assert step.outside == "skip"


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon-fri", DAYS[:5]),
        ("fri-mon", ("fri", "sat", "sun", "mon")),
        ("Mon, wed", ("mon", "wed")),
        ("[sat, sun]", ("sat", "sun")),
        ("mon-sun", DAYS),
    ],
)
def test_days(written: str, days: tuple[str, ...]) -> None:
    step = _step(f"{{wait: 1m, only_during: {{from: 22:00, to: 24:00, zone: UTC, days: {_quoted(written)}}}}}")  # fmt: skip
    assert step.only_during == Hours(time(22), time(0), "UTC", days)


def _quoted(written: str) -> str:
    return written if written.startswith("[") else f'"{written}"'


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("{}", "`own`: this step does nothing; give it `page` or `wait`"),
        ("{page: [{}]}", "`page`: name exactly one target: on_call, next_on_call, person, user_group, channel, webhook"),
        ("{page: {on_call: primary}}", "`page` must be a list"),
        ("{page: [on_call: {rotation: a}]}", "`role` is missing in `on_call`"),
        ("{page: [on_cal: primary]}", "unknown key `on_cal`; did you mean `on_call`?"),
        ("{wait: 5}", "`wait`: 5 has no unit; write 5s, 5m, 5h or 5d"),
        ("{wait: true}", "`wait`: not a duration; write 90s, 5m, 2h or 3d"),
        ("{wait: 1m, repeat: -1}", "`repeat` must be at least 0"),
        ("{wait: 1m, only_if: {alerts: 0, within: 1m}}", "`alerts` must be at least 1"),
        ("{wait: 1m, only_if: {alerts: 1, within: 0s}}", "`within`: must be longer than 0s"),
        ("{wait: 1m, only_during: {from: 9, to: 10:00, zone: UTC}}", '`from`: not a time of day; write it like "09:00"'),
        ("{wait: 1m, only_during: {from: 24:00, to: 10:00, zone: UTC}}", '`from`: not a time of day; write it like "09:00"'),
        ("{wait: 1m, only_during: {from: 09:00, to: 10:00, zone: CET}}", '`zone`: "CET" is not a time zone; did you mean `Europe/Berlin`?'),
        ("{wait: 1m, only_during: {from: 09:00, to: 10:00, zone: UTC, days: []}}", "`only_during`: `days` names no day, so these hours never come"),
        ("{wait: 1m, only_during: {from: 09:00, to: 10:00, zone: UTC, days: mo-fri}}", '`days`: "mo-fri" is not a day; did you mean `fri`?'),
    ],
)  # fmt: skip
def test_a_broken_step_says_why(step: str, message: str) -> None:
    assert message in _refused(f"escalation_policies:\n  own:\n    - {step}\n")


# --- the other sections --------------------------------------------------------------------


def test_routes_read_matchers_as_alertmanager_writes_them() -> None:
    parts = _parts(
        "routes:\n"
        "  - name: finance\n"
        "    match: ['team=finance', 'dag_id=~\"daily.*\"']\n"
        "    channel: '#finance-alerts'\n"
        "    rotation: finance\n"
        "  - {name: both, match: 'team=a env!=dev'}\n"
    )
    finance, both, everything = parts.routes
    assert finance.matchers == (
        Matcher("team", Operator.EQUAL, "finance"),
        Matcher("dag_id", Operator.MATCHES, "daily.*"),
    )
    assert (finance.channel, finance.rotation) == ("finance-alerts", "finance")
    assert len(both.matchers) == 2
    assert everything.name == "everything"


def test_priorities_and_pages_change_key_by_key() -> None:
    parts = _parts("priorities: {warning: P3}\npages: {P3: show, P5: page}\n")
    assert parts.priorities == {**DEFAULT_PRIORITIES, Severity.WARNING: Priority.P3}
    assert parts.pages == {Priority.P1, Priority.P2, Priority.P5}


def test_verification_changes_key_by_key_and_reaches_the_book() -> None:
    assert _parts(FALLBACK).verifying == VerifyingRules()
    parts = _parts(
        "verification: {run_takes: 2h, most_asks: 5}\n",
        "verification: {ask_every: 8h, run_takes: 1h}\n",
    )
    hour = timedelta(hours=1)
    expected = VerifyingRules(run_takes=hour, ask_every=8 * hour, most_asks=5)
    assert parts.verifying == parts.rulebook(on_call=OnCall()).verifying == expected
    assert _parts("verification: {off: true}\n", "verification: {ask_every: 2d}\n").verifying.off


def test_a_list_of_pages_is_the_whole_answer() -> None:
    assert _parts("pages: [P1]\n").pages == {Priority.P1}
    assert _parts("pages: []\n").pages == frozenset()


def test_acknowledgements_may_never_expire() -> None:
    assert _parts("ack_timeout: never\n").ack_timeout is None
    assert _parts("ack_timeout: never\n", "ack_timeout: 1h\n").ack_timeout == timedelta(hours=1)


def test_flapping_and_storm_change_key_by_key() -> None:
    parts = _parts("flapping: {openings: 9}\nstorm: {within: 2m}\n", "flapping: {quiet: 1h}\n")
    assert parts.flapping == FlappingRule(9, timedelta(hours=1), timedelta(hours=1))
    assert parts.storm == StormRule(10, timedelta(minutes=2))


def test_maintenance_windows_once_and_recurring() -> None:
    parts = _parts(
        "maintenance_windows:\n"
        "  - {name: move, match: db=dwh, from: 2026-10-03 08:00 Europe/Berlin, to: 2026-10-03T10:00Z}\n"
        "  - name: nightly\n"
        "    match: [db=dwh]\n"
        "    hours: {from: '22:00', to: '02:00', zone: UTC, days: fri}\n"
        "    from: 2026-10-01T00:00+02:00\n"
    )
    matchers = (Matcher("db", Operator.EQUAL, "dwh"),)
    assert parts.windows == (
        MaintenanceWindow(
            "move", matchers, datetime(2026, 10, 3, 6, tzinfo=UTC), datetime(2026, 10, 3, 10, tzinfo=UTC)
        ),
        MaintenanceWindow(
            "nightly",
            matchers,
            starts_at=datetime(2026, 9, 30, 22, tzinfo=UTC),
            hours=Hours(time(22), time(2), "UTC", ("fri",)),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("2026-10-03", "`from`: say in which zone, like 2026-10-03 08:00 Europe/Berlin"),
        ("2026-10-03T08:00Z UTC", "`from`: says its zone twice; leave one of them out"),
        ("2026-10-03 08:00 Europe/Berln", '`from`: "Europe/Berln" is not a time zone; did you mean `Europe/Berlin`?'),
        ("0001-01-01T00:00+14:00", "`from`: too near to the end of the calendar"),
        ("tomorrow", "`from`: not an instant; write it like 2026-10-03T08:00Z or 2026-10-03 08:00 Europe/Berlin"),
        ("5", "`from`: not an instant; write it like 2026-10-03T08:00Z or 2026-10-03 08:00 Europe/Berlin"),
    ],
)  # fmt: skip
def test_an_instant_says_its_zone(when: str, message: str) -> None:
    text = f"maintenance_windows: [{{name: a, match: b=c, from: {when}, to: 2027-01-01T00:00Z}}]"
    assert _refused(text) == [message]


# --- documents laid over each other --------------------------------------------------------


def test_a_policy_of_the_same_name_replaces_the_earlier() -> None:
    parts = _parts("escalation_policies:\n  default: [{wait: 1m}]\n  more: [{wait: 2m}]\n")
    assert parts.policies["default"].steps == (Step((), timedelta(minutes=1)),)
    assert set(parts.policies) == {"default", "more"}


def test_routes_of_later_documents_come_first_and_replace_by_name() -> None:
    parts = _parts(
        "routes: [{name: a, match: x=1}, {name: b, match: x=2}]\n",
        "routes: [{name: c, match: x=3}, {name: a, match: x=4}]\n",
    )
    assert [(route.name, len(route.matchers)) for route in parts.routes] == [
        ("c", 1), ("a", 1), ("b", 1), ("everything", 0)
    ]  # fmt: skip
    (second,) = parts.routes[1].matchers
    assert isinstance(second, Matcher)
    assert second.value == "4"


def test_a_route_for_everything_ends_the_routes() -> None:
    parts = _parts("routes: [{name: all-of-it}]\n")
    assert [route.name for route in parts.routes] == ["all-of-it"]


def test_an_earlier_fallback_is_replaced_whole() -> None:
    parts = _parts("fallback: [Ana Ruiz]\n", "fallback: [Dee Novak, lead@example.com]\n")
    assert parts.fallback == ("lead@example.com",)


# --- what does not go together -------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("routes: [{name: a, match: x=1, policy: defualt}]", '1.yaml:1: unknown policy "defualt"; did you mean `default`?'),
        ("routes: [{name: a, match: x=1}, {name: a, match: x=2}]", '1.yaml:1: there are two routes "a"; names are unique'),
        ("routes:\n  - {name: a}\n  - {name: b}", '1.yaml:3: route "b" is never reached: "a" before it takes every alert'),
        ("routes:\n  - {name: a, match: x=1}\n  - {name: b, match: [y=2, x=1]}", '1.yaml:3: route "b" is never reached: "a" before it takes all it would take'),
        ("routes: [{name: everything, match: x=1}]", "1.yaml:1: no route takes every alert; end with one without `match`"),
        ("escalation_policies:\n  a: []", "1.yaml:2: policy `a` has no steps, so it pages nobody"),
        ("escalation_policies:\n  a:\n    - {wait: 1m, repeat: 1}\n    - {wait: 1m}", "1.yaml:3: `repeat` stands only on the last step of a policy"),
        ("escalation_policies:\n  a: [{page: [webhook: pager-gatewy]}]", '1.yaml:2: unknown webhook "pager-gatewy"; did you mean `pager-gateway`?'),
        ("escalation_policies:\n  a: [{page: [person: Anna]}]", '1.yaml:2: nobody is called "Anna". Nearest: "Ana Ruiz".'),
        ("fallback:\n  - lead@example.com\n  - Zoe", '1.yaml:3: nobody is called "Zoe". Write their e-mail, or add them to people.'),
        ("maintenance_windows:\n  - {name: a, match: x=1, hours: &h {from: 01:00, to: 02:00, zone: UTC}}\n  - {name: a, match: x=1, hours: *h}", '1.yaml:3: there are two maintenance windows "a"; names are unique'),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_a_fault(text: str, fault: str) -> None:
    assert _faults(text) == [fault]


def test_every_document_may_name_what_another_has() -> None:
    assert _faults("routes: [{name: a, match: x=1, policy: own}]", "escalation_policies:\n  own: [{wait: 1m}]") == []  # fmt: skip


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("escalation_policies:\n  a: [{page: [on_call: primary], repeat: 3}]", "1.yaml:2: no step waits, so the repeats follow at once; give the steps `wait: 5m`"),
        ("escalation_policies:\n  a: [{page: [on_call: primary], wait: 2d}]", "1.yaml:2: waits longer than a day for an answer"),
        ("escalation_policies:\n  a: [{page: [person: leed@example.com]}]", '1.yaml:2: "leed@example.com" is nobody of `people`; did you mean `lead@example.com`?'),
    ],
)  # fmt: skip
def test_what_is_odd_is_a_warning(text: str, warning: str) -> None:
    found = _found(f"{text}\n{FALLBACK}")
    assert found.faults == ()
    assert [str(w) for w in found.warnings] == [warning]


def test_a_step_that_waits_for_nothing_but_is_followed_is_fine() -> None:
    text = "escalation_policies:\n  a: [{page: [on_call: primary]}, {page: [on_call: secondary]}]\n"
    assert _found(FALLBACK + text) == Findings()


def test_folding_changes_key_by_key() -> None:
    parts = _parts("folding: {within: 2h}\n", "folding: {never: [access]}\n")
    assert parts.folding == FoldingRule(
        within=timedelta(hours=2), never=frozenset({Category.ACCESS})
    )
    assert parts.rulebook(on_call=OnCall()).folding == parts.folding
    assert _parts("{}\n").folding == FoldingRule()
