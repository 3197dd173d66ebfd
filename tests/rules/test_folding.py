"""How an alert is tied to what is open: by run, by asset, by lineage, by who builds what."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.alert import Alert, AlertStatus
from rules.catalogue import Asset, Catalogue, Product
from rules.category import Category, Classified
from rules.decide import decide
from rules.events import AlertReceived
from rules.folding import FoldingRule, OpenSubject, Subject, folds, run_key, subject_of, takes
from rules.lineage import Lineage
from rules.sentence import plain, say
from rules.shown_alert import Bond
from tests.rules.build import DAY, HOUR, NOW, make_alert, make_book, make_incident

ASSETS = [Asset(id=f"model.{n}", name=n, product="p") for n in "abcde"]
CATALOGUE = Catalogue([Product(id="p", name="P"), Product(id="q", name="Q")], ASSETS)
LINEAGE = Lineage(
    CATALOGUE, {"model.a": ["model.b"], "model.b": ["model.c"], "model.c": ["model.d"]}
)
RULE = FoldingRule()


def about(name: str, **more: Any) -> Subject:
    return Subject(f"model.{name}", **more)


def placed(subject: Subject, *others: Subject, alert: Alert | None = None) -> list[tuple[str, str]]:
    """Return (incident, bond) of what the subject folds into, the closest first."""
    open_ones = [OpenSubject(str(n), n, other) for n, other in enumerate(others, 1)]
    found = folds(alert or make_alert(), subject, open_ones, RULE, LINEAGE)
    return [(fold.incident_id, str(fold.bond)) for fold in found]


def test_the_nearest_cause_upstream_comes_first() -> None:
    assert placed(about("d"), about("a"), about("c"), about("e")) == [
        ("2", "consequence"),
        ("1", "consequence"),
    ]


def test_the_same_asset_stands_before_what_is_upstream_and_that_before_what_is_downstream() -> None:
    assert placed(about("b"), about("c"), about("a"), about("b")) == [
        ("3", "own"),
        ("2", "consequence"),
        ("1", "cause"),
    ]


def test_the_same_run_counts_as_the_closest_and_keeps_the_bond_of_lineage() -> None:
    same = placed(about("c", run_key="x/1"), about("b"), about("a", run_key="x/1"))
    assert same == [("2", "consequence"), ("1", "consequence")]
    assert placed(Subject(run_key="x/1"), Subject(run_key="x/1")) == [("1", "own")]
    assert placed(Subject(run_key="x/1"), Subject(run_key="x/2")) == []


@pytest.mark.parametrize(
    ("one", "other", "bond"),
    [
        (about("a", product="p"), Subject("task:d.t", "p"), "cause"),
        (Subject("dag:d", "p"), about("a", product="p"), "consequence"),
    ],
)
def test_what_a_dag_builds_tells_more_than_the_dag(one: Subject, other: Subject, bond: str) -> None:
    assert placed(one, other) == [("1", bond)]


def test_two_products_or_two_tasks_are_not_tied_by_orchestration() -> None:
    assert placed(about("a", product="p"), Subject("task:d.t", "q")) == []
    assert placed(Subject("task:d.t", "p"), Subject("task:d.u", "p")) == []
    assert placed(about("a"), Subject("task:d.t", "")) == []


@pytest.mark.parametrize("category", sorted(RULE.never))
def test_what_has_a_cause_of_its_own_joins_only_its_own_asset_or_run(category: Category) -> None:
    alert = replace(make_alert(), classified=Classified(category, None, 1.0, "r", say("w")))
    assert placed(about("b"), about("a"), alert=alert) == []
    assert placed(about("b"), about("b"), alert=alert) == [("1", "own")]


def test_recoveries_and_unreadable_ones_fold_nowhere() -> None:
    for alert in (make_alert(status=AlertStatus.RESOLVED), make_alert(unreadable=True)):
        assert placed(about("b"), about("a"), alert=alert) == []


def test_an_incident_takes_alerts_for_a_while_and_never_what_was_split_off() -> None:
    incident = replace(make_incident(), asset="model.a", last_alert_at=NOW)
    open_one = OpenSubject(incident.id, 1, about("a"))
    (fold,) = folds(make_alert("x"), about("b"), [open_one], RULE, LINEAGE)
    assert takes(incident, fold, make_alert("x"), RULE, NOW + DAY)
    assert not takes(incident, fold, make_alert("x"), RULE, NOW + DAY + HOUR)
    assert takes(incident, replace(fold, anytime=True), make_alert("x"), RULE, NOW + 9 * DAY)
    split = replace(incident, split_off=(("airflow", "x"),))
    assert not takes(split, fold, make_alert("x"), RULE, NOW)
    assert not takes(incident.resolve("", NOW), fold, make_alert("x"), RULE, NOW)


@pytest.mark.parametrize(
    ("ours", "theirs", "source", "joins"),
    [
        ({"target": "prod"}, {"target": "ci"}, "airflow", False),
        ({"target": "prod"}, {"target": "PROD"}, "airflow", True),
        ({"target": "prod"}, {}, "airflow", True),
        ({"target": "prod"}, {"target": "ci"}, "dbt", True),
        ({"dag_id": "d", "instance": "a"}, {"dag_id": "d", "instance": "b"}, "airflow", False),
        ({"instance": "host-1"}, {"instance": "host-2"}, "airflow", True),
    ],
)
def test_what_one_source_tells_of_another_environment_has_an_incident_of_its_own(
    ours: dict[str, str], theirs: dict[str, str], source: str, joins: bool
) -> None:
    incident = make_incident().but(asset="model.a", last_alert_at=NOW, labels=ours)
    alert = make_alert("x", source=source, labels=theirs)
    open_one = OpenSubject(incident.id, 1, about("a"))
    (fold,) = folds(alert, about("a"), [open_one], RULE, LINEAGE)
    assert takes(incident, fold, alert, RULE, NOW) is joins


def test_tasks_of_a_listed_dag_are_different_things() -> None:
    catalogue = Catalogue((), [Asset(id="dag:d", name="d", kind="dag")])
    labels = {"dag_id": "d", "task_id": "load", "run_id": "r1"}
    subject = subject_of(make_alert(labels=labels), catalogue)
    assert subject == Subject("task:d.load", "", "d/r1")
    assert subject_of(make_alert(labels={"dag_id": "d"}), catalogue) == Subject("dag:d")


def test_a_run_needs_its_dag_and_is_bounded() -> None:
    assert run_key({"run_id": "r"}) == run_key({"dag_id": "d"}) == ""
    assert run_key({"env_dag_id": "d", "dag_run_id": "r"}) == "d/r"
    assert len(run_key({"dag_id": "d" * 900, "run_id": "r"})) == 512


def test_the_reason_names_both_ends() -> None:
    book = make_book(catalogue=CATALOGUE, lineage=LINEAGE)
    incident = replace(make_incident(book), asset="model.a")
    alert = make_alert("test", labels={"asset": "model.c"})
    decision = decide(incident, AlertReceived(alert), book, NOW)
    words = [r.sentence.render(plain) for r in decision.reasons if r.rule.startswith("folding")]
    assert words == ["A consequence: c is made from a."]
    assert decision.incident.consequences == 1


_NAMES = st.sampled_from([*"abcde", ""])
_ALERTS = st.lists(st.tuples(_NAMES, st.sampled_from(list(AlertStatus))), min_size=1, max_size=12)


@given(_ALERTS)
def test_counts_stay_true_whatever_joins(told: list[tuple[str, AlertStatus]]) -> None:
    book = make_book(catalogue=CATALOGUE, lineage=LINEAGE)
    incident = make_incident(book, make_alert("first", labels={"asset": "model.c"}))
    seen: dict[str, AlertStatus] = {}
    for name, status in told:
        alert = make_alert(name or "other", status=status, labels={"asset": f"model.{name}"})
        event = AlertReceived(alert, seen.get(alert.dedup_key))
        incident = decide(incident, event, book, NOW).incident
        seen[alert.dedup_key] = status
    shown = incident.alerts
    assert incident.consequences == sum(a.bond is Bond.CONSEQUENCE for a in shown)
    assert incident.alert_count == len(shown) == len(seen) + 1
    assert sum(a.bond is Bond.CAUSE for a in shown) <= 1
