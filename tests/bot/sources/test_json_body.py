"""Any bytes give a value or an UnreadableError."""

import pytest

from bot.sources.json_body import inside, list_of, object_of, read_json, read_object, text_of
from bot.sources.kind import UnreadableError


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (
            b'{"a": NaN, "b": -Infinity, "c": 1e999}',
            {"a": "NaN", "b": "-Infinity", "c": "1e999"},
        ),
        (b'{"a": ' + b"9" * 5_000 + b"}", {"a": "9" * 5_000}),
        (b'"\xff\xfea"', "\ufffd\ufffda"),
        (b'\xef\xbb\xbf{"a": "\xc3\xa4"}', {"a": "ä"}),
        ('{"a": 1}'.encode("utf-16"), {"a": 1}),
        (b'"a\nb"', "a\nb"),
        (b"[" * 64 + b"]" * 64, None),
    ],
)
def test_odd_json_is_read(body: bytes, value: object) -> None:
    read = read_json(body)
    assert value is None or read == value


@pytest.mark.parametrize("depth", [65, 1_000, 100_000])
@pytest.mark.parametrize("pair", [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused(depth: int, pair: tuple[bytes, bytes]) -> None:
    with pytest.raises(UnreadableError, match="nested more than 64 deep"):
        read_json(pair[0] * depth + b"1" + pair[1] * depth)


@pytest.mark.parametrize("body", [b"", b" \n", b"{", b"\x00", b"\xff\xff", b"nul", b"{'a': 1}"])
def test_what_is_not_json_says_so(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_json(body)


def test_an_object_is_wanted() -> None:
    assert read_object(b'{"a": null}') == {"a": None}
    with pytest.raises(UnreadableError, match="not an object"):
        read_object(b"[]")


def test_values_read_as_people_write_them() -> None:
    written = [text_of(value) for value in [None, True, False, 3, 1.5, "a", ["a", {"b": None}]]]
    assert written == ["", "true", "false", "3", "1.5", "a", '["a", {"b": null}]']


def test_what_is_not_there_is_empty() -> None:
    body = {"a": {"b": [1]}, "c": "text"}
    assert inside(body, "a", "b") == [1]
    assert inside(body, "c", "d") is None
    assert inside(None, "a") is None
    assert (object_of("text"), list_of(body)) == ({}, ())
