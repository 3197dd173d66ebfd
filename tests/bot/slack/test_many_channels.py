"""A workspace with more channels than Slack lets be listed in a minute."""

import asyncio
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.slack.api import SlackApi, SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.places import Places

PAGES = 10


class Limited(SlackApi):
    """Lists one channel a page, and refuses each call after so many."""

    def __init__(self, at_once: int) -> None:
        super().__init__(AsyncWebClient())
        self.at_once = self.left = at_once
        self.asked: list[str] = []
        self.forgets = False

    async def read(self, method: str, **arguments: Any) -> Json:
        assert method == "conversations.list"
        await asyncio.sleep(0)  # noqa: TID251 - another task's turn
        if not self.left:
            self.left = self.at_once
            raise RetryLaterError("rate limited", throttled=True)
        if arguments["cursor"] and self.forgets:
            self.forgets = False
            raise SlackRefusedError("invalid_cursor", "conversations.list: invalid_cursor")
        self.left -= 1
        self.asked.append(arguments["cursor"])
        at = int(arguments["cursor"] or 0)
        more = str(at + 1) if at + 1 < PAGES else ""
        channel = {"name": f"c{at}", "id": f"C{at}"}
        return {"channels": [channel], "response_metadata": {"next_cursor": more}}


async def until_found(places: Places, name: str, tries: int = 10) -> str:
    for _ in range(tries):
        try:
            return await places.channel(name)
        except RetryLaterError:
            continue
    raise AssertionError(f"{name} was not found in {tries} tries")


async def test_the_last_of_many_channels_is_found_though_slack_stops_the_listing() -> None:
    api = Limited(at_once=3)
    places = Places(api)
    assert await until_found(places, "c9") == "C9"
    assert len(api.asked) == PAGES
    assert await until_found(places, "c0") == "C0"
    with pytest.raises(GiveUpError, match="no channel #nowhere"):
        await until_found(places, "nowhere")


async def test_what_lies_before_where_a_listing_stopped_is_found_too() -> None:
    api = Limited(at_once=100)
    places = Places(api)
    assert await places.channel("c5") == "C5"
    assert await places.moved("c3") == "C3"
    assert len(api.asked) == PAGES + 4


async def test_a_place_in_the_list_that_slack_forgot_is_no_end() -> None:
    api = Limited(at_once=3)
    places = Places(api)
    with pytest.raises(RetryLaterError):
        await places.channel("c9")
    api.forgets = True
    with pytest.raises(RetryLaterError, match="begun anew"):
        await places.channel("c9")
    assert await until_found(places, "c9") == "C9"


async def test_many_who_look_at_once_list_the_channels_once() -> None:
    api = Limited(at_once=100)
    places = Places(api)
    async with asyncio.TaskGroup() as tasks:
        for number in range(PAGES):
            tasks.create_task(places.channel(f"c{number}"))
    assert len(api.asked) == PAGES


async def test_who_waits_for_a_listing_that_fails_does_not_ask_once_more() -> None:
    api = Limited(at_once=100)
    api.left = 0
    places = Places(api)
    found = await asyncio.gather(
        *(places.channel(f"c{number}") for number in range(PAGES)), return_exceptions=True
    )
    assert [str(one) for one in found] == ["rate limited"] * PAGES
    assert api.asked == []
    assert await places.channel("c9") == "C9"
