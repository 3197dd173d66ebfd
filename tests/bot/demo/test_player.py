"""A viewer may be faster than the story: it goes on without what is no longer there."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.demo.beats import (
    LATE,
    PICTURE,
    PRIMARY,
    RESOLVED,
    SECONDARY,
    Beat,
    Press,
    SplitOff,
    Until,
)
from bot.demo.player import Player, StoryError
from bot.demo.stage import Stage
from bot.demo.watching import Kind, Seen, Watcher
from bot.slack.views.consequences import SPLIT_OFF
from bot.workspace.model import Message
from bot.workspace.records import Change
from bot.workspace.state import Workspace
from tests.bot.demo.test_checks import seen

SPLIT = Beat(minute=0, text="", deed=SplitOff(SECONDARY, LATE, "unique on fct_orders"))


@pytest.fixture
def watcher() -> Watcher:
    return Watcher(Workspace(), "UTC")


def player(watcher: Watcher, *, strict: bool) -> Player:
    clock = SystemClock(speed=1000.0)
    stage = SimpleNamespace(
        night=lambda _: clock.now() - timedelta(hours=1),
        clock=clock,
        speed=1000.0,
        watcher=watcher,
        names={PRIMARY: "Ana", SECONDARY: "Bo"},
        cast={PRIMARY: "ana", SECONDARY: "bo"},
    )
    made = Player(
        cast("Stage", stage),
        cast("aiohttp.ClientSession", None),
        tell=lambda _: None,
        strict=strict,
    )
    made.played.numbers[LATE] = 1
    return made


def test_an_incident_that_never_came_is_named(watcher: Watcher) -> None:
    with pytest.raises(StoryError, match="'double' was never opened"):
        player(watcher, strict=False).words("{primary} takes {double}.")


async def test_without_the_button_only_a_viewers_night_goes_on(watcher: Watcher) -> None:
    await player(watcher, strict=False).play(SPLIT)
    with pytest.raises(StoryError, match="no button to split 'unique on fct_orders' off #1"):
        await player(watcher, strict=True).play(SPLIT)


async def test_a_button_that_comes_late_is_waited_for() -> None:
    workspace = Workspace()
    workspace.add_user(name="bo")
    channel = workspace.add_channel(name="data-alerts")
    ticks = {
        "type": "actions",
        "block_id": "step:0",
        "elements": [{"type": "button", "action_id": "runbook_worked"}],
    }
    channel.messages["2"] = Message(channel.id, "2", "U0BOT", blocks=[ticks])

    class Late(Watcher):
        def notes(self, number: int, action: str = "") -> Iterator[Seen]:
            asyncio.get_running_loop().call_soon(self.come)
            return super().notes(number, action)

        def come(self) -> None:
            self.see([seen(Kind.NOTE, 1, 1, channel=channel.id, ts="2")])
            workspace.changed(Change("message", channel.id))

    beat = Beat(minute=0, text="", deed=Press(SECONDARY, LATE, "runbook_worked", "step:0"))
    with pytest.raises(StoryError, match="bo's click was not answered"):
        await player(Late(workspace, "UTC"), strict=True).play(beat)


@pytest.mark.parametrize("thread", [PICTURE, SPLIT_OFF])
async def test_nothing_more_is_awaited_in_the_thread_of_what_is_resolved(
    watcher: Watcher, thread: str
) -> None:
    watcher.see([seen(Kind.ROOT, 1, 1, lines=(f"{RESOLVED} broken", ""))])
    beat = Beat(minute=0, text="", until=(Until(about=LATE, thread=thread),))
    async with asyncio.timeout(5):
        await player(watcher, strict=False).play(beat)


async def test_what_comes_into_the_thread_is_seen(watcher: Watcher) -> None:
    watcher.see([
        seen(Kind.ROOT, 1, 1),
        seen(Kind.NOTE, 1, 1, ts="2", pictures=("Blast radius",), actions=frozenset()),
        seen(Kind.NOTE, 1, 2, ts="3", actions=frozenset({SPLIT_OFF})),
    ])  # fmt: skip
    until = tuple(Until(about=LATE, thread=thread) for thread in (PICTURE, SPLIT_OFF))
    await player(watcher, strict=True).play(Beat(minute=0, text="", until=until))
