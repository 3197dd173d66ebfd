"""A small document is fetched within its bounds, from a real server on the loopback."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sources import fetch as module
from bot.sources.fetch import LIMIT, FetchError, fetch


async def _answer(request: web.Request) -> web.StreamResponse:
    match request.match_info["what"]:
        case "good":
            return web.Response(text="a key")
        case "limit":
            return web.Response(body=b"x" * LIMIT)
        case "large":
            return web.Response(body=b"x" * (LIMIT + 1))
        case "redirect":
            raise web.HTTPFound("/good")
        case "hangs":
            await asyncio.Event().wait()
    raise web.HTTPServiceUnavailable


@pytest.fixture
async def server() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_get("/{what}", _answer)
    made = TestServer(app, host="127.0.0.1")
    await made.start_server(shutdown_timeout=0.01)
    yield str(made.make_url("/"))
    await made.close()


async def test_a_small_document_is_fetched(server: str) -> None:
    assert await fetch(f"{server}good") == b"a key"
    assert len(await fetch(f"{server}limit")) == LIMIT


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("large", "larger than 65,536 bytes"),
        ("redirect", "answered 302"),
        ("gone", "answered 503"),
    ],
)
async def test_what_cannot_be_used_is_told(server: str, what: str, why: str) -> None:
    with pytest.raises(FetchError, match=why):
        await fetch(f"{server}{what}")


async def test_a_server_that_hangs_is_left(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.05)
    with pytest.raises(FetchError, match=r"no answer within 0\.05 s"):
        await fetch(f"{server}hangs")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "not an address", "ftp://127.0.0.1/x"])
async def test_an_address_where_nobody_is(url: str) -> None:
    with pytest.raises(FetchError):
        await fetch(url)
