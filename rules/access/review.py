"""The monthly review of elevated access: every grant, what for, how long; and what nobody used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.access.grant import Grant, GrantState
from rules.access.group import AccessGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One grant of the period; `lasted` is how long the person was seen in the group within it.

    `late` is by how much it outlived its end, zero when it did not.
    """

    grant: Grant
    lasted: timedelta
    late: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What happened in [start, end).

    `unused_groups` nobody had; `unused_people` may ask by name and did not, by group.
    """

    start: datetime
    end: datetime
    grants: tuple[Reviewed, ...]
    unused_groups: tuple[str, ...]
    unused_people: Mapping[str, tuple[str, ...]]

    @property
    def lasted(self) -> timedelta:
        return sum((one.lasted for one in self.grants), timedelta(0))


def review(
    grants: Iterable[Grant],
    groups: Mapping[str, AccessGroup],
    *,
    start: datetime,
    end: datetime,
    now: datetime,
) -> Review:
    """Sum a period up; of grants still open what has passed of them by `now` counts."""
    within = [one for one in grants if _touches(one, start, end, now)]
    found = sorted((_reviewed(one, start, end, now) for one in within), key=_order)
    had = [(one.grant.group, one.grant.person) for one in found if one.grant.active_since]
    return Review(
        start=start,
        end=end,
        grants=tuple(found),
        unused_groups=tuple(sorted(set(groups) - {group for group, _ in had})),
        unused_people={
            name: idle for name, group in sorted(groups.items()) if (idle := _idle(group, had))
        },
    )


def _order(one: Reviewed) -> tuple[str, datetime, str]:
    return one.grant.group, one.grant.requested_at, one.grant.id


def _idle(group: AccessGroup, had: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(p for p in group.may_ask.people if (group.name, p) not in had)


def _touches(grant: Grant, start: datetime, end: datetime, now: datetime) -> bool:
    if start <= grant.requested_at < end:
        return True
    return grant.requested_at < end and _last(grant, now) > start


def _last(grant: Grant, now: datetime) -> datetime:
    return now if grant.is_open else grant.gone_since or grant.requested_at


def _reviewed(grant: Grant, start: datetime, end: datetime, now: datetime) -> Reviewed:
    lasted = late = timedelta(0)
    if grant.active_since is not None:
        gone = _last(grant, now)
        lasted = max(min(gone, end) - max(grant.active_since, start), timedelta(0))
    if grant.revoke_at is not None and grant.state in {GrantState.REVOKING, GrantState.ENDED}:
        late = max(_last(grant, now) - grant.revoke_at, timedelta(0))
    return Reviewed(grant=grant, lasted=lasted, late=late)
