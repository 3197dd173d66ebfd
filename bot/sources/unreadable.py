"""The alert that says that something came in and could not be read."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from bot.ports.inbox import Delivery
from bot.sources.json_body import JsonValue, read_json
from bot.sources.kind import UnreadableError, digest
from bot.sources.text import clean, line
from rules.alert import Alert, AlertStatus

MOST_ALERTS = 1_000

_FIELDS = "It has the fields"
_NAMED, _NAME_LENGTH = 12, 60
_BEGINS = 120
_LOOKED_AT = 262_144


def unreadable(delivery: Delivery, why: str, detail: str = "") -> Alert:
    """Return the alert for `why`; deliveries of one source that look and fail alike share its key.

    It tells the names of the fields or how the text begins, so that the reader knows the tool.
    Its `url` is empty: whoever can sign links to the raw body fills it in.
    """
    look = _look(delivery.body)
    shape = look if look.startswith(_FIELDS) else ""
    return _alert(delivery, f"{why} {detail}".strip(), look, key=digest(why, shape))


def _alert(delivery: Delivery, *lines: str, key: str) -> Alert:
    return Alert(
        source=delivery.source,
        dedup_key=f"unreadable:{key}",
        status=AlertStatus.FIRING,
        title=line(f"Unreadable delivery from {delivery.source}"),
        description=clean("\n".join(one for one in lines if one)),
        occurred_at=delivery.received_at,
        labels={"delivery": line(delivery.id)},
        unreadable=True,
    )


def too_many(delivery: Delivery, over: int) -> Alert:
    """Return the alert for what a delivery held beyond 1,000 alerts."""
    why = f"One delivery may hold {MOST_ALERTS:,} alerts; the others were not read."
    return _alert(delivery, f"{why} It held {over:,} more.", key=digest(why))


@lru_cache(maxsize=1)  # a delivery may have a thousand entries that cannot be read
def _look(body: bytes) -> str:
    """Say what the body looks like, "" when it is empty or all binary.

    Only names of fields are told, never their values: nobody knows yet what is secret in them.
    """
    try:
        value = read_json(body) if len(body) <= _LOOKED_AT else None
    except UnreadableError:
        value = None
    if isinstance(value, dict) and value:
        names = sorted(line(name, _NAME_LENGTH) for name in value)
        more = ", …" if len(names) > _NAMED else ""
        return f"{_FIELDS} {', '.join(names[:_NAMED])}{more}"
    begins = line(body[:400].decode("utf-8", "replace").replace("\ufffd", ""), _BEGINS)
    return f"It begins: {begins}" if begins else ""


def alerts_from(
    delivery: Delivery, entries: Sequence[JsonValue], make: Callable[[JsonValue], Alert]
) -> tuple[Alert, ...]:
    """Return an alert an entry, for 1,000 entries at most; one more alert tells of the others."""
    alerts = tuple(make(entry) for entry in entries[:MOST_ALERTS])
    over = len(entries) - MOST_ALERTS
    return (*alerts, too_many(delivery, over)) if over > 0 else alerts
