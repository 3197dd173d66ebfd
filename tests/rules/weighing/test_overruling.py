"""`impact_rules` and `not_actionable` of rulebook documents: merged, checked, asked in order."""

from datetime import UTC, datetime

import pytest

from rules.alert import Severity
from rules.classify import assess
from rules.documents.rulebook_checks import cross_check
from rules.documents.rulebook_parts import Draft, Surroundings, assemble
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import fit, parse, read
from rules.people import People
from rules.priority import Impact, Priority
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.sentence import plain
from tests.rules.build import NOW, make_alert

AROUND = Surroundings(people=People([]), alerts_channel="data-alerts", first_rotation="data")
BASE = """
escalation_policies: {default: [{page: [on_call: primary], wait: 5m}]}
routes: [{name: all, policy: default}]
impact_rules:
  - {name: sandbox, match: "schema=sandbox", impact: minor}
  - {name: ledger, match: "schema=ledger", impact: moderate}
"""
OVER = """
impact_rules:
  - {name: sandbox, match: {schema: [sandbox, scratch]}, impact: extensive}
not_actionable:
  - {name: backfill, match: "dag_id=backfill", until: 2026-12-01 08:00 Europe/Berlin}
"""


def drafts(*texts: str) -> list[Draft]:
    made = []
    for text in texts:
        document, faults = parse(text, "rules.yaml")
        assert document is not None
        assert faults == []
        spec, misfits = fit(document, RulebookSpec)
        assert spec is not None, misfits
        made.append(Draft(document, spec))
    return made


def book(*texts: str) -> RuleBook:
    return assemble(drafts(*texts), AROUND).rulebook(on_call=OnCall())


def priority_of(rules: RuleBook, schema: str) -> Priority:
    alert = make_alert(severity=Severity.ERROR, labels={"schema": schema})
    return assess(alert, rules, NOW).priority


def test_of_one_name_the_later_document_counts() -> None:
    assert priority_of(book(BASE), "sandbox") is Priority.P4
    both = book(BASE, OVER)
    assert [rule.name for rule in both.impact_rules] == ["sandbox", "ledger"]
    assert priority_of(both, "sandbox") is Priority.P1
    assert priority_of(both, "scratch") is Priority.P1
    assert priority_of(both, "ledger") is Priority.P3
    assert priority_of(both, "elsewhere") is Priority.P2


def test_a_rule_of_the_files_says_its_name() -> None:
    alert = make_alert(labels={"schema": "sandbox"})
    told = [r.sentence.render(plain) for r in assess(alert, book(BASE), NOW).reasons]
    assert told[0] == "Impact minor: rule sandbox."
    assert Impact.MINOR.value in told[0]


def test_not_actionable_ends_at_its_instant() -> None:
    rules = book(BASE, OVER)
    alert = make_alert(labels={"dag_id": "backfill"})
    end = datetime(2026, 12, 1, 7, tzinfo=UTC)
    assert assess(alert, rules, NOW).quiet_rule == "backfill"
    assert assess(alert, rules, end).quiet_rule == ""


def test_two_entries_of_one_name_are_a_fault() -> None:
    twice = BASE + "  - {name: ledger, match: a=b, impact: minor}\n"
    (fault,) = cross_check(drafts(twice), AROUND).faults
    assert 'there are two entries "ledger" in `impact_rules`' in str(fault)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("impact_rules: [{name: a, impact: minor}]", "would take every alert"),
        ("impact_rules: [{name: a, match: b=c, impact: huge}]", "huge"),
        ("not_actionable: [{name: a, match: b=c, until: soon}]", "not an instant"),
        ("not_actionable: [{match: b=c}]", "name"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, words: str) -> None:
    spec, faults = read(text, RulebookSpec, "rules.yaml")
    assert spec is None
    assert words in str(faults[0])
