"""What a webhook answers is believed within bounds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.ports.jobs import Job, JobPriority
from bot.webhook import WebhookDeliverer
from tests.bot.store.samples import incident
from tests.fakes.reader import FakeReader

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("9" * 30, 30), ("9" * 5_000, 30), ("²", 30), ("-1", 30), ("soon", 30), ("", 30)],
)
async def test_an_odd_wish_to_wait_is_no_fault(said: str, seconds: int) -> None:
    async def busy(_request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": said})

    app = web.Application()
    app.router.add_post("/", busy)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        deliverer = WebhookDeliverer(session, {}, FakeReader())
        with pytest.raises(RetryLaterError) as caught:
            await deliverer._post("pager", str(server.make_url("/")), b"{}", {})
    assert caught.value.after == timedelta(seconds=seconds)


@pytest.mark.parametrize("status", [408, 425, 500])
async def test_what_may_work_a_moment_later_is_not_given_up(status: int) -> None:
    async def not_now(_request: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/", not_now)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        deliverer = WebhookDeliverer(session, {}, FakeReader())
        with pytest.raises(RetryLaterError, match=f"answered {status}"):
            await deliverer._post("pager", str(server.make_url("/")), b"{}", {})


async def test_what_an_older_configuration_lacks_is_left_to_others_before_it_is_given_up() -> None:
    """A replica that does not know the webhook yet must not end the step that rings a phone."""
    called = incident(1, NOW)
    job = Job(
        id="1",
        key="step",
        kind="webhook",
        lane="",
        priority=JobPriority.PAGE,
        payload={"webhook": "phone"},
        incident_id=called.id,
        due_at=NOW,
        created_at=NOW,
        first_attempt_at=NOW,
        attempts=1,
        lease=1,
        leased_until=NOW,
        revision=0,
        unsure=False,
    )
    async with aiohttp.ClientSession() as session:
        deliverer = WebhookDeliverer(session, {}, FakeReader(called))
        with pytest.raises(RetryLaterError, match="webhook phone is not configured") as later:
            await deliverer.deliver(job)
        with pytest.raises(GiveUpError, match="webhook phone is not configured"):
            await deliverer.deliver(replace(job, attempts=10))
    assert later.value.ours
