"""Pages by a plain webhook: what is known as signed JSON, with the address that acknowledges."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from bot.contact.calling import Service
from bot.contact.wording import headline, lines
from bot.courier import signature
from bot.ports.contact import Sent, Summons
from bot.ports.delivering import GiveUpError

_HINTS = {
    401: "check the webhook's secret",
    403: "check the webhook's secret",
    404: "check its url",
}


@dataclass(frozen=True, slots=True)
class Hook:
    """Where to POST, and what signs the body."""

    url: str
    secret: str = field(default="", repr=False)


class PersonalWebhook:
    """Calls the configured webhook that a person names; the key makes doubles harmless there."""

    def __init__(self, hooks: Mapping[str, Hook], session: aiohttp.ClientSession) -> None:
        self._hooks = hooks
        self._session = session

    async def send(self, summons: Summons) -> Sent:
        hook = self._hooks.get(summons.address)
        if hook is None:
            words = f'there is no webhook "{summons.address}": add it to `webhooks`'
            raise GiveUpError(words)
        body = json.dumps(_payload(summons), ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json", "Idempotency-Key": summons.key}
        if hook.secret:
            headers["X-Watchbill-Signature"] = signature(hook.secret, body)
        service = Service(
            session=self._session,
            name=f"webhook {summons.address}",
            url=hook.url,
            hints=_HINTS,
        )
        await service.post("", body=body, headers=headers)
        return Sent(summons.key)


def _payload(summons: Summons) -> dict[str, object]:
    return {
        "event": "test" if summons.test else "alarm" if summons.alarm else "page",
        "key": summons.key,
        "person": summons.person,
        "number": summons.number,
        "priority": summons.priority,
        "title": summons.title,
        "text": "\n".join([headline(summons), *lines(summons)]),
        "why": summons.why,
        "acknowledge": {"method": "POST", "url": summons.ack_url} if summons.ack_url else None,
    }
