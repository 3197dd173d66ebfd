"""Google's events and ours: what is sent, and what is understood of what comes back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from rules.calendar.event import is_ours
from rules.calendar.plan import OWNER, TRANSPARENT, Present, Wanted

Json = dict[str, Any]

PEOPLES_OWN = ("colorId", "location", "reminders", "visibility")
"""What people may change of our events: it is sent back as it was."""

EVENT_FIELDS = (
    "id,etag,status,summary,description,start,end,transparency,recurrence,"
    "extendedProperties/private," + ",".join(PEOPLES_OWN)
)
LIST_FIELDS = f"nextPageToken,nextSyncToken,items({EVENT_FIELDS})"
_KEPT = frozenset(part.partition("/")[0] for part in EVENT_FIELDS.split(","))


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _TimePayload(_Payload):
    dateTime: datetime | None = None  # noqa: N815 - Google's name


class _PropertiesPayload(_Payload):
    private: dict[str, str] = {}


class _EventPayload(_Payload):
    id: str
    etag: str = ""
    status: str = ""
    summary: str = ""
    description: str = ""
    transparency: str = ""
    start: _TimePayload = _TimePayload()
    end: _TimePayload = _TimePayload()
    recurrence: list[str] = []
    extendedProperties: _PropertiesPayload = _PropertiesPayload()  # noqa: N815 - Google's name


def body_of(wanted: Wanted, before: Mapping[str, Any] | None = None) -> Json:
    """Return the whole event to insert or to put in place of `before`."""
    kept = {name: before[name] for name in PEOPLES_OWN if before and name in before}
    return {
        **kept,
        "id": wanted.id,
        "status": "confirmed",
        "summary": wanted.summary,
        "description": wanted.description,
        "start": {"dateTime": wanted.start.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": wanted.end.isoformat(), "timeZone": "UTC"},
        "transparency": TRANSPARENT,
        "extendedProperties": {
            "private": {"owner": OWNER, "rot": wanted.rotation, "fp": wanted.fingerprint}
        },
    }


def ours_of(item: object) -> Json | None:
    """Return what we keep of a listed event; None for everybody else's, which is not looked at."""
    if not isinstance(item, dict):
        return None
    identifier = item.get("id")
    if not (isinstance(identifier, str) and is_ours(identifier)):
        return None
    return {name: value for name, value in item.items() if name in _KEPT}


def present_of(item: Mapping[str, Any]) -> Present:
    """Return an event as the plan sees it; one that cannot be read counts as somebody else's."""
    try:
        event = _EventPayload.model_validate(item)
    except ValidationError:
        return Present(id=str(item.get("id", "")))
    tags = event.extendedProperties.private
    start, end = event.start.dateTime, event.end.dateTime
    return Present(
        id=event.id,
        etag=event.etag,
        cancelled=event.status == "cancelled",
        owner=tags.get("owner", ""),
        rotation=tags.get("rot", ""),
        fingerprint=tags.get("fp", ""),
        start=start if start is not None and start.tzinfo else None,
        end=end if end is not None and end.tzinfo else None,
        summary=event.summary,
        description=event.description,
        transparency=event.transparency,
        repeats=bool(event.recurrence),
    )
