"""Tokens that acknowledge: forged, old, and for something else."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contact.links import Claim, Links, Purpose
from rules.contacting.method import Method
from tests.fakes.clock import FakeClock

CLAIM = Claim("ana@example.com", "i1", "i1:0.0.0:ana@example.com", Method.EMAIL)
BASE = "https://watchbill.example"


def links(clock: FakeClock, secret: str = "secret", base: str = BASE) -> Links:
    return Links(secret, base, clock)


def token(url: str) -> str:
    return url.rpartition("/")[2]


def test_a_token_says_who_may_acknowledge_what(clock: FakeClock) -> None:
    url = links(clock).ack(CLAIM, clock.now())
    assert url.startswith(f"{BASE}/ack/")
    assert links(clock).read(Purpose.ACK, token(url)) == CLAIM


def test_the_same_page_has_the_same_link(clock: FakeClock) -> None:
    since, first = clock.now(), links(clock).ack(CLAIM, clock.now())
    clock.advance(hours=1)
    assert links(clock).ack(CLAIM, since) == first


def test_a_link_ends_after_a_day(clock: FakeClock) -> None:
    found = token(links(clock).ack(CLAIM, clock.now()))
    clock.advance(hours=23, minutes=59)
    assert links(clock).read(Purpose.ACK, found) == CLAIM
    clock.advance(minutes=1)
    assert links(clock).read(Purpose.ACK, found) is None


@pytest.mark.parametrize("made", list(Purpose))
@pytest.mark.parametrize("used", list(Purpose))
def test_a_token_is_good_for_one_thing(clock: FakeClock, made: Purpose, used: Purpose) -> None:
    its: dict[Purpose, Callable[[Claim, datetime], str]] = {
        Purpose.ACK: links(clock).ack,
        Purpose.PRESS: links(clock).press,
        Purpose.STATUS: links(clock).status,
    }
    read = links(clock).read(used, token(its[made](CLAIM, clock.now())))
    assert read == (CLAIM if made is used else None)


def test_another_secret_reads_nothing(clock: FakeClock) -> None:
    found = token(links(clock, "other").ack(CLAIM, clock.now()))
    assert links(clock).read(Purpose.ACK, found) is None


@given(st.text(max_size=300))
def test_whatever_is_sent_instead_is_refused(sent: str) -> None:
    assert links(FakeClock()).read(Purpose.ACK, sent) is None


@given(st.integers(min_value=0, max_value=150), st.characters(codec="ascii"))
def test_a_changed_token_is_refused(place: int, letter: str) -> None:
    clock = FakeClock()
    found = token(links(clock).ack(CLAIM, clock.now()))
    changed = found[:place] + letter + found[place + 1 :]
    if changed != found:
        assert links(clock).read(Purpose.ACK, changed) is None


def test_where_others_cannot_reach_us_there_are_no_links(clock: FakeClock) -> None:
    none = links(clock, base="")
    made = [f(CLAIM, clock.now()) for f in (none.ack, none.press, none.status)]
    assert [*made, none.code("ana", "page")] == ["", "", "", ""]


def test_a_code_is_of_one_person_and_one_page(clock: FakeClock) -> None:
    at = links(clock)
    codes = {at.code(person, page) for person in ("ana", "bo") for page in ("p1", "p2")}
    assert len(codes) == 4
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert at.code("ana", "p1") in codes


def test_links_need_a_secret(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="secret"):
        Links("", BASE, clock)
