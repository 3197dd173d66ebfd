"""The doors over real HTTP: what acknowledges, what only asks, and who is let in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from twilio.request_validator import RequestValidator

from bot.contact import doors
from bot.contact.answering import Answering
from bot.contact.doors import DoorParts, Doors
from bot.contact.links import Claim, Links
from bot.contact.replies import Replies
from bot.contact.twilio import signature
from bot.ports.contact import Attempt, Result
from bot.ports.inbox import NotStoredError
from bot.web.answers import errors_as_json, harden
from rules.contacting.method import Method
from rules.incident import Incident, State
from rules.people import People, Person
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox

TOKEN = "twilio-auth-token"
ANA = Person("ana", "Ana <b>", "ana@example.com", phone="+4917012345678")
BASE = "https://watchbill.example"
CLAIM = Claim("ana", "i1", "i1:0.0.0:ana", Method.EMAIL)


@dataclass
class Bench:
    """The doors, an incident behind them, and what a service told later."""

    clock: FakeClock
    at: Incident | None
    inbox: FakeInbox = field(default_factory=FakeInbox)
    told: list[tuple[str, str, Result, str]] = field(default_factory=list)
    unknown: int = 0
    broken: bool = False
    forgets: bool = False
    is_slow: bool = False
    also: list[Incident] = field(default_factory=list)
    client: TestClient[web.Request, web.Application] = field(init=False)
    links: Links = field(init=False)

    async def incident(self, incident_id: str) -> Incident | None:
        if self.broken:
            raise NotStoredError("the disk is full")
        # what was accepted has been decided by the time somebody looks again
        decided = bool(self.inbox.deliveries) and not self.is_slow
        if self.at and decided and self.at.state is State.TRIGGERED:
            self.at = self.at.ack("ana", self.clock.now(), None)
        for one in self.also:
            if one.id == incident_id:
                return (
                    one.ack("ana", self.clock.now(), None)
                    if len(self.inbox.deliveries) > 1 and not self.is_slow
                    else one
                )
        return self.at if self.at and self.at.id == incident_id else None

    async def incidents(self, *, states: list[State], limit: int) -> list[Incident]:
        known = [*([self.at] if self.at else []), *self.also]
        return [one for one in known if one.state in states][:limit]

    async def attempts(self, incident_id: str) -> list[Attempt]:
        now = self.clock.now()
        one = Attempt(
            incident_id=incident_id, page=CLAIM.page, person="ana", method=Method.SMS, step=1,
            attempt=1, at=now, changed_at=now, result=Result.SENT,
        )  # fmt: skip
        return [one]

    async def told_later(self, incident_id: str, sid: str, result: Result, why: str) -> bool:
        if self.forgets:
            raise NotStoredError("the disk is full")
        self.told.append((incident_id, sid, result, why))
        self.unknown -= 1
        return self.unknown < 0

    async def twilio(
        self, url: str, form: dict[str, str], *, sign: str | None = None
    ) -> aiohttp.ClientResponse:
        """Post a form as Twilio does, signed by Twilio's own code."""
        given = RequestValidator(TOKEN).compute_signature(url, form) if sign is None else sign
        path = url.removeprefix(BASE)
        headers = {"X-Twilio-Signature": given}
        return await self.client.post(path, data=form, headers=headers)


Open = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def opened(clock: FakeClock) -> AsyncIterator[Open]:
    clients: list[TestClient[web.Request, web.Application]] = []

    async def open_doors(token: str = TOKEN, base: str = BASE, **more: object) -> Bench:
        facts = {"id": "i1", "title": "orders <script> failed", "paged": ("ana",), **more}
        known = incident(42, clock.now(), **facts)
        bench = Bench(clock, known)
        people = People([ANA])
        links = bench.links = Links("secret", base, clock)
        answering = Answering(bench.inbox, bench, clock, lambda key: people.by_key(key).name)  # type: ignore[arg-type]
        parts = DoorParts(
            links=links,
            answering=answering,
            replies=Replies(links, answering, people, bench, bench),  # type: ignore[arg-type]
            told_later=bench.told_later,
            clock=clock,
            twilio_token=token,
        )
        app = web.Application(middlewares=[errors_as_json])
        app.on_response_prepare.append(harden)
        app.router.add_routes(Doors(parts).routes())
        client = bench.client = TestClient(TestServer(app))
        clients.append(client)
        await client.start_server()
        return bench

    yield open_doors
    for client in clients:
        await client.close()


def ack_path(bench: Bench) -> str:
    return bench.links.ack(CLAIM, bench.clock.now()).removeprefix(BASE)


async def test_looking_at_a_link_acknowledges_nothing(opened: Open) -> None:
    bench = await opened()
    for method in ("GET", "HEAD"):
        answer = await bench.client.request(method, ack_path(bench))
        assert answer.status == 200
    text = await (await bench.client.get(ack_path(bench))).text()
    assert bench.inbox.deliveries == []
    assert "#42: orders &lt;script&gt; failed" in text
    assert '<form method="post"><button type="submit">Acknowledge</button></form>' in text
    assert "<script" not in text


async def test_the_pages_are_kept_nowhere_and_lead_nowhere(opened: Open) -> None:
    bench = await opened()
    headers = (await bench.client.get(ack_path(bench))).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy


async def test_the_button_acknowledges_and_says_so(opened: Open) -> None:
    bench = await opened()
    path = ack_path(bench)
    answer = await bench.client.post(path)
    assert answer.status == 200
    assert "#42 is yours. Nobody else is called." in await answer.text()
    (one,) = bench.inbox.deliveries
    assert one.source == "@slack"
    assert b'"event":"acked"' in one.body
    assert b'"by":"ana"' in one.body
    assert b'"via":"e-mail"' in one.body
    again = await bench.client.post(path)
    assert "#42 is yours" in await again.text()
    assert len(bench.inbox.deliveries) == 1
    assert "#42 is yours" in await (await bench.client.get(path)).text()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"state": State.ACKNOWLEDGED, "acked_by": "bo"}, "bo already has #42"),
        ({"state": State.RESOLVED}, "#42 is already resolved"),
    ],
)
async def test_what_is_taken_or_over_says_so(
    opened: Open, state: dict[str, object], told: str
) -> None:
    bench = await opened(**state)
    for method in ("GET", "POST"):
        answer = await bench.client.request(method, ack_path(bench))
        text = await answer.text()
        assert told in text
        assert "<form" not in text


async def test_who_was_asked_to_help_can_say_that_they_have_seen_it(opened: Open) -> None:
    bench = await opened(state=State.ACKNOWLEDGED, acked_by="bo")
    asked = Claim("ana", "i1", "i1:by-hand.3:ana", Method.EMAIL)
    path = bench.links.ack(asked, bench.clock.now()).removeprefix(BASE)
    shown = await (await bench.client.get(path)).text()
    assert "bo has it, and you are asked to help." in shown
    assert '<form method="post">' in shown
    assert bench.inbox.deliveries == []
    told = await (await bench.client.post(path)).text()
    assert "bo has #42, and you are asked to help. No more calls." in told
    assert len(bench.inbox.deliveries) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_old_or_forged_link_opens_nothing(opened: Open, method: str) -> None:
    bench = await opened()
    path = ack_path(bench)
    other = Links("another", BASE, bench.clock).ack(CLAIM, bench.clock.now()).removeprefix(BASE)
    press = "/ack/" + bench.links.press(CLAIM, bench.clock.now()).rpartition("/")[2]
    for wrong in (path[:-1], other, press, "/ack/x", "/ack/" + "a" * 3_000):
        answer = await bench.client.request(method, wrong)
        assert answer.status == 410, wrong
    bench.clock.advance(hours=25)
    answer = await bench.client.request(method, path)
    assert answer.status == 410
    assert "too old" in await answer.text()
    assert bench.inbox.deliveries == []


async def test_a_link_to_what_is_gone_says_so(opened: Open) -> None:
    bench = await opened()
    bench.at = None
    assert "no such incident" in await (await bench.client.post(ack_path(bench))).text()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_cannot_be_stored_is_not_called_done(opened: Open, method: str) -> None:
    bench = await opened()
    bench.broken = True
    answer = await bench.client.request(method, ack_path(bench))
    assert answer.status == 503
    assert "try again" in await answer.text()
    bench.broken, bench.inbox.broken = False, True
    assert (await bench.client.post(ack_path(bench))).status == 503


async def test_a_key_pressed_acknowledges(opened: Open) -> None:
    bench = await opened()
    url = bench.links.press(CLAIM, bench.clock.now())
    wrong = await bench.twilio(url, {"Digits": "7", "CallSid": "CA1"})
    script = ET.fromstring(await wrong.text())
    assert script[0].attrib["action"] == url
    assert script[0][0].text == "Press 1 to acknowledge."
    assert bench.inbox.deliveries == []
    right = await bench.twilio(url, {"Digits": "1", "CallSid": "CA1"})
    assert right.content_type == "text/xml"
    assert ET.fromstring(await right.text())[0].text == (
        "Incident 42 is yours. Nobody else is called."
    )
    assert len(bench.inbox.deliveries) == 1
    assert bench.told == [("i1", "CA1", Result.ACKNOWLEDGED, "")]


async def test_another_key_acknowledges_all_that_the_person_is_paged_for(opened: Open) -> None:
    bench = await opened()
    url = bench.links.press(CLAIM, bench.clock.now())
    bench.also = [
        incident(43, bench.clock.now(), id="i2", paged=("ana",)),
        incident(44, bench.clock.now(), id="i3", paged=("bo",)),
    ]
    answer = await bench.twilio(url, {"Digits": "2", "CallSid": "CA1"})
    assert "Incident 42 is yours. Nobody else is called. And 1 more." in await answer.text()
    taken = [one.body for one in bench.inbox.deliveries]
    assert [b'"number":42' in taken[0], b'"number":43' in taken[1]] == [True, True]
    assert len(taken) == 2


async def test_what_waits_to_be_decided_is_not_counted_twice(opened: Open) -> None:
    bench = await opened()
    bench.is_slow = True
    bench.also = [incident(43, bench.clock.now(), id="i2", paged=("ana",))]
    url = bench.links.press(CLAIM, bench.clock.now())
    async with asyncio.TaskGroup() as group:
        told = group.create_task(bench.twilio(url, {"Digits": "2", "CallSid": "CA1"}))
        while not told.done():
            await asyncio.wait({told}, timeout=0.001)
            bench.clock.advance(milliseconds=100)
    assert "takes effect soon. And 1 more." in await told.result().text()


async def test_a_key_that_acknowledged_is_not_called_lost(opened: Open) -> None:
    bench = await opened()
    bench.forgets = True
    url = bench.links.press(CLAIM, bench.clock.now())
    answer = await bench.twilio(url, {"Digits": "1", "CallSid": "CA1"})
    assert "Incident 42 is yours." in await answer.text()
    assert len(bench.inbox.deliveries) == 1


@pytest.mark.parametrize(("mended", "status"), [(True, 204), (False, 503)])
async def test_what_became_of_a_call_is_stored_a_moment_later_or_not_called_stored(
    opened: Open, mended: bool, status: int
) -> None:
    bench = await opened()
    bench.forgets = True
    url = bench.links.status(CLAIM, bench.clock.now())
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(bench.twilio(url, {"CallSid": "CA1", "CallStatus": "busy"}))
        while not answer.done():
            await asyncio.wait({answer}, timeout=0.1)
            bench.forgets = not mended
            bench.clock.advance(seconds=1)
    assert answer.result().status == status
    assert len(bench.told) == mended


async def test_a_key_of_an_old_call_says_so(opened: Open) -> None:
    bench = await opened()
    url = bench.links.press(CLAIM, bench.clock.now())
    bench.clock.advance(hours=25)
    answer = await bench.twilio(url, {"Digits": "1"})
    assert "too old" in await answer.text()
    assert bench.inbox.deliveries == []


async def test_only_twilio_is_heard(opened: Open) -> None:
    bench = await opened()
    now = bench.clock.now()
    urls = [bench.links.press(CLAIM, now), bench.links.status(CLAIM, now),
            bench.links.here("/contact/twilio/sms")]  # fmt: skip
    form = {"Digits": "1", "CallSid": "CA1", "CallStatus": "busy", "From": ANA.phone}
    other = RequestValidator("another").compute_signature(urls[0], form)
    for url in urls:
        for sign in ("", "x", "ä", other, signature(TOKEN, url + "?x", form.items())):
            given = sign.encode().decode("latin-1")
            assert (await bench.twilio(url, form, sign=given)).status == 403
    good = RequestValidator(TOKEN).compute_signature(urls[0], form)
    assert (await bench.twilio(urls[0], {**form, "Digits": "11"}, sign=good)).status == 403
    assert bench.inbox.deliveries == []
    assert bench.told == []


@pytest.mark.parametrize("raw", [
    b"POST /contact/twilio/sms HTTP/1.1\r\nX-Twilio-Signature: \xff\xfe\r\n",
    b"POST /contact/twilio/sms?\xff HTTP/1.1\r\nX-Twilio-Signature: x\r\n",
    b"POST /contact/twilio/sms?%ff%00 HTTP/1.1\r\nX-Twilio-Signature: x\r\n",
    b"POST http://[::1/contact/twilio/sms HTTP/1.1\r\nX-Twilio-Signature: x\r\n",
    b"POST /contact/twilio/status/\xff HTTP/1.1\r\nX-Twilio-Signature: x\r\n",
    b"POST /ack/\xff.\xff HTTP/1.1\r\n",
    b"GET /ack/%ff.%c3%a9 HTTP/1.1\r\n",
])  # fmt: skip
async def test_bytes_that_are_no_text_are_refused_without_a_fault(opened: Open, raw: bytes) -> None:
    bench = await opened()
    port = bench.client.server.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw + b"Host: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    first = (await reader.readline()).decode("latin-1")
    writer.close()
    await writer.wait_closed()
    assert first.split()[1] in {"400", "403", "404", "410"}, first


async def test_without_a_token_twilios_doors_are_shut(opened: Open) -> None:
    bench = await opened(token="")
    url = bench.links.here("/contact/twilio/sms")
    assert (await bench.twilio(url, {"From": ANA.phone})).status == 404


@pytest.mark.parametrize("port", ["", ":443"])
async def test_a_signature_over_the_usual_port_is_the_same(opened: Open, port: str) -> None:
    bench = await opened(base=f"https://watchbill.example{port}")
    for signed in ("https://watchbill.example", "https://watchbill.example:443"):
        form = {"From": "+4930111111", "Body": ""}
        sign = RequestValidator(TOKEN).compute_signature(f"{signed}/contact/twilio/sms", form)
        answer = await bench.twilio(f"{BASE}/contact/twilio/sms", form, sign=sign)
        assert answer.status == 200


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"CallSid": "CA1", "CallStatus": "no-answer"},
         ("CA1", Result.UNANSWERED, "nobody answered the call")),
        ({"CallSid": "CA1", "CallStatus": "busy"}, ("CA1", Result.UNANSWERED, "the line was busy")),
        ({"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"},
         ("SM1", Result.FAILED, "the phone did not take it (Twilio 30003)")),
        ({"CallSid": "CA1", "CallStatus": "completed"}, None),
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, None),
        ({"CallStatus": "busy"}, None),
    ],
)  # fmt: skip
async def test_what_became_of_a_call_is_heard(
    opened: Open, form: dict[str, str], told: tuple[str, Result, str] | None
) -> None:
    bench = await opened()
    answer = await bench.twilio(bench.links.status(CLAIM, bench.clock.now()), form)
    assert answer.status == 204
    assert bench.told == ([("i1", *told)] if told else [])


async def test_what_comes_before_our_own_commit_is_heard_a_moment_later(opened: Open) -> None:
    bench = await opened()
    bench.unknown = 1
    url = bench.links.status(CLAIM, bench.clock.now())
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(bench.twilio(url, {"CallSid": "CA1", "CallStatus": "busy"}))
        while not bench.told:
            await asyncio.wait({answer}, timeout=0.01)
        bench.clock.advance(seconds=1)
    assert answer.result().status == 204
    assert len(bench.told) == 2


async def test_a_reply_with_the_code_acknowledges(opened: Open) -> None:
    bench = await opened()
    url, code = bench.links.here("/contact/twilio/sms"), bench.links.code("ana", CLAIM.page)
    answer = await bench.twilio(url, {"From": ANA.phone, "Body": f"{code} thanks & bye"})
    assert ET.fromstring(await answer.text())[0].text == "#42 is yours. Nobody else is called."
    assert len(bench.inbox.deliveries) == 1


@pytest.mark.parametrize("zero", ["٠", "۰", "\N{FULLWIDTH DIGIT ZERO}"])
async def test_a_reply_in_the_digits_of_another_script_acknowledges(
    opened: Open, zero: str
) -> None:
    bench = await opened()
    url, code = bench.links.here("/contact/twilio/sms"), bench.links.code("ana", CLAIM.page)
    text = "".join(chr(ord(zero) + int(digit)) for digit in code)
    answer = await bench.twilio(url, {"From": ANA.phone, "Body": text})
    assert answer.status == 200
    assert ET.fromstring(await answer.text())[0].text == "#42 is yours. Nobody else is called."


async def test_a_reply_that_cannot_be_stored_says_so(opened: Open) -> None:
    bench = await opened()
    bench.inbox.broken = True
    url, code = bench.links.here("/contact/twilio/sms"), bench.links.code("ana", CLAIM.page)
    answer = await bench.twilio(url, {"From": ANA.phone, "Body": code})
    assert "could not be written down" in await answer.text()


async def test_a_form_that_is_too_large_is_not_read(opened: Open) -> None:
    bench = await opened()
    url = bench.links.here("/contact/twilio/sms")
    assert (await bench.twilio(url, {"Body": "x" * (doors.LARGEST + 1)})).status == 413


def test_our_signature_is_twilios() -> None:
    url, form = "https://a.example/x?y=1", {"B": "ü", "A": "1 & 2", "a": ""}
    assert signature(TOKEN, url, form.items()) == RequestValidator(TOKEN).compute_signature(
        url, form
    )
