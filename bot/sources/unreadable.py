"""The alert that says that something came in and could not be read."""

from bot.ports import Delivery
from bot.sources.kind import digest
from bot.sources.text import clean, line
from rules.alert import Alert, AlertStatus


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
