"""Pages by ntfy: a notification with a button that acknowledges."""

import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bot.contact.calling import Service, looked_up
from bot.contact.wording import headline, lines
from bot.ports.contact import Sent, Summons
from bot.ports.delivering import CLOCKS_APART, GiveUpError

API = "https://ntfy.sh"
_LONGEST = 3_000
"""Bytes: ntfy makes an attachment of more than 4,096, or refuses it."""
_HINTS = {
    401: "correct `contact.ntfy.token`",
    403: "`contact.ntfy.token` may not publish to this topic",
    413: "the notification is too long for this server",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NtfyServer:
    """The server that topics are on; its own token where it wants one."""

    url: str = API
    token: str = field(default="", repr=False)


class Ntfy:
    """Publishes to a person's topic; an unsure one is looked for among what the server kept."""

    def __init__(self, server: NtfyServer, session: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {server.token}"} if server.token else {}
        self._service = Service(
            session=session, name="ntfy", url=server.url.rstrip("/"), headers=headers, hints=_HINTS
        )

    async def send(self, summons: Summons) -> Sent:
        if summons.unsure and (found := await looked_up(self._sent_before(summons))):
            return Sent(found)
        body = json.dumps(_notification(summons), ensure_ascii=False).encode("utf-8", "replace")
        answer = await self._service.post(
            "/", body=body, headers={"Content-Type": "application/json"}
        )
        sent = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(sent, str) or not sent:
            raise GiveUpError("ntfy answered without an id: check `contact.ntfy.url`")
        return Sent(sent)

    async def _sent_before(self, summons: Summons) -> str:
        if summons.since is None or not summons.ack_url:
            return ""
        since = summons.since - CLOCKS_APART
        query = {"poll": "1", "since": str(int(since.timestamp()))}
        for one in await self._service.lines(f"/{summons.address}/json", query):
            if not isinstance(one, dict) or (sent := str(one.get("id", ""))) in summons.recorded:
                continue
            if one.get("click") == summons.ack_url:
                return sent
        return ""


def _tag(summons: Summons) -> str:
    if summons.test:
        return "test_tube"
    return "rotating_light" if summons.wakes else "white_check_mark"


def _notification(summons: Summons) -> dict[str, Any]:
    text = "\n".join(lines(summons))
    found: dict[str, Any] = {
        "topic": summons.address,
        "title": headline(summons),
        "message": text.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore"),
        "priority": 5 if summons.wakes else 3,
        "tags": [_tag(summons)],
    }
    if summons.ack_url:
        found["click"] = summons.ack_url
        found["actions"] = [
            {
                "action": "http",
                "label": "Acknowledge",
                "url": summons.ack_url,
                "method": "POST",
                "clear": True,
            }
        ]
    return found
