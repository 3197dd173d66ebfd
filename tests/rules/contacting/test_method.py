"""How people write the order in which they are reached."""

import re
from datetime import timedelta

import pytest

from rules.contacting.method import USUAL, ContactStep, Method, read_order, write_order
from rules.priority import Urgency


def minutes(method: Method, wait: float = 0) -> ContactStep:
    return ContactStep(method, timedelta(minutes=wait))


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("slack", ()),
        ("slack, email 2m, voice 5m", (minutes(Method.EMAIL, 2), minutes(Method.VOICE, 5))),
        ("voice 5m, E-Mail after 2m", (minutes(Method.EMAIL, 2), minutes(Method.VOICE, 5))),
        ("call, text 1m30s", (minutes(Method.VOICE), minutes(Method.SMS, 1.5))),
        ("voice 5m, voice 7m", (minutes(Method.VOICE, 5), minutes(Method.VOICE, 7))),
    ],
)
def test_an_order_reads_in_the_order_of_its_waits(
    text: str, steps: tuple[ContactStep, ...]
) -> None:
    order = read_order(text)
    assert order.usual == steps
    assert read_order(write_order(order.usual)) == order


def test_an_urgency_may_have_an_order_of_its_own() -> None:
    order = read_order("email 2m; critical, high: voice; low: slack")
    assert order.of(Urgency.CRITICAL) == order.of(Urgency.HIGH) == (minutes(Method.VOICE),)
    assert order.of(Urgency.MEDIUM) == (minutes(Method.EMAIL, 2),)
    assert order.of(Urgency.LOW) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("emial 2m", '"emial" is no contact method; did you mean `email`?'),
        ("email 2", '"2" is not a duration; write 90s, 5m, 2h or 3d'),
        ("slack 5m", "Slack is always first and at once; write `slack` without a wait"),
        ("email 13h", '"email 13h" waits longer than 12 hours'),
        ("email; voice", '"voice" comes after ";" without an urgency, like "low: email"'),
        ("p9: email", '"p9" is no urgency; known are `critical`, `high`, `low`, `medium`'),
        (", ".join(["email 1m"] * 9), "9 steps; at most 8"),
        ("email,,voice", '"" is no contact method; known are `email`, `ntfy`, `pushover`'),
    ],
)
def test_what_cannot_be_read_says_what_to_write(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        read_order(text)


def test_the_usual_order_calls_for_what_is_urgent_and_writes_for_the_rest() -> None:
    urgent, rest = USUAL.of(Urgency.CRITICAL), USUAL.of(Urgency.MEDIUM)
    assert urgent[-1] == minutes(Method.VOICE, 5)
    assert rest[-1] == minutes(Method.SMS, 5)
    assert minutes(Method.EMAIL, 2) in set(urgent) & set(rest)
