"""Which table decides: their order, what a project adds, and text that means harm."""

from dataclasses import replace

import pytest

from rules.alert import Severity
from rules.category import Category
from rules.classify import categorised
from rules.sentence import plain
from rules.weighing.categorise import CategoryRules, categorise
from tests.rules.build import Night, make_alert, make_book
from tests.rules.weighing.category_tables import SHIPPED, alert, ask, tables

OWN = """
categories:
  rules:
    - {name: ledger, match: [team=ledger, 'test=~"assert.*"'], category: relationship}
  words: {integrity_check: relationship}
  tests:
    not_null: {category: format, confidence: 0.6}
    "*_balances": distribution
  texts:
    - {name: quota_of_ours, category: access, phrases: [quota exceeded]}
"""


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ("Completeness", "completeness"),
        ("PIPELINE-FAILURE", "pipeline_failure"),
        ("data test failure", "data_test_failure"),
        ("uniqueness", "duplicates"),
        ("Validity", "format"),
        ("accuracy", "distribution"),
        ("consistency", "relationship"),
    ],
)
def test_a_label_says_the_category(said: str, category: str) -> None:
    by_label = ask(alert(category=said, test="not_null", evaluation="error"))
    assert (by_label.category, by_label.rule) == (category, "categories.labels.category")
    assert ask(alert(quality_dimension=said)).category == category


def test_a_label_that_names_no_category_is_passed_over() -> None:
    assert ask(alert(category="hardware", test="unique")).category == "duplicates"


@pytest.mark.parametrize(
    ("text", "category", "alternative", "confidence"),
    [
        ("permission denied for table orders", "access", None, 0.9),
        ("Connection refused", "infrastructure_failure", None, 0.9),
        ('column "amount" does not exist', "infrastructure_failure", "schema", 0.6),
        ("", "infrastructure_failure", None, 0.75),
    ],
)
def test_a_check_that_broke_says_nothing_of_the_data(
    text: str, category: str, alternative: str | None, confidence: float
) -> None:
    found = ask(alert("unique on orders.id", text, test="unique", evaluation="error"))
    assert (found.category, found.alternative) == (category, alternative)
    assert found.confidence == confidence


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("permission denied; connection reset", "access"),
        ('connection reset while reading: column "a" does not exist', "infrastructure_failure"),
        ('column "a" does not exist: could not convert', "schema"),
        ("Got 401 results, configured to fail if != 0", "pipeline_failure"),
        ("503 rows were rejected", "pipeline_failure"),
    ],
)
def test_of_two_causes_the_earlier_table_counts(text: str, category: str) -> None:
    assert ask(alert("x", text)).category == category


def test_the_test_counts_before_the_event_and_the_text() -> None:
    found = ask(alert("x", "permission denied", test="not_null", resource_type="source"))
    assert found.rule == "categories.tests.not_null"
    assert found.why.render(plain) == "Completeness: test not_null."


def test_a_guess_reads_as_one() -> None:
    found = ask(alert("x", "Object does not exist or not authorized."))
    said = 'Probably access, or schema: the text says "does not exist or not authorized".'
    assert found.why.render(plain) == said


def test_own_entries_come_first() -> None:
    own = tables(OWN)
    assert ask(alert(team="ledger", test="assert_x"), own).rule == "categories.rules.ledger"
    assert ask(alert(team="sales", test="assert_x"), own).rule == "categories.fallback.check"
    assert ask(alert(category="integrity check"), own).category == "relationship"
    assert ask(alert(test="not_null"), own).category == "format"
    assert ask(alert(test="assert_ledger_balances"), own).category == "distribution"
    assert ask(alert("x", "quota exceeded"), own).category == "access"
    assert ask(alert(test="unique"), own).category == "duplicates"


def test_without_tables_there_is_still_an_answer() -> None:
    found = categorise(alert(), CategoryRules())
    assert (found.category, found.confidence) == (Category.PIPELINE_FAILURE, 0.3)


def test_an_unreadable_alert_is_only_a_guess() -> None:
    found = ask(replace(alert("permission denied"), unreadable=True))
    assert (found.category, found.rule) == ("infrastructure_failure", "categories.unreadable")


@pytest.mark.parametrize(
    "text",
    [
        "column " * 1_500,
        "statement " * 1_000 + "timeou",
        "\u202etuo dewolla ton\u202c" * 500,
        "حدث خطأ " * 1_250,
        "{0.__class__}" * 800,
        "\0" * 10_000,
    ],
)
def test_hostile_text_is_read_within_bounds(text: str) -> None:
    hostile = alert(text[:300], text, **{f"label_{n}": text[:1_024] for n in range(60)})
    assert ask(hostile).category in set(Category)
    assert len(list(SHIPPED.texts.candidates(text.split()))) < 60
    assert ask(alert(test=text, test_namespace=text)).why.render(plain)


def test_the_end_of_a_long_text_is_read() -> None:
    trace = "File load.py, line 3\n" * 400
    assert ask(alert("x", f"{trace}KeyError: 'amount'")).category == "schema"


def test_an_alert_keeps_its_category() -> None:
    book = make_book(categories=SHIPPED)
    once = categorised(make_alert(labels={"test": "unique"}), book)
    assert categorised(once, make_book()) is once


def test_a_worse_alert_brings_its_category() -> None:
    night = Night(
        make_book(categories=SHIPPED),
        make_alert(severity=Severity.ERROR, labels={"test": "not_null"}),
    )
    night.fires("b", severity=Severity.WARNING, labels={"test": "unique"})
    assert night.incident.category == "completeness"
    night.fires("c", severity=Severity.CRITICAL, labels={"test": "unique"})
    assert night.incident.category == "duplicates"
    assert "categories.tests.unique" in night.why()


def test_a_surer_alert_as_bad_replaces_a_guess() -> None:
    night = Night(make_book(categories=SHIPPED), make_alert())
    assert night.incident.confidence < 0.7
    night.fires("b", description="permission denied for table orders")
    assert (night.incident.category, night.incident.confidence) == (Category.ACCESS, 0.9)
    night.fires("c")
    assert night.incident.category is Category.ACCESS
