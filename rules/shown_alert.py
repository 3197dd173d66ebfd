"""What an incident remembers of one alert, and as what the alert belongs to it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from rules.alert import Alert, AlertStatus, Severity

SHOWN_ALERTS = 20
"""An incident carries this many of its alerts; the store has all of them."""


class Bond(StrEnum):
    """As what an alert belongs to its incident: its cause, a consequence of that, or alongside."""

    CAUSE = "cause"
    CONSEQUENCE = "consequence"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """What an incident remembers of one alert, for the message and the next decision.

    `count` is how often it was reported as anything but resolved.
    """

    dedup_key: str
    title: str
    status: AlertStatus
    severity: Severity
    first_at: datetime
    last_at: datetime
    count: int = 1
    url: str = ""
    description: str = ""
    source: str = ""
    asset: str = ""
    product: str = ""
    bond: Bond = Bond.OWN

    def is_of(self, alert: Alert) -> bool:
        return (self.source, self.dedup_key) == thing_of(alert)


def thing_of(alert: Alert) -> tuple[str, str]:
    """Return what names an alert's thing everywhere: its source and its key there."""
    return alert.source, alert.dedup_key


def shown_as(
    alert: Alert, old: ShownAlert | None, now: datetime, bond: Bond, about: tuple[str, str]
) -> ShownAlert:
    """Return what is remembered of an alert; `old` is what was, `about` its asset and product.

    What ended was as bad as before: sources tell of an end as of something mild.
    """
    ended = alert.status is AlertStatus.RESOLVED
    return ShownAlert(
        dedup_key=alert.dedup_key,
        title=alert.title,
        status=alert.status,
        severity=old.severity if old and ended else alert.severity,
        first_at=old.first_at if old else now,
        last_at=now,
        count=max(1, (old.count if old else 0) + (alert.status is not AlertStatus.RESOLVED)),
        url=alert.url or (old.url if old else ""),
        description=alert.description or (old.description if old else ""),
        source=alert.source,
        asset=about[0],
        product=about[1],
        bond=bond,
    )


def remembered(alert: Alert, before: AlertStatus | None, old: ShownAlert | None) -> Alert:
    """Return an alert as it is kept: a remark changes nothing of a thing that is known.

    `before` is the status that the incident knows it by, and `old` what it remembers of it.
    """
    if before is None or alert.status is not AlertStatus.INFO:
        return alert
    if old is None:
        return replace(alert, status=before)
    return replace(
        alert,
        status=before,
        title=old.title,
        severity=old.severity,
        url=old.url,
        description=old.description,
    )


def make_room(alerts: list[ShownAlert]) -> list[ShownAlert]:
    """Forget one alert where there are too many: one that is over, and never the cause."""
    if len(alerts) < SHOWN_ALERTS:
        return alerts
    others = [a for a in alerts if a.bond is not Bond.CAUSE]
    settled = next((a for a in others if a.status is AlertStatus.RESOLVED), others[0])
    return [a for a in alerts if a is not settled]
