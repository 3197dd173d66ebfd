"""Emptying a group in an emergency: whom it takes out, what it claims, and what it cannot know."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from bot.access.emergency import TRIES, Emptying, empty
from bot.access.sync import Place
from bot.ports.access import Capabilities, Member
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.access.group import AccessGroup
from tests.bot.slack.samples import NOW
from tests.fakes.clock import FakeClock

GROUP = AccessGroup(name="admins", owned=True, dry_run=False, permanent=("Root@example.com",))


class Backend:
    """A back-end in memory; `deaf` says yes and does nothing, `hides` shows nobody, `failing` fails so many calls."""

    def __init__(self, *accounts: str, lists: bool = True) -> None:
        self.accounts = list(accounts)
        self.deaf = False
        self.failing: list[Exception] = []
        self.hopeless: set[str] = set()
        self.blind = False
        self.hides = False
        self.capabilities = Capabilities(can_list=lists)

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:
        raise AssertionError("nobody is put in here")

    async def revoke(self, group: str, account: str) -> None:
        if self.failing:
            raise self.failing.pop()
        if account in self.hopeless:
            raise GiveUpError("403: not allowed")
        if not self.deaf:
            self.accounts = [a for a in self.accounts if a.lower() != account.lower()]

    async def members(self, group: str) -> Sequence[Member]:
        if self.blind:
            raise RetryLaterError("500")
        return [] if self.hides else [Member(account) for account in self.accounts]

    async def close(self) -> None: ...


class Hurried(FakeClock):
    """A clock on which nobody waits."""

    async def sleep_until(self, when: datetime) -> None:
        self.set(max(self.now(), when))


@pytest.fixture
def clock() -> FakeClock:
    return Hurried(NOW)


def it(backend: Backend, known: Sequence[str] | None = (), **more: Any) -> Emptying:
    group = replace(GROUP, **{k: v for k, v in more.items() if k != "everybody"})
    everybody = more.get("everybody", False)
    return Emptying(group=group, place=Place(backend, "g"), known=known, everybody=everybody)


async def test_of_an_owned_group_all_but_the_permanent_go_without_any_ledger(
    clock: FakeClock,
) -> None:
    backend = Backend("ana@example.com", "eve@example.com", "root@example.com")
    done = await empty(it(backend, None), clock)
    assert done.done
    assert done.gone == ["ana@example.com", "eve@example.com"]
    assert backend.accounts == ["root@example.com"]


async def test_of_a_shared_group_only_ours_go(clock: FakeClock) -> None:
    backend = Backend("Ana@example.com", "eve@example.com")
    done = await empty(it(backend, ["ana@example.com", "bo@example.com"], owned=False), clock)
    assert done.done
    assert done.gone == ["ana@example.com"]
    assert backend.accounts == ["eve@example.com"]


async def test_who_is_ours_and_not_shown_is_taken_out_too(clock: FakeClock) -> None:
    backend = Backend("ana@example.com")
    backend.hides = True
    done = await empty(it(backend, ["ana@example.com"], owned=False), clock)
    assert (done.done, done.gone, backend.accounts) == (True, [], [])
    backend = Backend("ana@example.com")
    backend.hides, backend.hopeless = True, {"ana@example.com"}
    told = await empty(it(backend, ["ana@example.com"], owned=False), clock)
    assert told.left == {"ana@example.com": "403: not allowed"}


async def test_of_a_shared_group_without_a_ledger_it_says_what_it_cannot_know(
    clock: FakeClock,
) -> None:
    backend = Backend("ana@example.com", "eve@example.com")
    told = await empty(it(backend, None, owned=False), clock)
    assert not told.done
    assert "In it: ana@example.com, eve@example.com" in told.trouble
    assert backend.accounts == ["ana@example.com", "eve@example.com"]
    all_out = await empty(it(backend, None, owned=False, everybody=True), clock)
    assert all_out.done
    assert backend.accounts == []


async def test_a_group_in_dry_run_counts_as_shared(clock: FakeClock) -> None:
    backend = Backend("eve@example.com")
    assert (await empty(it(backend, (), dry_run=True), clock)).gone == []
    assert backend.accounts == ["eve@example.com"]


async def test_a_yes_that_does_nothing_is_not_believed(clock: FakeClock) -> None:
    backend = Backend("ana@example.com")
    backend.deaf = True
    told = await empty(it(backend), clock)
    assert told.left == {"ana@example.com": "the back-end still shows them"}
    assert told.gone == []
    assert not told.done


async def test_trouble_that_passes_is_tried_through_and_one_that_does_not_is_said(
    clock: FakeClock,
) -> None:
    backend = Backend("ana@example.com", "bo@example.com")
    backend.failing = [RetryLaterError("503") for _ in range(TRIES - 1)]
    backend.hopeless = {"bo@example.com"}
    seen: list[tuple[int, int]] = []
    told = await empty(it(backend), clock, lambda done, of: seen.append((done, of)))
    assert told.gone == ["ana@example.com"]
    assert told.left == {"bo@example.com": "403: not allowed"}
    assert seen == [(0, 2), (1, 2), (2, 2)]


async def test_members_that_cannot_be_read_are_never_called_gone(clock: FakeClock) -> None:
    backend = Backend("ana@example.com")
    backend.blind = True
    told = await empty(it(backend, ["ana@example.com"]), clock)
    assert not told.done
    assert told.gone == []
    assert "ana@example.com" in told.left
    assert backend.accounts == []
