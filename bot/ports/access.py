"""Elevated groups: the places they live in, and what is kept of grants.

What people are told goes out as jobs of kind `access_tell`. Their payload: `what` (a `Telling`),
`grant` (an id, "" when it is about a group), `group`, either `person` (a key: a direct message)
or `channel`, and `sentence` (bot.wire.sentence_to_json), which is complete without any button.
Who shows it adds the buttons that fit `what`, and edits what it showed before on `grant`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rules.access.grant import Grant
from rules.access.ledger import Entry
from rules.access.telling import Telling as Telling  # noqa: PLC0414 - a part of this port

ACCESS_TELL = "access_tell"
ACCESS_SYNC = "access_sync"
"""Makes one group what the ledger says; payload `group`."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a group; `expires_at` when the back-end itself ends it, None: never.

    `pending`: invited, so that it has nothing yet, and can have it at any time without us.
    """

    account: str
    expires_at: datetime | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a back-end can do.

    `propagation` tells people how long a change takes to work, like "up to a few minutes"; ""
    when it is at once. Without `can_list` its own word counts as having been seen.
    """

    native_expiry: bool = False
    can_list: bool = True
    propagation: str = ""


class Backend(Protocol):
    """One place where groups live. `group` is its own name of the group, `account` of a person.

    Every method may be repeated at any time: granting again sets `until` anew, revoking who is
    not in succeeds. Accounts are compared without regard to case, and otherwise exactly. Raises
    RetryLaterError (also for time-outs, with `unsure`) or GiveUpError, whose texts are shown to
    people and hold no secrets; revocation goes on being tried even after GiveUpError.
    """

    @property
    def capabilities(self) -> Capabilities: ...
    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:
        """Put the account in; `key` names the grant. `until` is set where expiry is native."""
        ...

    async def revoke(self, group: str, account: str) -> None: ...
    async def members(self, group: str) -> Sequence[Member]:
        """Return all direct members, afresh; none without `can_list`."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStanding:
    """How one group stands: when it was last compared, and what is wrong.

    `strangers` are accounts that were told of as nobody's, `members` those last seen in it,
    `lately` those whose grants ended just now, and when. `withheld`: people whose grant by
    rotation was revoked by hand, and until when they stay out.
    """

    name: str
    looked_at: datetime | None = None
    """When its members were last read and compared, successfully."""
    due_at: datetime | None = None
    """When it is to be compared again at the latest."""
    attempts: int = 0
    troubled_since: datetime | None = None
    trouble: str = ""
    strangers: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    many_since: datetime | None = None
    """Since when there are so many strangers that they are not taken out at once."""
    lately: Mapping[str, datetime] = field(default_factory=dict)
    withheld: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workforce:
    """What Slack says of people: why some may have nothing, and who is in which user group."""

    barred: Mapping[str, str]
    groups: Mapping[str, frozenset[str]]


class WorkforceSource(Protocol):
    async def look(self, people: Sequence[str], groups: Sequence[str]) -> Workforce:
        """Tell who of these may have nothing. Raises RetryLaterError or GiveUpError."""
        ...


class AccessWrites(Protocol):
    """The part of a transaction that keeps grants; its first look locks them all until the end."""

    async def hold(self) -> None:
        """Lock all grants until the commit: they are decided one after another."""
        ...

    async def grant(self, grant_id: str) -> Grant | None: ...
    async def open_grants(self, group: str = "") -> Sequence[Grant]:
        """Return those in a state that does not last, of one group or of all, oldest first."""
        ...

    async def asked_since(self, group: str, person: str, since: datetime) -> Sequence[Grant]:
        """Return what the person asked for since then and was not refused."""
        ...

    async def revocations(self, group: str, person: str, since: datetime) -> Sequence[Entry]:
        """Return the ledger's lines since then of how the person's grants began to end."""
        ...

    def save(self, grant: Grant, wake_at: datetime | None) -> None: ...
    def note(self, entry: Entry) -> None:
        """Write a line of the ledger; none is ever changed or deleted."""
        ...

    async def used_for(self, incident: int) -> Sequence[str]:
        """Return the groups that somebody was in for an incident, as the ledger tells; no lock."""
        ...

    async def standing(self, group: str) -> GroupStanding: ...
    def save_standing(self, standing: GroupStanding) -> None: ...


class AccessReads(Protocol):
    """Read-only answers about grants; every method may raise NotStoredError."""

    async def grant(self, grant_id: str) -> Grant | None: ...
    async def open_grants(self, group: str = "") -> Sequence[Grant]: ...
    async def grants(self, since: datetime, limit: int) -> Sequence[Grant]:
        """Return grants requested since then or still open, newest first."""
        ...

    async def ledger(
        self, start: datetime, end: datetime, *, grant: str = "", limit: int = 10_000
    ) -> Sequence[Entry]:
        """Return the ledger's lines in [start, end), oldest first."""
        ...

    async def standings(self) -> Sequence[GroupStanding]: ...
    async def next_wake(self) -> datetime | None:
        """Return when the next grant or group is due, None when nothing is."""
        ...
