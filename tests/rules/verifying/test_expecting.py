"""What would prove a fix: by alert, by load type, by what is known of the schedule."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rules.alert import Alert, AlertStatus, Severity
from rules.catalogue import Catalogue, LoadType, Product
from rules.category import Category
from rules.corrected import Correction
from rules.cron import Schedule
from rules.expected_runs import Expectation, ExpectedRuns
from rules.grouping import open_incident
from rules.incident import Incident
from rules.rulebook import RuleBook
from rules.sentence import plain
from rules.verification import Proof, Verdict
from rules.verifying.expecting import claimed, expects_of, pages_for_silence
from rules.verifying.settings import VerifyingRules
from rules.verifying.wording import by_what, what_to_do
from tests.rules.build import NOW, make_book

KINDS = {"airflow": "airflow", "dbt": "dbt", "prom": "alertmanager", "sentry": "sentry"}


def book(load: LoadType | None = None, schedule: str = "0 5 * * *") -> RuleBook:
    shop = Product(id="shop", name="Shop", load_type=load, schedule=schedule)
    return make_book(catalogue=Catalogue([shop]), verifying=VerifyingRules(kinds=KINDS))


def incident(rules: RuleBook, source: str = "airflow", **labels: str) -> Incident:
    alert = Alert(
        source=source,
        dedup_key="k",
        status=AlertStatus.FIRING,
        title="it broke",
        severity=Severity.ERROR,
        occurred_at=NOW,
        labels=labels,
    )
    return open_incident(alert, rules, incident_id="i", number=1, now=NOW)


@pytest.mark.parametrize(
    ("load", "schedule", "source", "labels", "proof"),
    [
        (None, "0 5 * * *", "airflow", {"product": "shop"}, Proof.NEXT_RUN),
        (LoadType.FULL, "0 5 * * *", "airflow", {"product": "shop"}, Proof.NEXT_RUN),
        (None, "", "airflow", {"dag_id": "d", "run_id": "r"}, Proof.SAME_RUN),
        (None, "", "dbt", {"unique_id": "test.a.b", "test": "unique"}, Proof.CHECK),
        (LoadType.INCREMENTAL, "", "airflow", {"product": "shop"}, Proof.BACKFILL),
        (LoadType.SNAPSHOT, "", "airflow", {"product": "shop"}, Proof.WORDS),
        (None, "", "dbt", {"unique_id": "m", "materialized": "incremental"}, Proof.BACKFILL),
        (None, "", "dbt", {"unique_id": "s", "materialized": "snapshot"}, Proof.WORDS),
        (None, "", "prom", {"alertname": "Lag"}, Proof.SOURCE),
        (None, "", "sentry", {"product": "shop"}, Proof.SAME_RUN),
    ],
)
def test_what_would_prove_it(
    load: LoadType | None, schedule: str, source: str, labels: dict[str, str], proof: Proof
) -> None:
    rules = book(load, schedule)
    expects = expects_of(incident(rules, source, **labels), rules, NOW)
    assert expects is not None
    assert expects.proof is proof
    assert by_what(expects).render(plain)
    assert what_to_do(expects, 1).render(plain)


@pytest.mark.parametrize(
    "changes",
    [
        {"category": Category.ACCESS},
        {"category": Category.ADHOC_REQUEST},
        {"unreadable": True},
        {"storm": True},
        {"hidden": True},
        {"quiet_rule": "backfills"},
        {"correction": Correction(by="ana", at=NOW, actionable=False)},
        {"source": "@person"},
    ],
)
def test_what_needs_no_proof(changes: dict[str, Any]) -> None:
    rules = book()
    at = incident(rules, product="shop").but(**changes)
    assert claimed(at, "ana", rules, NOW).verdict is Verdict.NOT_NEEDED


def test_a_click_about_nothing_that_is_known_needs_no_proof() -> None:
    rules = book()
    assert expects_of(incident(rules, "sentry"), rules, NOW) is None
    assert expects_of(incident(rules, "nobody_knows", dag_id="d"), rules, NOW) is None


def test_a_rulebook_may_ask_for_none() -> None:
    rules = replace(book(), verifying=VerifyingRules(off=True))
    assert expects_of(incident(rules, product="shop"), rules, NOW) is None


def test_no_run_is_due_on_a_holiday_though_nobody_waits_for_its_runs() -> None:
    closed = Schedule("0 5 * * *", "UTC", frozenset({NOW.date()}))
    rules = replace(book(), expected=ExpectedRuns(schedules={"shop": closed}))
    expects = expects_of(incident(rules, product="shop"), rules, NOW)
    assert expects
    assert expects.due_at
    assert expects.due_at.date() == NOW.date() + timedelta(days=1)


def test_a_pipeline_that_stands_for_a_product_brings_its_proof() -> None:
    hourly = Schedule("0 * * * *")
    stands_for = Expectation(
        name="nightly", schedule=hourly, source="airflow", pipeline="nightly", product="shop"
    )
    rules = replace(book(), expected=ExpectedRuns([stands_for]))
    at = incident(rules, "sentry", product="shop")
    expects = expects_of(at, rules, NOW)
    assert expects
    assert (expects.expectation, expects.due_at) == ("nightly", hourly.due_after(NOW))


def test_silence_is_too_long_after_grace_and_a_run() -> None:
    rules = book()
    seen = claimed(incident(rules, product="shop"), "ana", rules, NOW)
    assert seen.expects
    assert seen.expects.due_at
    assert seen.look_at == seen.expects.due_at + timedelta(hours=4, minutes=15)


def test_nobody_is_paged_for_a_copy_of_a_mapped_task_whose_runs_are_not_told() -> None:
    rules = book()
    job = {"job_namespace": "prod", "job": "shop.load", "product": "shop"}
    for source, labels, waits in (
        ("lineage", job, True),
        ("lineage", {**job, "map_index": "7"}, False),
        ("airflow", {"dag_id": "shop", "task_id": "load", "map_index": "7", **job}, True),
    ):
        kinds = VerifyingRules(kinds={"lineage": "openlineage", "airflow": "airflow"})
        known = replace(rules, verifying=kinds)
        expects = expects_of(incident(known, source, **labels), known, NOW)
        assert expects is not None
        assert pages_for_silence(expects) is waits
