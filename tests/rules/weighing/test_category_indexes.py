"""A thousand rules cost no more per alert than ten: what is tried is counted, not timed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.category import Category, Outcome
from rules.matching.glob_index import GlobIndex, glob_fault
from rules.matching.label_rules import LabelRule, LabelRules
from rules.matching.matcher import parse_matchers
from rules.matching.phrases import PhraseIndex, phrase_fault, words_of

SAID = Outcome(Category.VOLUME)
FEW, MANY = 10, 1_000


def _globs(count: int) -> GlobIndex[int]:
    made = [(f"project_{n}_*_volume", n) for n in range(count)]
    made += [(f"*_suffix_{n}", n) for n in range(count)]
    return GlobIndex(made)


def _rules(count: int) -> LabelRules[Outcome]:
    written = [f"team=team_{n}" for n in range(count)]
    written += [f'dag_id=~"dag_{n}_.*"' for n in range(count)]
    return LabelRules([LabelRule(one, parse_matchers(one)[0], SAID) for one in written])


def _phrases(count: int) -> PhraseIndex[int]:
    return PhraseIndex(([f"failure{n} of * kind"], n) for n in range(count))


def test_globs_tried_do_not_grow_with_the_rules() -> None:
    tried = [len(list(_globs(n).candidates("project_7_orders_volume"))) for n in (FEW, MANY)]
    assert tried == [1, 1]
    assert _globs(MANY).glob("project_777_orders_volume") == ("project_777_*_volume", 777)


def test_label_rules_tried_do_not_grow_with_the_rules() -> None:
    labels = {"team": "team_7", "dag_id": "dag_8_daily", "other": "x"}
    tried = [len(list(_rules(n).candidates(labels))) for n in (FEW, MANY)]
    assert tried == [2, 2]
    found = _rules(MANY).first(labels)
    assert found is not None
    assert found.name == "team=team_7"


def test_phrases_tried_do_not_grow_with_the_rules() -> None:
    text = words_of("There was failure7 of another kind.")
    tried = [len(list(_phrases(n).candidates(text.split()))) for n in (FEW, MANY)]
    assert tried == [1, 1]
    assert _phrases(MANY).hits(text) == [("failure7 of * kind", 7)]


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("expect_*_match_regex*", "expect_column_values_to_match_regex_list", True),
        ("expect_*_match_regex", "expect_column_values_to_match_regex_list", False),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("a*bc*bc*d", "a_bc_bc_d", True),
        ("a*bc*bc*d", "a_bcbd", False),
        ("*_UNIQUE", "to_be_unique", True),
        ("x[0-9]*", "x1", False),
    ],
)
def test_a_star_stands_for_anything(pattern: str, name: str, fits: bool) -> None:
    assert (GlobIndex([(pattern, 1)]).glob(name) is not None) is fits


def test_the_most_telling_pattern_wins() -> None:
    index = GlobIndex([("expect_*", 1), ("expect_*_between", 2), ("expect_column_*", 3)])
    assert index.glob("expect_column_sum_to_be_between") == ("expect_*_between", 2)


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("permission denied", "PERMISSION_DENIED: no", True),
        ("permission denied", "permissions denied", False),
        ("column * not found", 'column "a.b" not found', True),
        ("column * not found", "column " + "x" * 200 + " not found", False),
        ("column * not found", "column a, column b; it was not found", True),
        ("a * b * c", "a c b c", True),
        ("a * b * c", "c b a", False),
        ("ação negada", "AÇÃO negada!", True),
    ],
)
def test_a_phrase_is_whole_words_with_short_gaps(phrase: str, text: str, found: bool) -> None:
    assert bool(PhraseIndex([([phrase], 1)]).hits(text)) is found


@pytest.mark.parametrize("pattern", ["*", "**", " * ", "*middle*", "x" * 201])
def test_a_pattern_that_fits_everything_is_refused(pattern: str) -> None:
    assert glob_fault(pattern)


@pytest.mark.parametrize("phrase", ["", "*", "...", "a *", "a * b * c * d * e", "x" * 201])
def test_a_phrase_without_words_is_refused(phrase: str) -> None:
    assert phrase_fault(phrase)


@pytest.mark.parametrize(
    ("matchers", "labels", "holds"),
    [
        ('dag_id=~"daily.*"', {"dag_id": "daily_orders"}, True),
        ('dag_id=~"dail?.*"', {"dag_id": "dai_orders"}, True),
        ('dag_id=~"daily|weekly"', {"dag_id": "weekly"}, True),
        ('dag_id=~".*orders"', {"dag_id": "daily_orders"}, True),
        ('dag_id=~".*"', {}, True),
        ("team!=sales", {}, True),
        ('team=""', {}, True),
        ('dag_id=~"daily.*" team=a', {"dag_id": "daily_x", "team": "b"}, False),
        (r'dag_id=~"daily\\.x"', {"dag_id": "daily.x"}, True),
        ('dag_id=~"daily(_x)"', {"dag_id": "daily_x"}, True),
    ],
)
def test_an_indexed_rule_holds_as_its_matchers_do(
    matchers: str, labels: dict[str, str], holds: bool
) -> None:
    rule = LabelRule("one", parse_matchers(matchers)[0], SAID)
    assert (LabelRules([rule]).first(labels) is rule) is holds


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_texts_in_ascii_and_beyond_have_the_same_words(text: str) -> None:
    assert words_of(f"{text} é").split() == [*words_of(text).split(), "é"]
