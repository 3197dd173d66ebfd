"""Nothing that anybody sends makes a source fail, grow without bound, or show what it hides."""

import json
from collections.abc import Iterator, Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources import registry, text
from bot.sources.kind import Source
from bot.sources.unreadable import MOST_ALERTS
from rules.alert import Alert
from tests.fakes.deliveries import PAYLOADS, arrival, delivery

NAMES = sorted(registry.KINDS)
TEXTS = {
    "mention of everybody": "<!channel>",
    "mention of a person": "<@U1>",
    "link": "<https://evil.example|https://bank.example>",
    "markup": "*bold* _it_ `code` ```block``` > quote",
    "entities": "&lt;!here&gt; &amp;",
    "long": "x" * 10_000,
    "long and wide": "🔥" * 10_000,
    "marks": "a\u202egnp\u202c\u2066b\u2069\u200f",
    "nulls": "a\x00b\x00",
    "surrogate": "a\ud800b",
    "controls": "a\x1b[2J\x07\x7f\x85",
    "lines": "a\nb\r\nc\u2028d",
    "empty": "",
    "braces": "{0.__class__} {{x}} %s ${HOME}",
    "number": "9" * 400,
}
DEEP: object = "bottom"
for _ in range(300):
    DEEP = [DEEP]
VALUES: dict[str, object] = {
    **TEXTS,
    "null": None,
    "true": True,
    "big": 10**300,
    "float": 1e308,
    "list": [[[]], {}],
    "object": {"a": {"b": "c"}},
    "many": [{"a": "b"}] * 1_100,
    "deep": DEEP,
}
_GAP = "what is put in its place"
# Bodies of more than 1 MB are refused at the door unless a source's body_limit is raised.
BODIES = {
    "empty": b"",
    "null": b"null",
    "text": b'"x"',
    "deep lists": b"[" * 1_000 + b"]" * 1_000,
    "deep objects": b'{"alerts":' * 1_000 + b"1" + b"}" * 1_000,
    "deeper": b"[" * 200_000,
    "5 MB of text": b'{"title": "' + b"x" * 5_000_000 + b'"}',
    "2 MB of entries": b"[" + b",".join([b'{"a":1}'] * 250_000) + b"]",
    "2 MB of fields": json.dumps({f"f{n}": n for n in range(120_000)}).encode(),
    "invalid UTF-8": b'{"title": "\xff\xfe\x80", "id": "\xc3"}',
    "UTF-16": '{"title": "x"}'.encode("utf-16"),
    "huge number": b'{"title": ' + b"9" * 100_000 + b"}",
    "not a number": b'{"title": NaN, "alerts": -Infinity, "time": 1e999}',
    "duplicate keys": b'{"title": "a", "title": {"alerts": []}}',
    "lone surrogates": rb'{"title": "\ud800", "id": "\udfff\u0000"}',
    "half": b'{"title": "x"',
    "zeros": b"\x00" * 1_000,
}


def samples(name: str) -> Iterator[bytes]:
    """Yield what the kind usually reads, from tests/payloads."""
    for file in sorted((PAYLOADS / name).rglob("*.json")):
        yield file.read_bytes()


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value inside."""
    if at:
        yield at
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, one in items:
        yield from places(one, (*at, name))


def around(body: bytes, at: tuple[str | int, ...]) -> tuple[bytes, bytes]:
    """Return what stands before the value at that path, and what behind it."""
    whole = json.loads(body)
    inner = whole
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = _GAP
    before, behind = json.dumps(whole).encode().split(json.dumps(_GAP).encode())
    return before, behind


def replaced(body: bytes, at: tuple[str | int, ...], value: object) -> bytes:
    """Return the body with another value at that path."""
    before, behind = around(body, at)
    return before + json.dumps(value).encode() + behind


@cache
def gaps(kind: str) -> tuple[tuple[tuple[Alert, ...], tuple[tuple[bytes, bytes], ...]], ...]:
    """Return of each small sample what is read from it, and it around each of its values."""
    small = [body for body in samples(kind) if len(body) <= 20_000]
    return tuple(
        (alerts_of(kind, body), tuple(around(body, at) for at in places(json.loads(body))))
        for body in small
    )


def alerts_of(
    kind: str,
    body: bytes,
    content_type: str = "application/json",
    checked: Sequence[Alert] = (),
) -> tuple[Alert, ...]:
    source = Source(name="tool", kind=kind)
    registry.delivery_key(arrival(source, body))
    registry.handshake(arrival(source, body))
    alerts = registry.read(source, delivery(body, content_type=content_type)).alerts
    assert len(alerts) <= MOST_ALERTS + 1
    for alert in alerts:
        if alert not in checked:
            check(alert)
    return alerts


def check(alert: Alert) -> None:
    """Assert that the alert can be stored and shown."""
    assert alert.title
    assert len(alert.title) <= text.TITLE_LENGTH
    assert len(alert.description) <= text.DESCRIPTION_LENGTH
    assert 0 < len(alert.dedup_key) <= text.KEY_LENGTH
    assert len(alert.group_key) <= text.KEY_LENGTH
    assert alert.url == "" or alert.url.lower().startswith(("http://", "https://"))
    assert len(alert.labels) <= text.LABELS
    assert alert.occurred_at.utcoffset() is not None
    lines = [
        alert.title,
        alert.url,
        *alert.labels,
        *alert.labels.values(),
    ]
    for line in lines:
        assert line == text.line(line, 10_000)
        line.encode()
    for key in (alert.dedup_key, alert.group_key):
        assert key == text.key(key)
        key.encode()
    assert alert.description == text.clean(alert.description)
    alert.description.encode()
    assert all(len(name) <= text.LABEL_NAME_LENGTH for name in alert.labels)
    assert all(len(value) <= text.LABEL_VALUE_LENGTH for value in alert.labels.values())


@pytest.mark.parametrize("kind", NAMES)
def test_every_kind_has_samples_that_it_reads(kind: str) -> None:
    read = [alert for body in samples(kind) for alert in alerts_of(kind, body)]
    assert any(not alert.unreadable for alert in read)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("kind", NAMES)
def test_any_field_may_hold_anything(kind: str, value: object) -> None:
    written = json.dumps(value).encode()
    for usual, bodies in gaps(kind):
        for before, behind in bodies:
            alerts_of(kind, before + written + behind, checked=usual)


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("kind", NAMES)
def test_any_body_may_come(kind: str, body: bytes) -> None:
    alerts_of(kind, body)
    if len(body) < 1_000_000:
        for content_type in ["text/plain", "application/x-www-form-urlencoded", ""]:
            alerts_of(kind, body, content_type)


@pytest.mark.parametrize("kind", NAMES)
def test_an_empty_body_is_never_dropped(kind: str) -> None:
    (alert,) = alerts_of(kind, b"")
    assert alert.unreadable


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            ANY_TEXT
            | st.sampled_from(
                ["alerts", "labels", "status", "title", "id", "startsAt", "tags", "time"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@pytest.mark.parametrize("kind", NAMES)
@given(value=ANY_JSON)
def test_random_json_never_raises(kind: str, value: object) -> None:
    alerts_of(kind, json.dumps(value).encode())


@pytest.mark.parametrize("kind", NAMES)
@given(
    body=st.binary(max_size=300),
    content_type=st.sampled_from(
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "x"]
    ),
)
def test_random_bytes_never_raise(kind: str, body: bytes, content_type: str) -> None:
    alerts_of(kind, body, content_type)
