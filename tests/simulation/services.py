"""The services that reach people besides Slack: they take what is sent, keep records, and fail as told."""

import json
import math
import re
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from rules.contacting.method import Method
from tests.simulation.chance import Diary, Fate
from tests.simulation.process import PROCESS
from tests.simulation.time import VirtualClock, pause

_PATIENCE = 5.0
"""Seconds for which no client waits longer."""
_LONGEST_THROTTLE = 40
_REPEATS = timedelta(seconds=40)
"""So long an emergency is repeated; the real service does it for hours."""
_BY_PATH = {"Messages.json": Method.SMS, "Calls.json": Method.VOICE, "messages.json": Method.PUSHOVER,
            "": Method.NTFY, "hook": Method.WEBHOOK}  # fmt: skip
_PRESSED = re.compile(r'action="([^"]+)"')
_LINK = re.compile(r"https://\S+/ack/\S+")


class Unreachable(Exception):  # noqa: N818 - what a client makes its own error of
    """No connection was made."""


@dataclass(slots=True)
class Sending:
    """One request to send something to somebody; `page` and `incident` are what its link claims.

    `told` is what the sender was told, "" when it never heard: taken, refused, throttled, failed.
    """

    at: datetime
    method: Method
    person: str
    incident: str
    page: str
    address: str
    url: str
    code: str
    content: str
    troubles: int
    """How much had gone wrong with processes and their database until it was taken."""
    its_id: str = ""
    status_url: str = ""
    taken_at: datetime | None = None
    told: str = ""
    answered: bool = False


@dataclass(slots=True)
class Receipt:
    """An emergency that is repeated until somebody acknowledges it."""

    ends: datetime
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """As much of aiohttp's response as the bot reads; it is its own content."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> "Answer":
        return self

    async def iter_chunked(self, _: int) -> AsyncIterator[bytes]:
        yield self.body


class SimulatedServices:
    """All of them. `sendings` are all requests to send, in order; their own clocks never jump."""

    def __init__(self, fate: Fate, clock: VirtualClock, diary: Diary) -> None:
        self._fate = fate
        self._clock = clock
        self._diary = diary
        self.sendings: list[Sending] = []
        self.receipts: dict[str, Receipt] = {}
        self.hasty: list[str] = []
        """What was tried before a Retry-After had passed."""
        self.late: list[str] = []
        """What began although the incident had been taken care of a while before."""
        self.is_late: Callable[[str, str], str] = lambda _page, _method: ""
        self._closed: dict[str, float] = {}
        self.waits: dict[tuple[Method, str], list[tuple[float, float]]] = defaultdict(list)
        """When each service asked to wait for a person, and until when, in seconds of the life."""
        self._told: dict[object, tuple[float, float]] = {}

    @property
    def now(self) -> datetime:
        return self._clock.now() - self._clock.jumped

    @property
    def taken(self) -> list[Sending]:
        return [one for one in self.sendings if one.taken_at is not None]

    # HTTP

    async def post(self, url: str, how: Mapping[str, Any]) -> Answer:
        path = urlsplit(url).path
        if "/cancel_by_tag/" in path:
            await self._travels()
            return Answer(200)
        sending = self._read(_BY_PATH[path.rpartition("/")[2]], how["data"])
        return _answered(sending, await self._sent(sending))

    async def get(self, url: str, query: Mapping[str, str]) -> Answer:
        await self._travels()
        self._fails()
        path = urlsplit(url).path
        name = path.rpartition("/")[2]
        if name == "Messages.json":
            return _document({"messages": list(self._texts(query))})
        if name == "json":
            return Answer(200, "\n".join(self._published(path.split("/")[-2], query)).encode())
        receipt = self.receipts[name.removesuffix(".json")]
        return _document({"acknowledged": int(receipt.acknowledged),
                          "expired": int(self.now >= receipt.ends)})  # fmt: skip

    def _texts(self, query: Mapping[str, str]) -> list[dict[str, str]]:
        return [
            {"sid": one.its_id, "body": one.content, "date_created": format_datetime(one.taken_at)}
            for one in reversed(self.taken)
            if one.method is Method.SMS and one.taken_at is not None
            and one.address == query["To"]
        ][: int(query["PageSize"])]  # fmt: skip

    def _published(self, topic: str, query: Mapping[str, str]) -> list[str]:
        since = float(query["since"])
        return [
            json.dumps({"id": one.its_id, "click": one.url})
            for one in self.taken
            if one.method is Method.NTFY and one.address == topic
            and one.taken_at is not None and int(one.taken_at.timestamp()) >= since
        ]  # fmt: skip

    # sending

    async def mail(self, message: EmailMessage) -> str:
        """Take an e-mail or raise what aiosmtplib raises."""
        text = message.get_content()
        found = _LINK.search(text)
        sending = self._begun(Method.EMAIL, str(message["To"]), found[0] if found else "",
                              str(message["Message-ID"]))  # fmt: skip
        return await self._sent(sending)

    def _read(self, method: Method, data: Any) -> Sending:
        if isinstance(data, bytes):
            given = json.loads(data)
            if method is Method.NTFY:
                return self._begun(method, given["topic"], given["click"], given["title"])
            return self._begun(method, "pager", given["acknowledge"]["url"], given["key"])
        if method is Method.PUSHOVER:
            return self._begun(method, data["user"], data["url"], data["message"])
        if method is Method.SMS:
            return self._begun(method, data["To"], data["StatusCallback"], data["Body"])
        pressed = _PRESSED.search(data["Twiml"])
        call = self._begun(method, data["To"], pressed[1] if pressed else "", "")
        call.status_url = data["StatusCallback"]
        return call

    def _begun(self, method: Method, address: str, url: str, content: str) -> Sending:
        person, incident, page, *_ = _claim(url)
        code = re.search(r"(?<=Reply )\d{6}", content)
        sending = Sending(self.now, method, person, incident, page, address, url,
                          code[0] if code else "", content, self._fate.troubles)  # fmt: skip
        self.sendings.append(sending)
        if late := self.is_late(page, method):
            self.late.append(late)
        return sending

    async def _sent(self, sending: Sending) -> str:
        """Take it, or not, and say what follows: taken, refused, throttled S or failed."""
        fate = self._fate
        began = (self.now - self._clock.start).total_seconds()
        await self._travels()
        if after := self._throttled(sending, began):
            sending.told = "throttled"
            return f"throttled {after}"
        if fate.strikes("service_unreachable"):
            sending.told = "failed"
            raise Unreachable
        if fate.strikes("service_refuses"):
            sending.told = "refused"
            return "refused"
        if fate.strikes("service_fails"):
            sending.told = "failed"
            return "failed"
        if fate.strikes("service_silent"):
            sending.told = "failed"
            await pause(2 * _PATIENCE)
        self._take(sending)
        _may_die()
        if fate.strikes("service_done_fails"):
            sending.told = "failed"
            return "failed"
        if fate.strikes("service_done_silent"):
            sending.told = "failed"
            await pause(2 * _PATIENCE)
        await pause(0.01 + fate.dice.random() * 0.1)
        _may_die()
        sending.told = "taken"
        return "taken"

    def _take(self, sending: Sending) -> None:
        sending.taken_at, sending.troubles = self.now, self._fate.troubles
        sending.its_id = f"{sending.method}-{len(self.sendings)}"
        if sending.method is Method.PUSHOVER:
            self.receipts[sending.its_id] = Receipt(self.now + _REPEATS)
        what = f"to {sending.person} about {sending.page}"
        self._diary.note(self.now, sending.method.value, what)

    async def _travels(self) -> None:
        _may_die()
        await pause(0.02 + self._fate.dice.random() * 0.2)
        _may_die()

    def _fails(self) -> None:
        if self._fate.strikes("service_unreachable"):
            raise Unreachable

    def _throttled(self, sending: Sending, began: float) -> int:
        """Return how many seconds to wait, 0 to go on, and note who comes before they are over."""
        place = f"{sending.method}:{sending.address}"
        now = (self.now - self._clock.start).total_seconds()
        until = self._closed.get(place, 0.0)
        whom = PROCESS.get(), place
        told_at, told_until = self._told.get(whom, (0.0, 0.0))
        if told_at < began < told_until - 0.5:
            self.hasty.append(f"{place} {told_until - began:.0f} s too early")
        if began >= until and not self._fate.strikes("service_throttles"):
            return 0
        if began >= until:
            until = now + self._fate.dice.randint(1, _LONGEST_THROTTLE)
            self.waits[sending.method, sending.person].append((now, until))
        after = max(1, math.ceil(until - now))
        self._closed[place] = until
        if sending.method is not Method.EMAIL:  # a mail server cannot say for how long
            self._told[whom] = (now, now + after)
        return after


def _answered(sending: Sending, told: str) -> Answer:
    if told == "failed":
        return Answer(503)
    if told == "refused":
        return Answer(400, b'{"message": "this number is not verified"}')
    if told != "taken":
        return Answer(429, headers={"Retry-After": told.rpartition(" ")[2]})
    its_id = sending.its_id
    return _document({"sid": its_id, "id": its_id, "status": 1, "receipt": its_id})


def _document(said: Mapping[str, Any]) -> Answer:
    return Answer(200, json.dumps(said).encode())


def _claim(url: str) -> list[Any]:
    """Read what a link of the bot's says, as anybody can who has it."""
    token = url.rpartition("/")[2].partition(".")[0]
    found: list[Any] = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return found


def _may_die() -> None:
    process = PROCESS.get()
    assert process is not None
    process.may_die()
