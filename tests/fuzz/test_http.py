"""Whatever is sent to it, the server answers, soon, and never with a fault of its own."""

import gc
import logging
import random
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from bot.app.pages import page_sessions
from bot.config.settings import environment
from bot.sources.registry import KINDS
from tests.bot.app.conftest import CONFIG, Running, started
from tests.fuzz.wire import Answered, Attacker, Door, ask, delivery_of

REQUESTS = int(environment().get("FUZZ_REQUESTS", "240"))
SEED = int(environment().get("FUZZ_SEED", "7"))
_OPTIONS = {
    "sns": ", options: {{topics: ['arn:aws:sns:eu-west-1:1:t']}}",
    "gcp_logging": ", options: {{audience: 'https://w.example', email: 'a@b.example'}}",
}
_OURS = "".join(
    f"  - {{{{name: {kind}, kind: {kind}, secret: s3cret{_OPTIONS.get(kind, '')}}}}}\n"
    for kind in KINDS
    if kind not in {"generic", "alertmanager"}
)
EVERY_KIND = CONFIG.replace("people:\n", _OURS + "people:\n")
ALLOWED = {"/readyz": {503}}
"""It says what is not ready: that is no fault."""


@pytest.fixture
async def whole(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    async with started(database_url, tmp_path, config=EVERY_KIND) as one:
        yield one


def doors(running: Running) -> Sequence[Door]:
    served = running.app._web().router.routes()
    return sorted(
        {
            Door(route.method, route.resource.canonical)
            for route in served
            if route.resource is not None and route.method != "HEAD"
        },
        key=lambda door: (door.path, door.method),
    )


def attacker(running: Running, seed: int) -> Attacker:
    config, clock = running.app.setting.config, running.app.setting.clock
    sessions = page_sessions(config, clock)
    answer = web.Response()
    sessions.sign_in(answer, "ana@example.com")
    cookie = f"{sessions.cookie}={answer.cookies[sessions.cookie].value}"
    return Attacker(
        doors(running), sorted(KINDS), random.Random(seed), cookies=(cookie, "watchbill=x.y", ";=;")
    )


def port_of(running: Running) -> int:
    return int(running.app.url.rsplit(":", 1)[1])


def _is_told_to_wait(answer: Answered) -> bool:
    """Some senders are told to wait by 503, as they give up at 429."""
    return answer.status == 503 and b"requests" in answer.body


async def test_no_request_meets_a_fault_and_nothing_accepted_is_lost(whole: Running) -> None:
    hostile, port = attacker(whole, SEED), port_of(whole)
    seen: Counter[int] = Counter()
    accepted: set[str] = set()
    opened: set[str] = set()
    for number in range(REQUESTS):
        request = hostile.request(number)
        answer = await ask(port, request)
        seen[answer.status] += 1
        allowed = answer.status in ALLOWED.get(request.door.path, set()) or _is_told_to_wait(answer)
        assert answer.status < 500 or allowed, (
            f"{answer.status} {answer.body[:300]!r} for {request.raw[:2_000]!r}"
        )
        if request.whole:
            opened.add(request.door.path)
        if found := delivery_of(answer):
            accepted.add(found)
    assert opened == {door.path for door in hostile.doors}
    assert {200, 202, 303, 401, 404} <= set(seen), seen
    stored = [await whole.app.store.reader.delivery(one) for one in accepted]
    assert len(stored) > REQUESTS // 30
    assert all(stored)
    # Also what came last is understood, and the bot still works.
    assert await whole.post("generic", {"title": "still here", "key": "still"}) == 202
    await whole.until_said("data-alerts", "still here")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_is_refused_or_read_leaves_nothing_behind(whole: Running) -> None:
    port, each = port_of(whole), REQUESTS // 2

    async def again() -> int:
        """Send the same requests as each time before; return what is held then."""
        hostile = attacker(whole, SEED + 1)
        for number in range(each):
            await ask(port, hostile.request(number, accepted=False))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    logging.disable(logging.CRITICAL)  # else pytest keeps each record, with all it refers to
    tracemalloc.start()
    try:
        held = [await again() for _ in range(5)]
    finally:
        tracemalloc.stop()
        logging.disable(logging.NOTSET)
    # What was sent before fills no cache any more, so that one small body a request would be seen.
    grown = min(later - earlier for earlier, later in pairwise(held))
    assert grown < 300 * each, f"{grown:,} bytes more after {each} requests"
