"""A pattern that could take for ever is refused where it is written."""

import pytest

from rules.matching.matcher import matcher


@pytest.mark.parametrize(
    "pattern", ["(a+)+b", "(a|aa)*b", "a*a*a*a*b", r"(x)\1", "(?=a)a", "(ab){2,}", "x" * 300]
)
def test_patterns_that_can_take_for_ever_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|repetitions|longer"):
        matcher("title", "=~", pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("daily.*", "daily_orders"),
        ("(prod|staging)", "prod"),
        (r"fct_\d+", "fct_12"),
        (".*a.*b.*", "xxaxxbxx"),
        ("(?:eu-)?west", "west"),
        (r"\(a\)+", "(a)"),
    ],
)
def test_everyday_patterns_are_not(pattern: str, text: str) -> None:
    assert matcher("title", "=~", pattern).holds({"title": text})
