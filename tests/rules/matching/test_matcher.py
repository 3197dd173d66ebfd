"""Label matchers: how they are written, and what they hold for."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.matching.matcher import Matcher, Operator, all_hold, matchable, matcher, parse_matchers
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
        ("team in [finance, risk]", True),
        ("team in [sales]", False),
        ("team in [fin*]", False),
        ('owner in ["", nobody]', True),
        ("team not in [sales, risk]", True),
        ("team not in [finance]", False),
        ("dag_id like daily_*", True),
        ("dag_id like *_orders", True),
        ("dag_id like d*y_*s", True),
        ("dag_id like daily", False),
        ("dag_id like DAILY_*", False),
        ("dag_id like [weekly_*, daily_*]", True),
        ("dag_id not like [weekly_*, daily_*]", False),
        ("dag_id not like weekly_*", True),
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


@pytest.mark.parametrize(
    "pattern", ["(" * 1_500 + ")" * 1_500, "a" * 9_000, "a{99999999999999999999}", "(" * 250]
)
def test_a_monstrous_regular_expression_is_refused_in_few_words(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"longer than|regular expression") as error:
        parse_matchers(f"a=~{pattern}")
    assert len(str(error.value)) < 600


def test_a_list_of_a_monstrous_label_is_refused_in_few_words() -> None:
    with pytest.raises(ValueError, match="cannot read the list of x") as caught:
        parse_matchers("x" * 5_000 + " in [a")
    assert len(str(caught.value)) < 600


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
    assert (seen.pop("category"), seen.pop("priority")) == ("pipeline_failure", "P1")
    assert seen == labels


def test_a_regular_expression_sees_a_bounded_text() -> None:
    assert not matcher("title", "=~", "a*b").holds({"title": "a" * 10_000 + "b"})


@pytest.mark.parametrize(
    "written",
    [
        "team=a product in [x, y] dag_id like d_* 2h why",
        "team=a,product in [x,y],dag_id like d_*, 2h why",
        'team=a, product  in[ "x" , y ] dag_id like "d_*" 2h why',
    ],
)
def test_lists_and_patterns_stand_in_the_row_too(written: str) -> None:
    found, rest = parse_matchers(written)
    assert rest == "2h why"
    assert [str(one) for one in found] == ["team=a", "product in [x, y]", "dag_id like d_*"]


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("team in [a, b", "cannot read the list of team; write it like team in [finance, risk]"),
        ("team in []", "cannot read the list of team"),
        ("team in [a b]", "cannot read the list of team"),
        ("team like *", '* fits every value; for any value at all write team!=""'),
        ("team like [a*, **]", "* fits every value"),
        ("team like " + "a" * 201, "longer than 200 characters"),
        ("team in [" + ", ".join(map(str, range(501))) + "]", "more than 500 values"),
    ],
)
def test_a_broken_list_or_pattern_is_an_error_in_words(written: str, fault: str) -> None:
    with pytest.raises(ValueError, match=re.escape(fault)):
        parse_matchers(written)


def test_words_of_a_reason_are_no_matchers() -> None:
    assert parse_matchers("team=a until tomorrow, like before")[1] == "until tomorrow, like before"
    assert parse_matchers("in [a]")[0] == ()


@given(
    st.sampled_from((Operator.IN, Operator.NOT_IN, Operator.LIKE, Operator.NOT_LIKE)),
    st.lists(st.text(max_size=20), min_size=1, max_size=4, unique=True),
)
def test_a_written_list_reads_back_as_it_was(operator: Operator, values: list[str]) -> None:
    made = Matcher("team", operator, values=tuple(values))
    assume(operator in {Operator.IN, Operator.NOT_IN} or all(not v or v.strip("*") for v in values))
    assert parse_matchers(f"{made} 2h why") == ((made,), "2h why")
