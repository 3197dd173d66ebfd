"""An index finds what trying everything would find, in the same order, and tries little."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.matching.expression import Expression
from rules.matching.label_index import Indexed, LabelIndex, indexed
from rules.matching.matcher import Condition, Matcher, Operator, all_hold, parse_matchers


@dataclass(frozen=True)
class Rule:
    matchers: tuple[Condition, ...]


LABELS = ("team", "dag_id", "env")
VALUES = ("", "a", "b", "ab", "aba", "b a")
values = st.sampled_from(VALUES)
singles = st.builds(
    Matcher,
    st.sampled_from(LABELS),
    st.sampled_from((Operator.EQUAL, Operator.NOT_EQUAL)),
    values,
)
regular = st.builds(
    Matcher,
    st.sampled_from(LABELS),
    st.sampled_from((Operator.MATCHES, Operator.NOT_MATCHES)),
    st.sampled_from(("a.*", "a?b.*", "a|b", ".*b", "ab+a", "", ".*")),
)
lists = st.builds(
    Matcher,
    st.sampled_from(LABELS),
    st.sampled_from((Operator.IN, Operator.NOT_IN)),
    st.just(""),
    st.lists(values, min_size=1, max_size=3).map(tuple),
)
globs = st.builds(
    Matcher,
    st.sampled_from(LABELS),
    st.sampled_from((Operator.LIKE, Operator.NOT_LIKE)),
    st.just(""),
    st.lists(
        st.sampled_from(("a*", "*a", "a*a", "*b*", "ab", "", "*b a")), min_size=1, max_size=3
    ).map(tuple),
)
expressions = st.sampled_from(
    (
        'labels.team == "a"',
        'labels.team == "a" && labels.env == "b"',
        'labels.team == "a" || labels.env == "b"',
        '!(labels.team == "a" && true)',
        'has(labels.env) && labels.env != "b"',
    )
).map(Expression)
conditions = st.lists(st.one_of(singles, regular, lists, globs, expressions), max_size=3)
rules = st.lists(conditions.map(tuple).map(Rule), max_size=12)
labels = st.dictionaries(st.sampled_from(LABELS), values)


@given(rules, labels)
def test_an_index_finds_what_trying_everything_finds(
    rules: list[Rule], labels: dict[str, str]
) -> None:
    things = Indexed(rules)
    found = [list(things.fitting(labels)) for _ in range(20)]
    assert found == [[rule for rule in rules if all_hold(rule.matchers, labels)]] * 20
    assert [
        one for one in LabelIndex(rules).candidates(labels) if all_hold(one.matchers, labels)
    ] == found[0]


def _rules(count: int) -> list[Rule]:
    rows = [f"severity=critical team=team_{n}" for n in range(count)]
    rows += [f"severity=critical dag_id like [dag_{n}_*, d_{n}]" for n in range(count)]
    rows += [f"severity=critical model like *_model_{n}" for n in range(count)]
    rows += [f"severity=critical product in [p_{n}, q_{n}]" for n in range(count)]
    rows += [f'severity=critical title=~"job {n} .*"' for n in range(count)]
    made = [Rule(parse_matchers(row)[0]) for row in rows]
    source = 'alert.severity == "critical" && labels.asset == "a_{}" && labels.rows > 3'
    return made + [Rule((Expression(source.format(n)),)) for n in range(count)]


@pytest.mark.parametrize("count", [10, 1_000])
def test_rules_tried_do_not_grow_with_the_rules(count: int) -> None:
    seen = {
        "severity": "critical",
        "team": "team_7",
        "dag_id": "dag_8_daily",
        "model": "my_model_9",
        "product": "q_1",
        "title": "job 3 failed",
        "asset": "a_4",
        "rows": "5",
    }
    index = LabelIndex(_rules(count))
    assert len(list(index.candidates(seen))) == 6
    assert len(list(Indexed(_rules(count)).fitting(seen))) == 6


def test_a_rule_found_in_two_ways_is_tried_once() -> None:
    rule = Rule(parse_matchers("team like [a*, ab*]")[0])
    assert list(LabelIndex([rule]).candidates({"team": "abc"})) == [rule]


def test_a_tuple_that_has_an_index_keeps_it() -> None:
    made = indexed([Rule(())])
    assert indexed(made) is made
    assert made == (Rule(()),)
