"""What every back-end promises, tried on each of them."""

from datetime import timedelta

import pytest

from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.access.backends.benches import UNTIL, Bench, fail

HOSTILE = [
    "",
    "..",
    "../../admin",
    "a/b",
    "ana@example.com\r\nX-Evil: 1",
    "ana\0",
    'ana"; DROP ROLE watchbill; --',
    "$(reboot)@example.com",
    "ana@example.com?role=OWNER",
    "ana@example.com') || ('1' == '1",
    "-rf@example.com" * 40,
    "\ud800@example.com",
    "ａｎａ@example.com",
]


async def test_granted_listed_and_revoked(bench: Bench) -> None:
    await bench.backend.grant(bench.group, bench.ana, UNTIL, "g1")
    assert await bench.held() == {bench.ana} == await bench.listed()
    await bench.backend.revoke(bench.group, bench.ana)
    assert await bench.held() == set() == await bench.listed()


async def test_each_may_be_repeated(bench: Bench) -> None:
    for _ in range(2):
        await bench.backend.grant(bench.group, bench.ana, UNTIL, "g1")
        assert await bench.listed() == {bench.ana}
    for _ in range(2):
        await bench.backend.revoke(bench.group, bench.ana)
        assert await bench.listed() == set()


async def test_one_is_revoked_and_the_others_stay(bench: Bench) -> None:
    await bench.put(bench.bo)
    await bench.backend.grant(bench.group, bench.ana, UNTIL, "g1")
    await bench.backend.revoke(bench.group, bench.ana)
    assert await bench.held() == {bench.bo}


async def test_members_of_several_pages_are_all_listed(bench: Bench) -> None:
    for account in bench.people:
        await bench.put(account)
    assert await bench.listed() == set(bench.people)
    await bench.backend.revoke(bench.group, bench.people[-1])
    assert await bench.listed() == set(bench.people[:-1])


async def test_an_end_of_the_back_ends_own_is_set_and_moved(bench: Bench) -> None:
    assert bench.backend.capabilities.native_expiry == bench.expires
    for until in (UNTIL, UNTIL + timedelta(hours=1)):
        await bench.backend.grant(bench.group, bench.ana, until, "g1")
        (member,) = await bench.backend.members(bench.group)
        assert member.expires_at == (until if bench.expires else None)


async def test_who_is_unknown_is_named_and_gets_nothing(bench: Bench) -> None:
    with pytest.raises(GiveUpError, match="nobody"):
        await bench.backend.grant(bench.group, bench.nobody, UNTIL, "g1")
    await bench.backend.revoke(bench.group, bench.nobody)
    assert await bench.held() == set()


async def test_a_group_that_is_not_there_is_named(bench: Bench) -> None:
    for work in (
        bench.backend.grant(bench.no_group, bench.ana, UNTIL, "g1"),
        bench.backend.revoke(bench.no_group, bench.ana),
        bench.backend.members(bench.no_group),
        bench.backend.probe(bench.no_group),
    ):
        with pytest.raises(GiveUpError, match=r"no.such"):
            await work


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_names_get_nothing_and_break_nothing(bench: Bench, text: str) -> None:
    await bench.put(bench.bo)
    for group, account in ((bench.group, text), (text, bench.ana)):
        with pytest.raises((GiveUpError, RetryLaterError)):
            await bench.backend.grant(group, account, UNTIL, "g1")
    assert await bench.held() == {bench.bo}


async def test_the_probe_is_content_with_what_works(bench: Bench) -> None:
    assert list(await bench.backend.probe(bench.group)) == []


async def test_it_tells_how_long_a_change_takes(bench: Bench) -> None:
    """It stands in a sentence: the change takes ... to work."""
    words = bench.backend.capabilities.propagation
    assert "instantly" not in words
    assert not words.endswith(".")
    assert len(words) <= 60


async def test_a_token_refused_says_what_to_do(web_bench: Bench) -> None:
    fail(web_bench.fake, kind="status", status=401, body={}, times=9)
    with pytest.raises(GiveUpError, match=r"[Mm]ake a new"):
        await web_bench.backend.grant(web_bench.group, web_bench.ana, UNTIL, "g1")


async def test_a_missing_right_points_to_the_rights(web_bench: Bench) -> None:
    fail(web_bench.fake, kind="status", status=403, body={}, times=9)
    for work in (
        web_bench.backend.members(web_bench.group),
        web_bench.backend.grant(web_bench.group, web_bench.ana, UNTIL, "g1"),
    ):
        with pytest.raises(GiveUpError, match=r"access-backends\.md|its manager"):
            await work


async def test_being_too_fast_waits_as_long_as_was_told(web_bench: Bench) -> None:
    fail(web_bench.fake, kind="status", status=429, headers={"Retry-After": "37"}, body={})
    with pytest.raises(RetryLaterError) as caught:
        await web_bench.backend.members(web_bench.group)
    assert (caught.value.after, caught.value.throttled) == (timedelta(seconds=37), True)


@pytest.mark.parametrize("told", ["", "soon", "-5", "1e9", "9" * 30, "٣"])
async def test_a_wait_that_cannot_be_read_is_none(web_bench: Bench, told: str) -> None:
    headers = {"Retry-After": told} if told else {}
    fail(web_bench.fake, kind="status", status=503, headers=headers, body={})
    with pytest.raises(RetryLaterError) as caught:
        await web_bench.backend.members(web_bench.group)
    assert caught.value.after is None


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_fault_of_theirs_is_tried_later(web_bench: Bench, status: int) -> None:
    fail(web_bench.fake, kind="status", status=status, body={})
    with pytest.raises(RetryLaterError, match=str(status)):
        await web_bench.backend.grant(web_bench.group, web_bench.ana, UNTIL, "g1")
    await web_bench.backend.grant(web_bench.group, web_bench.ana, UNTIL, "g1")
    assert await web_bench.listed() == {web_bench.ana}


async def test_an_answer_that_never_comes_ends_in_time(web_bench: Bench) -> None:
    spoken = getattr(web_bench.backend, "_rest", None) or web_bench.backend._google
    spoken._timeout = 0.2
    fail(web_bench.fake, kind="hang")
    with pytest.raises(RetryLaterError, match=r"cannot be reached \(time-out\)"):
        await web_bench.backend.members(web_bench.group)


async def test_nobody_listens(web_bench: Bench) -> None:
    key = "url" if "okta" in type(web_bench.backend).__module__ else "api_url"
    away = web_bench.reopen(**{key: "http://127.0.0.1:9/"})
    with pytest.raises(RetryLaterError, match="cannot be reached"):
        await away.members(web_bench.group)


async def test_an_answer_lost_after_the_work_is_told_as_unsure(web_bench: Bench) -> None:
    await web_bench.put(web_bench.ana)
    verb = "POST" if "google" in type(web_bench.backend).__module__ else "DELETE"
    verb = "DELETE" if "google_group" in type(web_bench.backend).__module__ else verb
    fail(web_bench.fake, kind="drop_after", verb=verb, times=3)
    with pytest.raises(RetryLaterError) as caught:
        await web_bench.backend.revoke(web_bench.group, web_bench.ana)
    assert caught.value.unsure
    web_bench.fake.faults.clear()
    await web_bench.backend.revoke(web_bench.group, web_bench.ana)
    assert await web_bench.held() == set()


async def test_an_answer_that_is_none_is_tried_later(web_bench: Bench) -> None:
    fail(web_bench.fake, kind="nonsense")
    with pytest.raises(RetryLaterError, match="read"):
        await web_bench.backend.members(web_bench.group)


async def test_a_yes_that_did_nothing_is_seen_in_the_members(web_bench: Bench) -> None:
    await web_bench.put(web_bench.bo)
    for verb in ("PUT", "POST", "DELETE"):
        fail(web_bench.fake, kind="lie", verb=verb, times=9)
    await web_bench.backend.grant(web_bench.group, web_bench.ana, UNTIL, "g1")
    await web_bench.backend.revoke(web_bench.group, web_bench.bo)
    assert await web_bench.listed() == {web_bench.bo}
