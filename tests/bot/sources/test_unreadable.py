"""What the alert about an unreadable delivery tells the reader, and what it keeps to itself."""

import json
from time import process_time

import pytest

from bot.sources import registry
from bot.sources.kind import Source
from bot.sources.unreadable import too_many, unreadable
from tests.fakes.deliveries import delivery

WHY = "Nothing in it looks like a title."


def test_it_names_the_fields_and_never_their_values() -> None:
    alert = unreadable(delivery({"token": "hunter2", "job": {"id": 1}}), WHY)
    assert alert.description == f"{WHY}\nIt has the fields job, token"
    assert "hunter2" not in str(alert)


def test_it_names_a_dozen_fields_at_most() -> None:
    alert = unreadable(delivery({f"f{n:02}": n for n in range(30)}), WHY)
    assert alert.description.endswith("f10, f11, …")


def test_it_tells_how_a_text_begins() -> None:
    assert "It begins: <alert><title>x" in unreadable(delivery("<alert><title>x"), WHY).description
    long = unreadable(delivery(b"\xff\x00" + b"y" * 5_000), WHY).description
    assert len(long) < 200
    assert "yyy" in long
    assert unreadable(delivery(b""), WHY).description == WHY


def test_what_looks_different_is_a_different_thing() -> None:
    def key(body: object, why: str = WHY) -> str:
        return unreadable(delivery(body), why).dedup_key

    assert key({"run": 1}) == key({"run": 2})
    assert key({"run": 1}) != key({"incident": 1})
    assert key({"run": 1}) != key({"run": 1}, "The parser failed on it.")
    assert key("text one") == key("text two"), "texts have no shape"


def test_what_did_not_fit_is_one_thing() -> None:
    first, second = (too_many(delivery(json.dumps([n])), 5) for n in (1, 2))
    assert first.dedup_key == second.dedup_key
    assert first.description.endswith("It held 5 more.")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("generic", b'[{"pad": "' + b"x" * 200_000 + b'"}' + b",{}" * 2_000 + b"]"),
        ("cloudevents", b'[{"pad": "' + b"x" * 200_000 + b'"}' + b",{}" * 2_000 + b"]"),
        (
            "alertmanager",
            b'{"alerts": [{"pad": "' + b"x" * 200_000 + b'"}' + b",{}" * 2_000 + b"]}",
        ),
    ],
)
def test_a_thousand_entries_that_cannot_be_read_are_told_in_good_time(
    kind: str, body: bytes
) -> None:
    began = process_time()
    said = registry.read(Source(name="tool", kind=kind), delivery(body))
    assert said.alerts
    assert all(alert.unreadable for alert in said.alerts)
    assert process_time() - began < 3
