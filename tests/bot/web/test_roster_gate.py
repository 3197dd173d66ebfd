"""Announcements of a changed roster: signed, fresh, and of our own spreadsheet."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.metrics import Metrics
from bot.web.app import WebParts, build_web
from bot.web.authentication import sign
from bot.web.hooks import Hooks, RosterHook
from bot.web.probes import Probes
from bot.web.roster_gate import roster_gate
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox

SECRET = "secret-of-the-roster"


class Door:
    def __init__(self, *, secret: str = SECRET, open_on_loopback: bool = False) -> None:
        self.clock = FakeClock()
        self.heard = 0
        gate = roster_gate(secret, "abc", open_on_loopback=open_on_loopback)
        metrics = Metrics()
        hooks = Hooks(
            {},
            inbox=FakeInbox(),
            clock=self.clock,
            metrics=metrics,
            roster=RosterHook(gate=gate, changed=self._changed),
        )
        app = build_web(WebParts(hooks=hooks, probes=Probes({}, metrics)))
        self.client = TestClient(TestServer(app, host="127.0.0.1"))

    async def post(self, body: str, *, secret: str = SECRET, **headers: str) -> tuple[int, str]:
        signed = {"X-Watchbill-Signature": sign(secret, body.encode())} if secret else {}
        answer = await self.client.post("/hooks/roster", data=body, headers={**signed, **headers})
        return answer.status, await answer.text()

    def body(self, late: float = 0, *, in_milliseconds: bool = True, **more: object) -> str:
        at = (self.clock.now() + timedelta(seconds=late)).timestamp()
        return json.dumps({"at": int(at * 1000) if in_milliseconds else int(at), **more})

    async def _changed(self) -> None:
        self.heard += 1


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    one = Door()
    async with one.client:
        yield one


async def test_a_signed_and_fresh_word_is_heard(door: Door) -> None:
    assert (await door.post(door.body(id="abc", kind="EDIT")))[0] == 202
    assert (await door.post(door.body(in_milliseconds=False)))[0] == 202
    assert (await door.post(door.body(-299)))[0] == 202
    assert door.heard == 3


async def test_an_old_word_or_one_from_the_future_is_not(door: Door) -> None:
    for late in (-301, 301, -86_400):
        status, text = await door.post(door.body(late))
        assert status == 401
        assert "more than 5 minutes from this machine's clock" in text
    assert door.heard == 0


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "null", '{"at": "now"}', '{"at": true}', '{"at": 1.5}', "[" * 9_000]
)
async def test_a_word_without_its_time_is_not(door: Door, body: str) -> None:
    assert (await door.post(body))[0] == 401
    assert door.heard == 0


async def test_only_the_signature_lets_in(door: Door) -> None:
    body = door.body()
    assert (await door.post(body, secret="another"))[0] == 401
    assert (await door.post(body, secret=""))[0] == 401
    assert (await door.post(body, secret="", Authorization=f"Bearer {SECRET}"))[0] == 401
    assert door.heard == 0


async def test_another_spreadsheet_is_none_of_ours(door: Door) -> None:
    status, text = await door.post(door.body(id="xyz"))
    assert (status, door.heard) == (401, 0)
    assert "not the spreadsheet" in text


async def test_the_local_mode_needs_no_secret() -> None:
    door = Door(secret="", open_on_loopback=True)
    async with door.client:
        assert (await door.post("{}", secret=""))[0] == 202
        proxied = await door.post("{}", secret="", **{"X-Forwarded-For": "192.0.2.1"})
        assert proxied[0] == 401
    assert door.heard == 1
