"""What stands under `options:` of a source is read by its kind, or named as a fault."""

import pytest

from bot.sources.options import Option, read_options, word, words

KNOWN = {"topics": Option("Which topics.", words), "header": Option("Which header.", word)}


def test_options_are_read() -> None:
    values, faults = read_options(KNOWN, {"topics": ["a", " b "], "header": "X-Time"})
    assert values == {"topics": ("a", "b"), "header": "X-Time"}
    assert faults == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"topic": ["a"]}, "unknown option `topic`; did you mean `topics`?"),
        ({"topics": "a"}, "`topics`: write a list of texts, like [one, two]"),
        ({"topics": [1]}, "`topics`: write a text of at most 500 characters"),
        ({"header": ""}, "`header`: write a text of at most 500 characters"),
    ],
)
def test_a_faulty_option_is_left_out_and_named(given: dict[str, object], said: str) -> None:
    assert read_options(KNOWN, given) == ({}, [said])


def test_a_kind_without_options_says_so() -> None:
    said = "unknown option `topics`; this kind of source has no options"
    assert read_options({}, {"topics": 1}) == ({}, [said])


def test_a_needed_option_that_is_missing_is_named() -> None:
    known = {"topics": Option("Which topics may send.", words, needed=True)}
    assert read_options(known, {}) == ({}, ["`topics` is missing. Which topics may send."])
    assert read_options(known, {"topics": ["a"]})[1] == []
