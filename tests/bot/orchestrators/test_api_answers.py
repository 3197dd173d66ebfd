"""What an orchestrator answers is read to its end, or refused: never half of it."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.orchestrators.api import Api
from bot.ports.delivering import GiveUpError

RUNS = json.dumps({"data": [{"id": n, "cause": "x" * 2_000} for n in range(50)]}).encode()


async def _in_pieces(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for at in range(0, len(RUNS), 20_000):
        await response.write(RUNS[at : at + 20_000])
        await asyncio.sleep(0)  # noqa: TID251 - so that they travel one by one
    return response


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(400):
        await response.write(b" " * 10_000)
    return response


async def _bomb(_request: web.Request) -> web.Response:
    return web.Response(body=b"[" * 100_000, content_type="application/json")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    app = web.Application()
    app.router.add_get("/runs", _in_pieces)
    app.router.add_get("/endless", _endless)
    app.router.add_get("/bomb", _bomb)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        yield Api("tool", str(server.make_url("")), session, {})


async def test_an_answer_that_comes_in_pieces_is_read_whole(api: Api) -> None:
    reply = await api.get("/runs")
    assert len(reply.body["data"]) == 50


async def test_an_answer_without_an_end_is_given_up(api: Api) -> None:
    with pytest.raises(GiveUpError, match="too large"):
        await api.get("/endless")


async def test_an_answer_nested_without_end_is_none(api: Api) -> None:
    assert (await api.get("/bomb")).body is None
