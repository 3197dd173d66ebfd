"""Secret addresses: one key for each feed, ended by revoking."""

from urllib.parse import parse_qs, urlsplit

import pytest

from bot.calendar.addresses import ALL, Addresses, feed_of_person, feed_of_rotation

ANA = feed_of_person("ana@example.com")
DATA = feed_of_rotation("data")
ADDRESSES = Addresses("a-secret-of-the-team", "https://oncall.example")


def key(addresses: Addresses, feed: str) -> str:
    return parse_qs(urlsplit(addresses.link(feed)).query)["key"][0]


def test_each_feed_has_its_own_address() -> None:
    links = [ADDRESSES.link(feed) for feed in (ALL, DATA, ANA)]
    assert [urlsplit(link).path for link in links] == [
        "/calendar/all.ics",
        "/calendar/data.ics",
        "/calendar/person/ana@example.com.ics",
    ]
    assert len({key(ADDRESSES, feed) for feed in (ALL, DATA, ANA)}) == 3
    assert len(key(ADDRESSES, ANA)) == 40


def test_a_key_opens_its_own_feed_only() -> None:
    for feed in (ALL, DATA, ANA):
        assert [ADDRESSES.check(f, key(ADDRESSES, feed)) for f in (ALL, DATA, ANA)].count(True) == 1
        assert ADDRESSES.check(feed, key(ADDRESSES, feed))
    for wrong in ("", key(ADDRESSES, ANA)[:-1], key(ADDRESSES, ANA).upper() + "0", "é\0", "\udc80"):
        assert not ADDRESSES.check(ANA, wrong)


def test_revoking_ends_an_address_and_no_other() -> None:
    later = Addresses(ADDRESSES.secret, ADDRESSES.base_url, {ANA: 1})
    assert not later.check(ANA, key(ADDRESSES, ANA))
    assert later.check(ANA, key(later, ANA))
    assert later.check(DATA, key(ADDRESSES, DATA))


def test_without_a_secret_nothing_opens() -> None:
    none = Addresses("", "https://oncall.example")
    with pytest.raises(ValueError, match="secret"):
        none.link(ANA)
    assert not none.check(ANA, none._key(ANA))
    assert "a-secret" not in repr(ADDRESSES)
