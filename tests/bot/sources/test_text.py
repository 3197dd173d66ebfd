"""Text from outside is bounded and shows everything that is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources import text


def test_a_cut_text_says_how_much_is_missing() -> None:
    assert text.clip("abc", 3) == "abc"
    cut = text.clip("x" * 500, 100)
    assert len(cut) <= 100
    kept, _, rest = cut.partition("… (+")
    assert len(kept) + int(rest.rstrip(")")) == 500


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("a\x00b", "ab"),
        ("a\ud800b", "a\ufffdb"),
        ("pay\u202egnp.exe", "paygnp.exe"),
        ("\u2066a\u2069\u200f\u061c", "a"),
        ("a\x1b[31mb\x7f\x9b", "a[31mb"),
        ("  a\r\n\tb  ", "a b"),
        ("\ufeffa\U000e0041", "a"),
        ("שלום", "שלום"),
        ("👩\u200d🔧 fixed", "👩\u200d🔧 fixed"),
    ],
)
def test_a_line_has_no_hidden_characters(raw: str, safe: str) -> None:
    assert text.line(raw) == safe


def test_a_text_keeps_its_lines() -> None:
    assert text.clean(" a\r\nb\rc\td\x00\u202e ") == "a\nb\nc\td"


def test_keys_stay_apart() -> None:
    long = "k" * 300
    assert len(text.key(long)) <= 255
    assert text.key(long) != text.key(long + "x")
    assert text.key("a\x00") != text.key("a")
    assert text.key("dag/task") == "dag/task"
    assert text.key("größe") == "größe"


def test_labels_are_bounded_and_count_what_was_dropped() -> None:
    kept = text.labels({f"l{n}": "v" for n in range(100)})
    assert len(kept) == 64
    assert kept["watchbill_dropped_labels"] == "37"
    ((name, value),) = text.labels({"n" * 1_000: "v" * 9_000}).items()
    assert 120 < len(name) <= 128
    assert 1_000 < len(value) <= 1_024
    assert text.labels({"\x00": "v", "a": "\x00"}) == {"a": ""}


@pytest.mark.parametrize(
    "raw",
    [
        "javascript:alert(1)",
        "http://a b",
        "https://e.example/\u202e",
        "ftp://e",
        "https://" + "a" * 3_000,
        "<!channel>",
    ],
)
def test_only_web_addresses_are_links(raw: str) -> None:
    assert text.link(raw) == ""


def test_a_web_address_stays_as_it_is() -> None:
    assert text.link(" https://e.example/a?b=c&d=%20#e ") == "https://e.example/a?b=c&d=%20#e"


@given(st.text(st.characters(exclude_categories=()), max_size=400))
def test_whatever_comes_can_be_stored_and_is_short(raw: str) -> None:
    for made, length in [(text.line(raw, 50), 50), (text.clean(raw, 50), 50), (text.key(raw), 255)]:
        assert len(made) <= length
        assert "\x00" not in made
        made.encode()
