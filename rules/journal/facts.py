"""What the bot fills into an entry by itself."""

from collections.abc import Iterable
from datetime import datetime

from rules.incident import Incident
from rules.journal.entry import Facts
from rules.journal.similarity import thing_name
from rules.verification import Interval, Verdict, Verification

_LONGEST = 500
_MOST_LABELS = 20
_MOST_LISTED = 20


def facts_of(incident: Incident, *, steps: Iterable[str] = (), grants: Iterable[str] = ()) -> Facts:
    """Return what is known of an incident now; `steps` and `grants` are told in words."""
    stakes = incident.stakes
    labels = sorted((name, value[:_LONGEST]) for name, value in incident.labels.items() if value)
    return Facts(
        title=incident.title[:_LONGEST],
        source=incident.source,
        thing=thing_name(incident),
        product=incident.product or (stakes.product if stakes else ""),
        asset=incident.asset or (stakes.asset if stakes else ""),
        category=incident.category.value if incident.category else "",
        priority=incident.priority.value,
        impact=stakes.impact.value if stakes else "",
        description=incident.description[:_LONGEST],
        labels=tuple(labels[:_MOST_LABELS]),
        occurred_at=incident.occurred_at,
        opened_at=incident.opened_at,
        paged_at=incident.first_paged_at,
        acked_at=incident.first_acked_at,
        resolved_at=incident.resolved_at,
        verified_at=_proved_at(incident.verification),
        acked_by=incident.acked_by,
        resolved_by=incident.resolved_by,
        paged=incident.paged,
        interval=interval_text(incident.bad),
        note=incident.note[:_LONGEST],
        steps=tuple(steps)[:_MOST_LISTED],
        verification=verification_text(incident.verification),
        grants=tuple(grants)[:_MOST_LISTED],
    )


def interval_text(interval: Interval | None) -> str:
    """Write an interval of data, in UTC; "" for none."""
    if interval is None:
        return ""
    start, end = (f"{at:%Y-%m-%d %H:%M}" for at in interval)
    return f"{start} UTC" if start == end else f"{start} – {end} UTC"


def verification_text(seen: Verification | None) -> str:
    """Say what proved the fix, or what would; "" when nothing is known."""
    if seen is None:
        return ""
    said = f": {seen.evidence[:_LONGEST]}" if seen.evidence else ""
    match seen.verdict:
        case Verdict.PENDING:
            what = seen.expects.pipeline if seen.expects else ""
            return f"waits for a run of {what}" if what else "waits for a proof"
        case Verdict.PASSED:
            return f"proved{said}"
        case Verdict.FAILED:
            return f"failed{said}"
        case Verdict.WAIVED:
            return f"waived{said}"
        case Verdict.NOT_NEEDED:
            return "no proof needed"


def _proved_at(seen: Verification | None) -> datetime | None:
    return seen.ended_at if seen and seen.verdict is Verdict.PASSED else None
