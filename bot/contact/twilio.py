"""Pages by text message and phone call through Twilio, and what proves that Twilio calls us."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from xml.etree import ElementTree as ET

import aiohttp

from bot.contact.calling import Service, looked_up
from bot.contact.wording import spoken, text_message
from bot.ports.contact import Sent, Summons
from bot.ports.delivering import CLOCKS_APART, GiveUpError

API = "https://api.twilio.com"
_HINTS: Mapping[int, str] = {
    401: "correct `contact.twilio.account_sid` and `auth_token`",
    403: "the Twilio account may not do this",
    404: "correct `contact.twilio.account_sid`",
}
_RING = "30"
"""Seconds that a phone rings."""
_READ_TWICE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """Who we are at Twilio. `sender` is a number, or the id of a messaging service (`MG...`)."""

    sid: str
    token: str = field(repr=False)
    sender: str
    url: str = API


def twilio_service(account: TwilioAccount, session: aiohttp.ClientSession) -> Service:
    known = b64encode(f"{account.sid}:{account.token}".encode()).decode()
    return Service(
        session=session,
        name="Twilio",
        url=f"{account.url.rstrip('/')}/2010-04-01/Accounts/{account.sid}",
        headers={"Authorization": f"Basic {known}"},
        hints=_HINTS,
    )


class TextMessage:
    """Sends SMS. Twilio has no key against doubles: an unsure one is looked for before."""

    def __init__(self, service: Service, sender: str) -> None:
        self._service = service
        self._sender = sender

    async def send(self, summons: Summons) -> Sent:
        body = text_message(summons)
        if summons.unsure and (found := await looked_up(self._sent_before(summons, body))):
            return Sent(found)
        by = "MessagingServiceSid" if self._sender.startswith("MG") else "From"
        form = {"To": summons.address, by: self._sender, "Body": body}
        if summons.status_url:
            form["StatusCallback"] = summons.status_url
        return Sent(_sid(await self._service.post("/Messages.json", form=form)))

    async def _sent_before(self, summons: Summons, body: str) -> str:
        """Return the id of this page's text to the same number since the first attempt, "" for none.

        The code names the page; the rest may have changed since. Another text of the same page is
        known by its id.
        """
        if summons.since is None:
            return ""
        since = summons.since - CLOCKS_APART
        # the newest first; those that still wait to be sent have no date to be found by
        query = {"To": summons.address, "PageSize": "50"}
        answer = await self._service.get("/Messages.json", query)
        listed = answer.get("messages") if isinstance(answer, dict) else None
        ours = f" {summons.code} " if summons.code else body
        for one in listed if isinstance(listed, list) else ():
            if not isinstance(one, dict) or (sid := str(one.get("sid", ""))) in summons.recorded:
                continue
            if ours in str(one.get("body")) and _made_after(one, since):
                return sid
        return ""


class PhoneCall:
    """Calls, reads the page out, and asks for a key to acknowledge it."""

    def __init__(self, service: Service, sender: str) -> None:
        self._service = service
        self._sender = sender

    async def send(self, summons: Summons) -> Sent:
        form = {
            "To": summons.address,
            "From": self._sender,
            "Twiml": call_script(summons),
            "Timeout": _RING,
        }
        if summons.status_url:
            form["StatusCallback"] = summons.status_url
        return Sent(_sid(await self._service.post("/Calls.json", form=form)))


def call_script(summons: Summons) -> str:
    """Return the TwiML of a call: what is read out, twice, while a key is waited for."""
    root = ET.Element("Response")
    if not summons.press_url:
        told = "" if summons.test or summons.alarm else " Please open Slack to acknowledge it."
        for _ in range(_READ_TWICE):
            _say(root, spoken(summons) + told)
        return _written(root)
    for _ in range(_READ_TWICE):
        gather = ET.SubElement(
            root, "Gather", numDigits="1", timeout="6", method="POST", action=summons.press_url
        )
        more = f" Press 2 to acknowledge all {summons.others + 1}." if summons.others else ""
        _say(gather, f"{spoken(summons)} Press 1 to acknowledge.{more}")
    _say(root, "You have not pressed a key. It is not acknowledged. Goodbye.")
    return _written(root)


def spoken_answer(text: str, again: str = "") -> str:
    """Return the TwiML that says a sentence; `again` is where another key is sent."""
    root = ET.Element("Response")
    place = root
    if again:
        place = ET.SubElement(
            root, "Gather", numDigits="1", timeout="6", method="POST", action=again
        )
    _say(place, text)
    return _written(root)


def written_answer(text: str) -> str:
    """Return the TwiML that replies to a text message, or nothing."""
    root = ET.Element("Response")
    if text:
        ET.SubElement(root, "Message").text = _plain(text)
    return _written(root)


def signature(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return what X-Twilio-Signature must be for a form that Twilio posts to an address."""
    said = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()
    return b64encode(digest).decode()


def is_from_twilio(token: str, url: str, fields: Iterable[tuple[str, str]], given: str) -> bool:
    """Tell whether a form comes from Twilio, which may or may not write a usual port."""
    pairs, told = tuple(fields), given.encode("utf-8", "replace")
    return any(
        hmac.compare_digest(signature(token, one, pairs).encode(), told) for one in _spellings(url)
    )


def _spellings(url: str) -> tuple[str, ...]:
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme, 0)
    host = parts.hostname or ""
    bare = f"[{host}]" if ":" in host else host
    if parts.port not in {None, usual}:
        return (url,)
    return tuple(
        urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
        for netloc in (bare, f"{bare}:{usual}")
    )


def _say(place: ET.Element, text: str) -> None:
    ET.SubElement(place, "Say").text = _plain(text)


def _plain(text: str) -> str:
    """Drop what XML cannot hold."""
    return "".join(char for char in text if char.isprintable() and not "\ud800" <= char <= "\udfff")


def _written(root: ET.Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + ET.tostring(root, encoding="unicode")


def _sid(answer: Any) -> str:
    sid = answer.get("sid") if isinstance(answer, dict) else None
    if not isinstance(sid, str) or not sid:
        raise GiveUpError("Twilio answered without an id: check `contact.twilio.url`")
    return sid


def _made_after(one: Mapping[str, Any], since: Any) -> bool:
    try:
        return bool(parsedate_to_datetime(str(one.get("date_created"))) >= since)
    except (TypeError, ValueError):
        return False
