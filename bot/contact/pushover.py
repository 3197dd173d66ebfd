"""Pages by Pushover, as emergencies that are repeated until they are acknowledged there."""

import hashlib
from dataclasses import dataclass, field

import aiohttp

from bot.contact.calling import Service
from bot.contact.wording import headline, lines
from bot.ports.contact import Sent, Summons
from bot.ports.delivering import GiveUpError

API = "https://api.pushover.net"
_RETRY, _EXPIRE = "60", "10800"
_LONGEST_TITLE, _LONGEST, _LONGEST_URL = 250, 1_024, 512
_HINTS = {400: "check `contact.pushover.token` and the person's user key"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushoverApp:
    """The application that we are at Pushover."""

    token: str = field(repr=False)
    url: str = API


class Pushover:
    """Sends emergencies, and asks by their receipts whether somebody acknowledged."""

    def __init__(self, app: PushoverApp, session: aiohttp.ClientSession) -> None:
        self._token = app.token
        self._service = Service(
            session=session, name="Pushover", url=app.url.rstrip("/"), hints=_HINTS
        )

    async def send(self, summons: Summons) -> Sent:
        form = {
            "token": self._token,
            "user": summons.address,
            "title": headline(summons, _LONGEST_TITLE),
            "message": "\n".join(lines(summons))[:_LONGEST] or headline(summons),
        }
        if summons.wakes:
            form |= {"priority": "2", "retry": _RETRY, "expire": _EXPIRE}
            form["tags"] = _tag(summons.key)
        if 0 < len(summons.ack_url) <= _LONGEST_URL:  # acknowledging there works without it
            form |= {"url": summons.ack_url, "url_title": "Acknowledge"}
        answer = await self._service.post("/1/messages.json", form=form)
        found = answer if isinstance(answer, dict) else {}
        if found.get("status") != 1:
            raise GiveUpError("Pushover did not take it: check `contact.pushover`")
        return Sent(str(found.get("receipt") or found.get("request") or "taken"))

    async def acknowledged(self, receipt: str) -> bool | None:
        answer = await self._service.get(f"/1/receipts/{receipt}.json", {"token": self._token})
        found = answer if isinstance(answer, dict) else {}
        if found.get("acknowledged") == 1:
            return True
        return None if found.get("expired") == 1 else False

    async def cancel(self, key: str) -> None:
        """Cancel by tag: the receipt of one that was sent and not heard of is known to nobody."""
        path = f"/1/receipts/cancel_by_tag/{_tag(key)}.json"
        await self._service.post(path, form={"token": self._token})


def _tag(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
