"""Templates look values up and never evaluate anything."""

import pytest

from bot.sources.mapping import read_mapping
from bot.sources.template import look_up, path, template

BODY = {
    "event": {"name": "load", "n": 0, "ok": False},
    "list": [{"x": "first"}, "second"],
    "a.b": {"c": "dotted"},
    "empty": "",
    "none": None,
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{event.name} failed", "load failed"),
        ("{list.0.x}/{list.1}/{list.2}/{list.-1}", "first/second//"),
        ('{missing|empty|none|"nobody"}', "nobody"),
        ("{missing|event.name}", "load"),
        ("{event.n} {event.ok}", "0 false"),
        ("{a.b.c}", "dotted"),
        ("{{literal}}", "{literal}"),
        ('{ missing | "a|b}" }', "a|b}"),
        ("{$.root}", "whole"),
        ("{event.__class__}{event.name.upper}{list.append}", ""),
        ("{event.name!r}{event.name:>10}", ""),
        ("{list}", '[{"x": "first"}, "second"]'),
        ("", ""),
    ],
)
def test_filling(text: str, filled: str) -> None:
    assert template(text).render(BODY, {"root": "whole"}).text == filled


@pytest.mark.parametrize("text", ["{", "a}", "{}", "{a..b}", "{a{b}}", '{"a}', "{a|}", '{"a"b}'])
def test_a_fault_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        template(text)


def test_what_was_used_is_told() -> None:
    assert template("{missing|event.name} {list.1}").render(BODY, BODY).used == (
        "event.name",
        "list.1",
    )


def test_looking_up_never_fails() -> None:
    assert look_up(BODY, path("event.name.deeper")) is None
    assert look_up(None, path("a")) is None
    assert look_up([1], ("٣",)) is None


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({"titel": "{a}"}, "did you mean 'title'"),
        ({"title": "{a"}, "mapping.title: a lone '{'"),
        ({"labels": {"team": "{"}}, "mapping.labels.team"),
        ({"labels": "{team}"}, "mapping.labels"),
        ({"alerts": "a..b"}, "mapping.alerts"),
        ({"alerts": ["a"]}, "mapping.alerts"),
        ({"firing": "red"}, "mapping.firing: write a list"),
        ({"title": ["{a}"]}, "mapping.title: write a text"),
    ],
)
def test_a_faulty_mapping_is_named(mapping: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says.replace("{", r"\{").replace("[", r"\[")):
        read_mapping(mapping)
