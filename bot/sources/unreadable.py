"""The alert that says that something came in and could not be read."""

from collections.abc import Callable, Sequence

from bot.ports import Delivery
from bot.sources.json_body import JsonValue
from bot.sources.kind import digest
from bot.sources.text import clean, line
from rules.alert import Alert, AlertStatus

MOST_ALERTS = 1_000


def unreadable(delivery: Delivery, why: str, detail: str = "") -> Alert:
    """Return the alert for `why`; deliveries of one source that fail alike share its key.

    Its `url` is empty: whoever can sign links to the raw body fills it in.
    """
    return Alert(
        source=delivery.source,
        dedup_key=f"unreadable:{digest(why)}",
        status=AlertStatus.FIRING,
        title=line(f"Unreadable delivery from {delivery.source}"),
        description=clean(f"{why} {detail}"),
        occurred_at=delivery.received_at,
        labels={"delivery": line(delivery.id)},
        unreadable=True,
    )


def too_many(delivery: Delivery, over: int) -> Alert:
    """Return the alert for what a delivery held beyond 1,000 alerts."""
    why = f"One delivery may hold {MOST_ALERTS:,} alerts; the others were not read."
    return unreadable(delivery, why, f"It held {over:,} more.")


def alerts_from(
    delivery: Delivery, entries: Sequence[JsonValue], make: Callable[[JsonValue], Alert]
) -> tuple[Alert, ...]:
    """Return an alert an entry, for 1,000 entries at most; one more alert tells of the others."""
    alerts = tuple(make(entry) for entry in entries[:MOST_ALERTS])
    over = len(entries) - MOST_ALERTS
    return (*alerts, too_many(delivery, over)) if over > 0 else alerts
