"""Alarms past Slack: a person is reached by every way they have, and one that works is enough."""

import aiohttp
import pytest

from bot.app.bell import Bell, PersonTarget
from bot.contact.ntfy import Ntfy, NtfyServer
from bot.contact.pushover import Pushover, PushoverApp
from bot.contact.twilio import PhoneCall, TextMessage, TwilioAccount, twilio_service
from rules.contacting.method import Method
from tests.bot.app.test_canary import RunningClock
from tests.fakes.services import NTFY_TOKEN, PUSHOVER_TOKEN, SID, TOKEN, Services, refuses, running

TEXT = "Watchbill on host-1 may not be able to page anybody: Slack <has> not taken it."
ALARM = {"kind": "canary", "state": "alarm", "text": TEXT}


def bell(services: Services, session: aiohttp.ClientSession) -> Bell:
    account = TwilioAccount(sid=SID, token=TOKEN, sender="+15550001111", url=services.url)
    twilio = twilio_service(account, session)
    ntfy = Ntfy(NtfyServer(url=services.url, token=NTFY_TOKEN), session)
    pushover = Pushover(PushoverApp(token=PUSHOVER_TOKEN, url=services.url), session)
    target = PersonTarget(
        "Ana",
        {
            Method.SMS: (TextMessage(twilio, account.sender), "+4917012345678"),
            Method.VOICE: (PhoneCall(twilio, account.sender), "+4917012345678"),
            Method.PUSHOVER: (pushover, "u" * 30),
            Method.NTFY: (ntfy, "ana-pages"),
        },
        {Method.PUSHOVER: pushover},
    )
    return Bell(session, {"ana": target}, RunningClock())


async def test_an_alarm_goes_by_every_way_and_says_what_is_wrong() -> None:
    async with running(Services()) as services, aiohttp.ClientSession() as session:
        assert await bell(services, session).ring(ALARM, "k") == ["ana"]
    by_kind = {one["kind"]: one for one in services.sent}
    assert set(by_kind) == {"sms", "call", "pushover", "ntfy"}
    assert (by_kind["pushover"]["priority"], by_kind["ntfy"]["priority"]) == ("2", 5)
    assert TEXT in by_kind["sms"]["Body"]
    assert TEXT in by_kind["ntfy"]["message"]
    assert "Slack &lt;has&gt; not taken it" in by_kind["call"]["Twiml"]
    assert "#0" not in str(services.sent)


async def test_nobody_is_called_for_good_news() -> None:
    clear = {**ALARM, "state": "clear", "text": "All clear."}
    async with running(Services()) as services, aiohttp.ClientSession() as session:
        await bell(services, session).ring(clear, "k")
    by_kind = {one["kind"]: one for one in services.sent}
    assert set(by_kind) == {"sms", "pushover", "ntfy"}
    assert "priority" not in by_kind["pushover"], "an emergency rings until it is acknowledged"
    assert by_kind["ntfy"]["priority"] == 3


async def test_good_news_ends_what_the_alarm_began() -> None:
    clear = {**ALARM, "state": "clear", "text": "All clear."}
    async with running(Services()) as services, aiohttp.ClientSession() as session:
        rung = bell(services, session)
        await rung.ring(ALARM, "alarm.0")
        await rung.ring(ALARM, "alarm.1")
        assert services.cancelled == []
        await rung.ring(clear, "clear")
    emergencies = [one["answer"]["receipt"] for one in services.of("pushover")[:2]]
    assert services.cancelled == emergencies


@pytest.mark.parametrize(("broken", "reached"), [(3, ["ana"]), (12, [])])
async def test_one_way_that_works_is_enough(broken: int, reached: list[str]) -> None:
    faults = [refuses(500) for _ in range(broken)]
    async with running(Services(faults=faults)) as services, aiohttp.ClientSession() as session:
        assert await bell(services, session).ring(ALARM, "k") == reached
    assert len(services.sent) == len(reached)
