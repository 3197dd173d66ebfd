"""Expressions in CEL: what they see, what is refused at load, and that none runs for long."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from rules.facts import Facts
from rules.matching.expression import Expression, equalities, expression_fault
from rules.matching.matcher import matchable
from tests.rules.build import make_alert

LABELS = {"rows": "2000", "ratio": "0.5", "team": "finance", "build": "007", "tier": "1",
          "version": "1.10", "severity": "error", "product": "orders"}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ('labels.rows > 1000 && alert.severity == "error"', True),
        ("labels.rows > 2000", False),
        ("labels.ratio <= 0.5", True),
        ('labels.team in ["finance", "risk"]', True),
        ('labels.build == "007"', True),
        ('text.rows == "2000"', True),
        ('text.version == "1.10"', True),
        ("alert.tier == 1", True),
        ('alert.product == "orders" && alert.owner == ""', True),
        ('has(labels.rows) || labels.none == "x"', True),
        ("has(labels.none) && labels.none > 3", False),
        ('labels.team.matches("^fin")', True),
        ("labels.exists(name, labels[name] == 2000)", True),
    ],
)
def test_an_expression_reads_labels_and_facts(source: str, holds: bool) -> None:
    assert expression_fault(source) == ""
    facts = Facts(LABELS)
    assert Expression(source).holds(facts) is holds
    assert facts.failed == {}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("labels.lines > 3", "there is no label lines"),
        ("labels.team > 3", "a text is compared with a number, or used as one"),
        ("labels.team", ""),
    ],
)
def test_what_cannot_be_evaluated_does_not_hold_and_is_told(source: str, why: str) -> None:
    facts = Facts(LABELS)
    assert not Expression(source).holds(facts)
    assert why in facts.failed[source]


def test_a_failure_that_does_not_matter_is_none() -> None:
    facts = Facts(LABELS)
    assert Expression('labels.none > 3 || labels.team == "finance"').holds(facts)
    assert facts.failed == {}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("labels.rows >", "cannot be read at character 14"),
        ("true &&\nlabels.rows >", "cannot be read at line 2, character 14"),
        ("lables.rows > 3", "there is no `lables.rows`; did you mean `labels`?"),
        ('alert.sverity == "x"', "did you mean `alert.severity`?"),
        ("rows > 3", "a label is read like `labels.rows`"),
        ("labels.rows", "does not say yes or no"),
        ("1 + 1", "does not say yes or no"),
        ('labels.rows == "2000"', "write 2000 without quotes, or `text.`"),
        ("labels['rows'] != '20.5'", "write 20.5 without quotes"),
        ("(" * 50 + "true" + ")" * 50, "nested too deeply"),
        ("true" + " && true" * 200, "longer than 1000 characters"),
        ("", "cannot be read at character 1"),
        ("open('x') == 'y'", "there is no `open`"),
        ("text.x == '\ud800'", "half a character"),
    ],
)
def test_a_fault_is_found_before_anything_runs(source: str, fault: str) -> None:
    assert fault in expression_fault(source)


def test_no_expression_runs_for_long() -> None:
    ten, source = "[1,2,3,4,5,6,7,8,9,10]", "true"
    for name in "abcdefghi":
        source = f"{ten}.all({name}, {source})"
    facts = Facts({"title": "a" * 1_000_000})
    began = time.thread_time()
    assert not Expression(source).holds(facts)
    assert facts.failed[source] == "it takes too long"
    assert not Expression(
        'labels.title.matches("(a|aa)+b") || alert.title.matches("(a*)*b")'
    ).holds(facts)
    assert time.thread_time() - began < 1


def test_an_expression_sees_an_alert_and_its_view_is_made_once() -> None:
    facts = matchable(make_alert(labels={"rows": "7"}))
    assert Expression("labels.rows == 7").holds(facts)
    view = facts.view
    assert Expression('alert.source == "airflow"').holds(facts)
    assert facts.view is view is not None


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ('labels.team == "x"', (("team", "x"),)),
        ("alert.product == 'a b' && labels.rows > 3", (("product", "a b"),)),
        ('labels.a == "1x" && (labels.b == "y" || true)', (("a", "1x"),)),
        ('labels.a == "x" || labels.b == "y"', ()),
        ('labels.a == "x" ? false : true', ()),
        ('!(true && labels.a == "x" && true)', ()),
        ('!labels.l.exists(k, k == "z" && labels.c == "y" && true)', ()),
        ('labels.a == "x || y"', (("a", "x || y"),)),
        ('true // && labels.a == "x"', ()),
        ("alert.tier == 1", ()),
    ],
)
def test_what_an_expression_cannot_do_without(
    source: str, needed: tuple[tuple[str, str], ...]
) -> None:
    assert equalities(source) == needed


def test_the_library_is_loaded_only_where_there_is_an_expression() -> None:
    code = (
        "import sys, bot.check, rules.documents.rulebook_parts, rules.decide\n"
        "assert not any(name.startswith('cel_expr') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
