"""Rules derived from corrected incidents: they read back as written, and take their own."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alert import Alert, Severity
from rules.category import Category, Classified
from rules.corrected import Correction
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import read
from rules.incident import Incident
from rules.matching.matcher import all_hold, matchable
from rules.priority import Impact, Priority
from rules.sentence import plain, say
from rules.teaching.correction import Remedy, breadths, rule_name, rule_yaml
from rules.teaching.learned import LearnedRule, Lesson, read_lesson, with_lessons
from rules.teaching.trial import PastAlert, PastIncident, Trial, fitting, try_rule
from rules.weighing.categorise import categorise
from tests.rules.build import ANA, BO, HOUR, NOW, make_alert, make_book, make_incident

NOT_NULL = {"test": "not_null", "model": "orders", "column": "amount", "product": "sales"}
COMPLETE = Remedy(category=Category.COMPLETENESS)
TEXTS = st.text(max_size=60) | st.sampled_from(
    (
        'a"b',
        "a\\b",
        "${SECRET}",
        "x\ny",
        "#: - [",
        "\u2028",
        "\r",
        "a\x85b",
        "é 🦆",
        "=~",
        "in [a]",
        "a, b=c",
    )
)
LABELS = st.dictionaries(
    st.sampled_from(("test", "model", "column", "dag_id", "task_id", "product", "job")), TEXTS
)


def incident_of(labels: Mapping[str, str], **more: object) -> Incident:
    return make_incident(alert=make_alert(labels=dict(labels), **more))  # type: ignore[arg-type]


def lesson(incident: Incident, remedy: Remedy, at: int = 0, why: str = "") -> Lesson:
    text = rule_yaml(incident, breadths(incident)[at], remedy, by=ANA, at=NOW, why=why)
    return read_lesson(LearnedRule(id="r1", yaml=text, by=ANA, at=NOW, number=1, why=why))


def words(incident: Incident) -> list[str]:
    return [one.words for one in breadths(incident)]


def test_a_check_on_a_table_goes_from_its_column_to_the_product() -> None:
    assert words(incident_of(NOT_NULL)) == [
        "not_null on orders.amount",
        "not_null on orders",
        "not_null everywhere",
        "everything on orders",
        "product sales",
    ]


def test_a_task_goes_to_its_dag() -> None:
    found = incident_of({"dag_id": "daily", "task_id": "load"})
    assert words(found) == ["task daily.load", "everything of daily"]


def test_without_labels_it_is_the_thing_and_then_titles_like_it() -> None:
    found = incident_of({}, title="Backup 17 of 2026-11-22 failed on db3")
    exact, alike = breadths(found)
    assert exact.words == "exactly this thing"
    other = matchable(make_alert("else", title="Backup 18 of 2026-12-01 failed on db4"))
    assert all_hold(alike.matchers, other)
    assert not all_hold(alike.matchers, matchable(make_alert("x", title="Restore 18 of 2026")))


@pytest.mark.parametrize("fields", [{"storm": True}, {"unreadable": True}, {"source": "@person"}])
def test_what_no_tool_reported_teaches_nothing(fields: dict[str, Any]) -> None:
    assert breadths(make_incident(**fields)) == ()


@given(labels=LABELS, title=TEXTS, key=TEXTS, why=TEXTS, by=TEXTS)
def test_every_rule_reads_back_and_takes_its_own_incident(
    labels: dict[str, str], title: str, key: str, why: str, by: str
) -> None:
    found = incident_of(labels, key=key, title=title)
    remedy = Remedy(category=Category.ACCESS, impact=Impact.MINOR, actionable=False)
    for breadth in breadths(found):
        text = rule_yaml(found, breadth, remedy, by=by, at=NOW, why=why)
        rule = LearnedRule(id="r", yaml=text, by=by, at=NOW, number=1)
        read_back = read_lesson(rule)
        assert read_back.categories[0].matchers == breadth.matchers
        assert all_hold(read_back.impacts[0].matchers, matchable(found))
        spec, faults = read(text, RulebookSpec, "rules.yaml", replace=lambda one: one)
        assert faults == []
        assert spec is not None
        assert spec.not_actionable[0].name == read_back.not_actionable[0].name


def test_a_lesson_is_asked_first_and_names_its_teacher() -> None:
    found = incident_of(NOT_NULL)
    book = with_lessons(make_book(), [lesson(found, COMPLETE, why="nulls")])
    told = categorise(make_alert(labels=NOT_NULL), book.categories)
    assert told.category is Category.COMPLETENESS
    name = rule_name(found, breadths(found)[0], COMPLETE)
    assert told.why.render(plain) == f"Completeness: learned rule {name}, by {ANA}."
    other = categorise(make_alert(labels={**NOT_NULL, "model": "users"}), book.categories)
    assert other.category is not Category.COMPLETENESS


def test_a_label_of_the_source_counts_before_a_lesson() -> None:
    book = with_lessons(make_book(), [lesson(incident_of(NOT_NULL), COMPLETE)])
    alert = make_alert(labels={**NOT_NULL, "category": "access"})
    assert categorise(alert, book.categories).category is Category.ACCESS


@pytest.mark.parametrize(
    "text",
    ["", "::", "categories: {}", "routes: [{name: x, policy: y}]", "impact_rules: [{name: a}]",
     "not_actionable: [{name: a, match: []}]"],
)  # fmt: skip
def test_a_broken_rule_says_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match="rule r9"):
        read_lesson(LearnedRule(id="r9", yaml=text, by=ANA, at=NOW, number=1))


def past(
    number: int, category: Category, labels: Mapping[str, str] = NOT_NULL, **more: object
) -> PastAlert:
    known = Classified(category, None, 0.9, "tests", say("x"))
    alert = make_alert(f"k{number}", labels=labels, classified=known, **more)  # type: ignore[arg-type]
    return PastAlert(alert=alert, incident_id=f"i{number}", at=NOW - number * HOUR)


def trial_of(
    remedy: Remedy, alerts: list[PastAlert], incidents: dict[str, PastIncident] | None = None
) -> Trial:
    matchers = breadths(incident_of(NOT_NULL))[1].matchers
    taken = fitting(alerts, matchers)
    return try_rule(taken, incidents or {}, remedy, make_book(), looked_at=len(alerts))


def test_a_trial_counts_what_would_have_changed() -> None:
    alerts = [past(n, Category.FRESHNESS) for n in range(1, 13)]
    alerts += [past(20, Category.ACCESS), past(21, Category.COMPLETENESS)]
    alerts += [past(n, Category.FRESHNESS, {"test": "unique"}) for n in range(30, 40)]
    found = trial_of(COMPLETE, alerts)
    assert (found.looked_at, found.taken, found.changed) == (24, 14, 13)
    assert found.changes == (("freshness → completeness", 12), ("access → completeness", 1))
    assert [e.title for e in found.examples] == [f"k{n} failed" for n in range(1, 6)]


def test_a_trial_warns_of_other_corrections_stopped_pages_and_named_categories() -> None:
    alerts = [past(1, Category.FRESHNESS), past(2, Category.FRESHNESS)]
    alerts.append(past(3, Category.FRESHNESS, {**NOT_NULL, "category": "freshness"}))
    other = Correction(by=BO, at=NOW, category=Category.ACCESS, actionable=True)
    incidents = {
        "i1": PastIncident(number=1, priority=Priority.P1, paged=True),
        "i2": PastIncident(number=2, priority=Priority.P2, paged=True, correction=other),
    }
    found = trial_of(COMPLETE, alerts, incidents)
    assert (found.named, found.against, found.stopped) == (1, (2,), ())
    quiet = trial_of(Remedy(actionable=False), alerts, incidents)
    assert (quiet.stopped, quiet.stopped_p1, quiet.against) == ((1, 2), (1,), (2,))
    small = trial_of(Remedy(impact=Impact.MINOR), [past(1, Category.ACCESS, severity=Severity.ERROR)],
                     incidents)  # fmt: skip
    assert (small.changes, small.stopped_p1) == ((("P2 → P4", 1),), (1,))


def test_a_thousand_lessons_cost_as_little_as_ten() -> None:
    lessons = []
    for n in range(1_000):
        of = incident_of({**NOT_NULL, "model": f"table_{n}"})
        lessons.append(lesson(of, COMPLETE, at=1))
    book = with_lessons(make_book(), lessons)
    alert: Alert = make_alert(labels={**NOT_NULL, "model": "table_77"})
    assert len(list(book.categories.learned.candidates(matchable(alert)))) <= 2
    assert categorise(alert, book.categories).category is Category.COMPLETENESS


def test_a_rule_of_the_longest_names_can_be_read_again() -> None:
    longest = incident_of({name: name[0] * 200 for name in ("test", "model", "column")})
    for remedy in (COMPLETE, Remedy(actionable=False)):
        assert lesson(longest, remedy).names == (rule_name(longest, breadths(longest)[0], remedy),)
