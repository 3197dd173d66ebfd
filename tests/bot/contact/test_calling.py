"""What a service answers is read whole, however it travels."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contact.calling import Service
from bot.ports.delivering import GiveUpError, RetryLaterError

ANSWER = json.dumps({"pad": "x" * 150_000, "sid": "SM1"}).encode()


async def _in_pieces(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for at in range(0, len(ANSWER), 20_000):
        await response.write(ANSWER[at : at + 20_000])
        await asyncio.sleep(0)  # noqa: TID251 - so that they travel one by one
    return response


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_nested_without_end_is_none_at_all(status: int) -> None:
    async def deep(_request: web.Request) -> web.Response:
        return web.Response(status=status, body=b"[" * 200_000)

    app = web.Application()
    app.router.add_post("/", deep)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        service = Service(session, "webhook pager", str(server.make_url("")))
        if status == 200:
            assert await service.post("/", body=b"{}") is None
        else:
            with pytest.raises(GiveUpError, match="answered 400"):
                await service.post("/", body=b"{}")


@pytest.mark.parametrize("status", [408, 425, 500, 503])
async def test_what_may_work_a_moment_later_is_not_given_up(status: int) -> None:
    async def not_now(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/", not_now)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        service = Service(session, "webhook pager", str(server.make_url("")))
        with pytest.raises(RetryLaterError, match=f"answered {status}"):
            await service.post("/", body=b"{}")


async def test_an_answer_that_comes_in_pieces_names_its_message() -> None:
    app = web.Application()
    app.router.add_post("/messages", _in_pieces)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        service = Service(session, "Twilio", str(server.make_url("")))
        found = await service.post("/messages", form={"To": "+1"})
    assert found["sid"] == "SM1"
