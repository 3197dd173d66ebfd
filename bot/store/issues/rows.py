"""A line of the table of production issues as its row, and back."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Row

from bot.store.columns import stored_text
from rules.category import Category
from rules.issues.issue import Issue, Standing, searched
from rules.issues.measures import Measures
from rules.issues.typical import NAMES
from rules.priority import Impact, Priority, Urgency

IMPACTS = dict(enumerate(Impact, start=1))
URGENCIES = dict(enumerate(Urgency, start=1))
RANK_OF_IMPACT = {impact: rank for rank, impact in IMPACTS.items()}
RANK_OF_URGENCY = {urgency: rank for rank, urgency in URGENCIES.items()}
_CATEGORIES = {category.value: category for category in Category}


def issue(row: Row[Any]) -> Issue:
    return Issue(
        number=row.number,
        incident_id=row.incident_id,
        title=row.title,
        opened_at=row.opened_at,
        priority=Priority(row.priority),
        standing=Standing(row.status),
        product=row.product or "",
        tier=row.tier,
        category=_CATEGORIES.get(row.category),
        impact=IMPACTS.get(row.impact),
        urgency=URGENCIES.get(row.urgency),
        owner=row.owner or "",
        on_call=row.on_call or "",
        holder=row.holder or "",
        measures=measures(row),
        deadline=row.deadline_at,
        healthy_at=row.healthy_at,
        cause=row.cause or "",
        recurs=row.recurs,
        follow_up=row.follow_up or "",
        entry=row.entry or "",
    )


def measures(row: Row[Any]) -> Measures:
    return Measures(**{name: _span(getattr(row, name)) for name in NAMES})


def values_of(issue: Issue) -> dict[str, Any]:
    """Return the row of an issue; what is not known is NULL, so that it sorts last."""
    spans = {name: getattr(issue.measures, name) for name in NAMES}
    texts = {
        "product": issue.product, "owner": issue.owner, "on_call": issue.on_call,
        "holder": issue.holder, "cause": issue.cause, "follow_up": issue.follow_up,
        "entry": issue.entry,
    }  # fmt: skip
    category = issue.category.words if issue.category else ""
    found = searched(f"{issue.number}", issue.product, issue.owner, category, issue.title)
    return {
        "number": issue.number,
        "incident_id": issue.incident_id,
        "title": stored_text(issue.title),
        "words": stored_text(found),
        "opened_at": issue.opened_at,
        "tier": issue.tier,
        "category": issue.category.value if issue.category else None,
        "impact": RANK_OF_IMPACT[issue.impact] if issue.impact else None,
        "urgency": RANK_OF_URGENCY[issue.urgency] if issue.urgency else None,
        "priority": issue.priority.value,
        "status": issue.standing.value,
        "deadline_at": issue.deadline,
        "healthy_at": issue.healthy_at,
        "recurs": issue.recurs,
        **{name: stored_text(text)[:300] or None for name, text in texts.items()},
        **{
            name: None if span is None else span // timedelta(seconds=1)
            for name, span in spans.items()
        },
    }


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
