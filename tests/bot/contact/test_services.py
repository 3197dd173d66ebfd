"""Each service over a real connection: what is sent, and what follows whatever it answers."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import aiohttp
import pytest

from bot.contact import calling
from bot.contact.ntfy import Ntfy, NtfyServer
from bot.contact.pushover import Pushover, PushoverApp
from bot.contact.twilio import PhoneCall, TextMessage, TwilioAccount, twilio_service
from bot.contact.webhook import Hook, PersonalWebhook
from bot.ports.contact import Backend, Sent
from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.contact.samples import ACK, SINCE, summons
from tests.fakes.services import (
    NTFY_TOKEN,
    PUSHOVER_TOKEN,
    PUSHOVER_USER,
    SID,
    TOKEN,
    Services,
    breaks_off,
    refuses,
)

SENDER = "+15550001111"
ADDRESSES = {
    "sms": "+4917012345678",
    "call": "+4917012345678",
    "pushover": PUSHOVER_USER,
    "ntfy": "ana-pages",
    "hook": "pager",
}
KINDS = tuple(ADDRESSES)


def backend(kind: str, at: Services, session: aiohttp.ClientSession) -> Backend:
    account = TwilioAccount(sid=SID, token=TOKEN, sender=SENDER, url=at.url)
    made: dict[str, Callable[[], Backend]] = {
        "sms": lambda: TextMessage(twilio_service(account, session), SENDER),
        "call": lambda: PhoneCall(twilio_service(account, session), SENDER),
        "pushover": lambda: Pushover(PushoverApp(token=PUSHOVER_TOKEN, url=at.url), session),
        "ntfy": lambda: Ntfy(NtfyServer(url=at.url, token=NTFY_TOKEN), session),
        "hook": lambda: PersonalWebhook({"pager": Hook(f"{at.url}/hook", "s3cret")}, session),
    }
    return made[kind]()


async def sent(kind: str, at: Services, session: aiohttp.ClientSession, **more: object) -> Sent:
    its = summons(**{"address": ADDRESSES[kind], **more})
    return await backend(kind, at, session).send(its)


async def taken_unheard(kind: str, at: Services, session: aiohttp.ClientSession) -> None:
    """Send a page that the service takes, and lose its answer."""
    at.faults, at.taken = [breaks_off], True
    with pytest.raises(RetryLaterError):
        await sent(kind, at, session)


@pytest.mark.parametrize("kind", KINDS)
async def test_each_service_takes_a_page(
    kind: str, services: Services, session: aiohttp.ClientSession
) -> None:
    found = await sent(kind, services, session)
    assert found.provider_id
    assert len(services.of(kind)) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [500, 502, 503])
async def test_trouble_is_tried_again_and_may_have_gone_out(
    kind: str, status: int, services: Services, session: aiohttp.ClientSession
) -> None:
    services.faults = [refuses(status)]
    with pytest.raises(RetryLaterError, match=str(status)) as caught:
        await sent(kind, services, session)
    assert caught.value.unsure
    assert not caught.value.throttled


@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_that_says_wait_is_waited_for(
    kind: str, services: Services, session: aiohttp.ClientSession
) -> None:
    services.faults = [refuses(429, Retry_After="7"), refuses(429), refuses(429, Retry_After="x")]
    for wait in (7, 30, 30):
        with pytest.raises(RetryLaterError) as caught:
            await sent(kind, services, session)
        assert (caught.value.throttled, caught.value.after) == (True, timedelta(seconds=wait))
        assert not caught.value.unsure


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refusal_is_for_good_and_says_why(
    kind: str, services: Services, session: aiohttp.ClientSession
) -> None:
    services.faults = [refuses(400, {"message": "Invalid\nnumber", "code": 21211})]
    with pytest.raises(GiveUpError, match=r"answered 400 \(.*Invalid number \[21211\]\)"):
        await sent(kind, services, session)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broken_connection_may_have_carried_it(
    kind: str, services: Services, session: aiohttp.ClientSession
) -> None:
    services.faults, services.taken = [breaks_off], True
    with pytest.raises(RetryLaterError) as caught:
        await sent(kind, services, session)
    assert caught.value.unsure


@pytest.mark.parametrize("kind", KINDS)
async def test_a_service_that_is_not_there_has_carried_nothing(
    kind: str, session: aiohttp.ClientSession
) -> None:
    with pytest.raises(RetryLaterError, match="cannot be reached") as caught:
        await sent(kind, Services(url="http://127.0.0.1:9"), session)
    assert not caught.value.unsure


async def test_a_service_that_hangs_is_not_waited_for(
    services: Services, session: aiohttp.ClientSession
) -> None:
    services.hangs = True
    soon = calling.Service(session, "ntfy", services.url, timeout=aiohttp.ClientTimeout(total=0.1),
                           headers={"Authorization": f"Bearer {NTFY_TOKEN}"})  # fmt: skip
    with pytest.raises(RetryLaterError, match=r"did not answer \(TimeoutError\)") as caught:
        await soon.post("/", body=b"{}", headers={"Content-Type": "application/json"})
    assert caught.value.unsure


@pytest.mark.parametrize("kind", ["sms", "call", "pushover", "ntfy"])
async def test_a_wrong_key_says_what_to_correct(
    kind: str, services: Services, session: aiohttp.ClientSession
) -> None:
    account = TwilioAccount(sid=SID, token="wrong", sender=SENDER, url=services.url)
    wrong: dict[str, Backend] = {
        "sms": TextMessage(twilio_service(account, session), SENDER),
        "call": PhoneCall(twilio_service(account, session), SENDER),
        "pushover": Pushover(PushoverApp(token="wrong", url=services.url), session),
        "ntfy": Ntfy(NtfyServer(url=services.url, token="wrong"), session),
    }
    with pytest.raises(GiveUpError, match="contact"):
        await wrong[kind].send(summons(address=ADDRESSES[kind]))
    assert services.sent == []


async def test_a_text_message_says_what_to_reply(
    services: Services, session: aiohttp.ClientSession
) -> None:
    await sent("sms", services, session, title="x" * 500)
    (one,) = services.sent
    assert one["From"] == SENDER
    assert one["Body"].startswith("Watchbill P1 #42: xxx")
    assert one["Body"].endswith("... Product: orders. Reply 123456 to acknowledge.")
    assert one["Body"].isascii(), "another alphabet would make it five messages"
    assert len(one["Body"]) <= 300
    await sent("sms", services, session, code="")
    assert services.sent[1]["Body"].endswith("Open Slack to acknowledge it.")


STAKES = (("What", "a long story"), ("Product", "Orders daily"), ("Impact", "7 dashboards."),
          ("Promised by", "2026-11-23 06:00 UTC"), ("Runbook", "https://wiki.example/x"))  # fmt: skip


async def test_texts_and_calls_say_whom_it_hurts_and_by_when(
    services: Services, session: aiohttp.ClientSession
) -> None:
    await sent("sms", services, session, details=STAKES)
    assert services.sent[0]["Body"] == (
        "Watchbill P1 #42: orders failed. Product: Orders daily. Promised by: 2026-11-23 06:00 "
        "UTC. Impact: 7 dashboards. Reply 123456 to acknowledge."
    )
    assert len(services.sent[0]["Body"]) <= 160
    await sent("sms", services, session, details=STAKES, title="x" * 500)
    assert "Promised by: 2026-11-23 06:00 UTC." in services.sent[1]["Body"]
    assert len(services.sent[1]["Body"]) <= 300
    long = (("Product", "p" * 60), ("Promised by", "d" * 80), ("Impact", "i" * 80))
    await sent("sms", services, session, details=long, title="x" * 500)
    assert "Product: p" in services.sent.pop()["Body"], "what comes first is told"
    await sent("sms", services, session, details=long, title="x" * 500)
    assert len(services.sent.pop()["Body"]) <= 300
    await sent("call", services, session, details=STAKES)
    assert (
        "Incident 42, priority P 1. orders failed. Product: Orders daily. Promised by: "
        "2026-11-23 06:00 UTC. Impact: 7 dashboards. You are called because you are primary of "
        "data. Press 1 to acknowledge."
    ) in services.sent[2]["Twiml"]


async def test_a_text_message_that_would_read_otherwise_by_now_is_not_sent_twice(
    services: Services, session: aiohttp.ClientSession
) -> None:
    await taken_unheard("sms", services, session)
    await sent("sms", services, session, unsure=True, details=STAKES, title="three tables failed")
    assert len(services.sent) == 1


async def test_a_messaging_service_may_send_text_messages(
    services: Services, session: aiohttp.ClientSession
) -> None:
    account = TwilioAccount(sid=SID, token=TOKEN, sender="MG1", url=services.url)
    await TextMessage(twilio_service(account, session), "MG1").send(summons())
    assert services.sent[0]["MessagingServiceSid"] == "MG1"
    assert "From" not in services.sent[0]


async def test_an_unsure_text_message_is_looked_for_before_it_is_repeated(
    services: Services, session: aiohttp.ClientSession
) -> None:
    await taken_unheard("sms", services, session)
    again = await sent("sms", services, session, unsure=True)
    assert again.provider_id == services.sent[0]["answer"]["sid"]
    assert len(services.sent) == 1
    await sent("sms", services, session, unsure=True, code="654321")
    assert len(services.sent) == 2
    await sent("sms", services, session, unsure=True, since=SINCE + timedelta(minutes=5))
    assert len(services.sent) == 3


async def test_a_call_reads_the_page_out_and_asks_for_a_key(
    services: Services, session: aiohttp.ClientSession
) -> None:
    nasty = "</Say><Dial>+1900</Dial> & <b>\x00\x07\ud800"
    await sent("call", services, session, title=nasty)
    script = ET.fromstring(services.sent[0]["Twiml"])
    assert [child.tag for child in script] == ["Gather", "Gather", "Say"]
    assert script[0].attrib["action"] == "https://watchbill.example/contact/twilio/pressed/t.m"
    assert script[0].attrib["numDigits"] == "1"
    said = script[0][0].text or ""
    assert said.startswith("This is Watchbill. Incident 42, priority P 1. </Say><Dial>+1900</Dial>")
    assert said.endswith(
        "Product: orders. You are called because you are primary of data. Press 1 to acknowledge."
    )
    assert not list(script.iter("Dial"))
    await sent("call", services, session, others=3)
    assert (
        "3 more wait for you. Press 1 to acknowledge. Press 2 to acknowledge all 4."
        in (services.sent.pop()["Twiml"])
    )
    await sent("call", services, session, press_url="")
    assert [child.tag for child in ET.fromstring(services.sent[1]["Twiml"])] == ["Say", "Say"]


async def test_pushover_gets_an_emergency_and_is_asked_for_its_receipt(
    services: Services, session: aiohttp.ClientSession
) -> None:
    pushover = Pushover(PushoverApp(token=PUSHOVER_TOKEN, url=services.url), session)
    found = await pushover.send(summons(address=PUSHOVER_USER))
    assert found.provider_id == "receipt0"
    one = services.sent[0]
    assert (one["priority"], one["retry"], one["url"]) == ("2", "60", ACK)
    assert await pushover.acknowledged("receipt0") is False
    services.receipts["receipt0"]["acknowledged"] = 1
    assert await pushover.acknowledged("receipt0") is True
    services.receipts["receipt0"] = {"acknowledged": 0, "expired": 1}
    assert await pushover.acknowledged("receipt0") is None
    await pushover.send(summons(address=PUSHOVER_USER, key="contact:2:i1:0.0.0:ana"))
    await pushover.cancel(summons().key)
    assert services.cancelled == ["receipt0"]


async def test_an_emergency_whose_receipt_was_lost_is_silenced_as_well(
    services: Services, session: aiohttp.ClientSession
) -> None:
    await taken_unheard("pushover", services, session)
    await sent("pushover", services, session, unsure=True)
    await Pushover(PushoverApp(token=PUSHOVER_TOKEN, url=services.url), session).cancel(
        summons().key
    )
    assert services.cancelled == ["receipt0", "receipt1"]


async def test_ntfy_gets_a_button_that_acknowledges(
    services: Services, session: aiohttp.ClientSession
) -> None:
    await sent("ntfy", services, session)
    one = services.sent[0]
    assert one["topic"] == "ana-pages"
    assert one["title"] == "P1 #42: orders failed"
    assert one["priority"] == 5
    assert one["actions"] == [
        {"action": "http", "label": "Acknowledge", "url": ACK, "method": "POST", "clear": True}
    ]
    assert "Product: orders" in one["message"]
    assert "Runbook" not in one["message"]


async def test_a_long_text_of_many_bytes_is_cut_to_what_the_services_take(
    services: Services, session: aiohttp.ClientSession
) -> None:
    long = {"title": "注文" * 300, "why": "障害" * 300, "ack_url": "https://w.example/" + "x" * 600,
            "details": tuple((f"What{n}", "失敗" * 400) for n in range(7))}  # fmt: skip
    await sent("ntfy", services, session, **long)
    await sent("pushover", services, session, **long)
    ntfy, pushover = services.sent
    assert len(ntfy["message"].encode()) <= 4_096, "longer is an attachment, or refused"
    raw = {key: value for key, value in ntfy.items() if key not in {"kind", "answer", "at"}}
    assert len(json.dumps(raw, ensure_ascii=False).encode()) <= 2 * 4_096
    assert len(ntfy["message"]) > 900
    assert (len(pushover["title"]), len(pushover["message"])) <= (250, 1_024)
    assert "url" not in pushover, "one of more than 512 is refused, and the page with it"


async def test_an_unsure_notification_is_looked_for_before_it_is_repeated(
    services: Services, session: aiohttp.ClientSession
) -> None:
    await taken_unheard("ntfy", services, session)
    assert (await sent("ntfy", services, session, unsure=True)).provider_id == "ntfy0"
    await sent("ntfy", services, session, unsure=True, ack_url=f"{ACK}2")
    await sent("ntfy", services, session, unsure=True, ack_url="")
    assert len(services.sent) == 3


@pytest.mark.parametrize("kind", ["sms", "ntfy"])
@pytest.mark.parametrize("apart", [-3600, -60, -6, 6, 110])
async def test_what_was_taken_is_found_though_the_clocks_are_apart(
    kind: str, apart: int, services: Services, session: aiohttp.ClientSession
) -> None:
    services.now = midnight = datetime(2026, 11, 23, tzinfo=UTC)
    await taken_unheard(kind, services, session)
    since = midnight + timedelta(seconds=apart - 1)
    again = await sent(kind, services, session, unsure=True, since=since)
    assert len(services.sent) == 1
    more = {"unsure": True, "since": since, "recorded": frozenset({again.provider_id})}
    await sent(kind, services, session, **more)
    assert len(services.sent) == 2, "the same page by the same method once more is another one"


@pytest.mark.parametrize("kind", ["sms", "ntfy"])
async def test_where_nothing_may_be_looked_for_a_page_twice_is_better_than_none(
    kind: str, services: Services, session: aiohttp.ClientSession
) -> None:
    services.write_only = True
    await taken_unheard(kind, services, session)
    assert (await sent(kind, services, session, unsure=True)).provider_id
    assert len(services.of(kind)) == 2


async def test_a_webhook_is_signed_and_named(
    services: Services, session: aiohttp.ClientSession
) -> None:
    await sent("hook", services, session)
    raw, headers = services.sent[0]["raw"], services.headers[0]
    digest = hmac.new(b"s3cret", raw, hashlib.sha256).hexdigest()
    assert headers["X-Watchbill-Signature"] == f"sha256={digest}"
    assert headers["Idempotency-Key"] == summons().key
    body = json.loads(raw)
    assert body["acknowledge"] == {"method": "POST", "url": ACK}
    assert (body["event"], body["number"], body["person"]) == ("page", 42, "Ana")
    with pytest.raises(GiveUpError, match='no webhook "gone": add it to `webhooks`'):
        await sent("hook", services, session, address="gone")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_test_says_that_it_is_one(
    kind: str, services: Services, session: aiohttp.ClientSession
) -> None:
    empty = {"ack_url": "", "press_url": "", "status_url": "", "code": ""}
    await sent(kind, services, session, test=True, number=0, title="", **empty)
    assert services.receipts == {}, "an emergency is repeated until somebody acknowledges it"
    told = str(services.sent[0])
    assert "test" in told
    assert "#0" not in told
