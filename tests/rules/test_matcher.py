"""Label matchers: how they are written, and what they hold for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.matcher import Matcher, Operator, all_hold, matchable, matcher, parse_matchers
from tests.rules.build import make_alert, make_incident

LABELS = {"team": "finance", "dag_id": "daily_orders"}


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ("team=finance", True),
        ("team=fin", False),
        ("team!=sales", True),
        ("team!=finance", False),
        ('dag_id=~"daily.*"', True),
        ('dag_id=~"daily"', False),
        ('dag_id!~"daily.*"', False),
        ("owner=", True),
        ('owner=""', True),
        ("owner!=", False),
        ("owner=~.*", True),
    ],
)
def test_a_matcher_holds_as_in_alertmanager(written: str, holds: bool) -> None:
    found, rest = parse_matchers(written)
    assert rest == ""
    assert all_hold(found, LABELS) is holds


def test_none_at_all_hold_for_everything() -> None:
    assert all_hold((), LABELS)


@pytest.mark.parametrize(
    "written",
    [
        'team=finance dag_id=~"daily.*"',
        "team=finance, dag_id=~daily.*",
        "team=finance,dag_id=~daily.*",
        '  team = "finance" ,dag_id=~ daily.*',
    ],
)
def test_several_matchers_stand_in_a_row(written: str) -> None:
    found, rest = parse_matchers(written)
    assert rest == ""
    assert found == (
        Matcher("team", Operator.EQUAL, "finance"),
        Matcher("dag_id", Operator.MATCHES, "daily.*"),
    )


def test_what_follows_the_matchers_is_left_over() -> None:
    found, rest = parse_matchers('team=finance title="a \\"b\\" c" 2h deploy of 1.4')
    assert [m.value for m in found] == ["finance", 'a "b" c']
    assert rest == "2h deploy of 1.4"
    assert parse_matchers("2h because") == ((), "2h because")


def test_a_comma_inside_a_value_stays_there() -> None:
    assert parse_matchers("dag_id=~a{1,3}")[0][0].value == "a{1,3}"
    assert parse_matchers("title=a,b")[0][0].value == "a,b"


def test_a_broken_regular_expression_is_an_error_in_words() -> None:
    with pytest.raises(ValueError, match=r'dag_id=~"\(": not a regular expression|dag_id=~\('):
        parse_matchers("dag_id=~(")


@given(
    label=st.from_regex(r"[A-Za-z_][A-Za-z0-9_.:-]{0,20}", fullmatch=True),
    operator=st.sampled_from((Operator.EQUAL, Operator.NOT_EQUAL)),
    value=st.text(max_size=40),
    more=st.sampled_from(("", " 2h why", " team=finance")),
)
def test_what_is_written_reads_back_as_it_was(
    label: str, operator: Operator, value: str, more: str
) -> None:
    made = Matcher(label, operator, value)
    found, _ = parse_matchers(f"{made}{more}")
    assert found[0] == made


def test_facts_about_an_alert_are_labels_that_its_own_cannot_replace() -> None:
    alert = make_alert(labels={"team": "finance", "severity": "none", "source": "me"})
    labels = matchable(alert)
    assert labels["team"] == "finance"
    assert (labels["source"], labels["severity"]) == ("airflow", "critical")
    assert (labels["title"], labels["dedup_key"]) == ("orders failed", "orders")
    seen = matchable(make_incident(alert=alert))
    assert seen.pop("category") == "pipeline_failure"
    assert seen == labels


def test_a_regular_expression_sees_a_bounded_text() -> None:
    assert not matcher("title", "=~", "a*b").holds({"title": "a" * 10_000 + "b"})
