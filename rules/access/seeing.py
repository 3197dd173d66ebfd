"""Compares a group as the back-end shows it with the ledger: who must go in, who must come out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup
from rules.access.ledger import Happening
from rules.access.telling import Step, Tell, Telling, entry
from rules.sentence import Who, say

OURS_FOR = timedelta(minutes=15)
"""An account that comes back so soon after its end does so by a late answer of the back-end's."""

MANY, HELD_FOR = 5, timedelta(hours=1)
"""More strangers than that are named, and taken out only so long afterwards: a ledger or a setting
that is not what it should be must not empty a group before anybody has seen it."""

_SAME_END = timedelta(seconds=2)
"""Back-ends may keep ends to the second only."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An account as the back-end shows it; `pending`: invited, and so neither in nor gone."""

    account: str
    expires_at: datetime | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account that must be in, for whom, and until when at the latest."""

    account: str
    grant: str
    until: datetime | None
    missing: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: take out first, then put in. `strangers` are in, and nobody granted them that.

    `held_until` is when they are taken out, where that is not at once.
    """

    remove: tuple[str, ...] = ()
    add: tuple[Wanted, ...] = ()
    strangers: tuple[str, ...] = ()
    held_until: datetime | None = None


def fold(account: str) -> str:
    """Return what two spellings of an account have in common: all but the case of letters."""
    return account.strip().casefold()


def plan(
    group: AccessGroup,
    grants: Sequence[Grant],
    seen: Iterable[Seen],
    *,
    native_expiry: bool,
    ours: Collection[str] = (),
) -> Plan:
    """Say what makes the members what the grants say.

    `grants` are the group's open ones, `ours` accounts whose grants have just ended. In a shared
    group nobody else's member is ever touched.
    """
    shown = {fold(one.account): one for one in seen}
    wanted = _wanted(group, grants, shown, native_expiry=native_expiry)
    stay = {fold(one) for one in group.permanent} | {fold(one.account) for one in wanted}
    # what never began put nobody in: who is there had it before
    ending = {fold(g.account): g for g in grants if g.state is GrantState.REVOKING and g.started_at}
    remove = [
        shown[key].account if key in shown else grant.account
        for key, grant in ending.items()
        if (key in shown or never_shown(grant))
        and key not in stay
        and not stays_anyway(group, grant)
    ]
    again = {fold(one) for one in ours} - stay - ending.keys()
    remove += [one.account for key, one in shown.items() if key in again]
    strangers: tuple[str, ...] = ()
    if group.owned:
        known = stay | ending.keys() | again
        strangers = tuple(sorted(one.account for key, one in shown.items() if key not in known))
        if not group.dry_run:
            remove += strangers
    missing = tuple(one for one in wanted if one.missing)
    return Plan(tuple(remove), missing, strangers)


def elsewhere(grant: Grant, place: str) -> bool:
    """Tell whether it was begun in another place than the one that the group has now."""
    return bool(place and grant.place) and grant.place != place


def stays_anyway(group: AccessGroup, grant: Grant) -> bool:
    """Tell whether the account was in before us, where that is not ours to change."""
    if fold(grant.account) in {fold(one) for one in group.permanent}:
        return True
    return grant.was_member and not (group.owned and not group.dry_run)


def never_shown(grant: Grant) -> bool:
    """Tell whether it was begun and never seen, which does not say that nobody was put in.

    A back-end's list can be late, or show another of a person's names than the one we gave.
    """
    return grant.started_at is not None and grant.active_since is None and not _refused(grant)


def held_back(
    it: Plan, group: AccessGroup, since: datetime | None, now: datetime
) -> tuple[Plan, datetime | None]:
    """Put off taking out unusually many strangers; `since` is when they were first held back."""
    if group.dry_run or len(it.strangers) <= MANY:
        return it, None
    began = since or now
    if now >= began + HELD_FOR:
        return it, began
    remove = tuple(one for one in it.remove if one not in it.strangers)
    return replace(it, remove=remove, held_until=began + HELD_FOR), began


def begin(
    grant: Grant, others: Sequence[Grant], seen: Iterable[Seen], now: datetime, *, place: str = ""
) -> Step:
    """Note that it is about to be put in, where, and whether the account was in without us."""
    ours = {fold(one.account) for one in others if one.started_at is not None}
    there = {fold(one.account) for one in seen if not one.pending}
    key = fold(grant.account)
    before = key in there and key not in ours
    if key in ours:
        before = any(one.was_member for one in others if fold(one.account) == key)
    begun = grant.but(started_at=now, was_member=before, place=place)
    line = entry(begun, Happening.GRANT_STARTED, now, account=grant.account,
                 was_member=str(before).lower())  # fmt: skip
    return Step(begun, (line,))


def look_at(
    grant: Grant,
    group: AccessGroup,
    wanted_by_others: Collection[str],
    seen: Mapping[str, Seen],
    now: datetime,
    *,
    failing: Collection[str] = (),
) -> Step | None:
    """Draw what follows of seeing the group; None when nothing does.

    `seen` is by folded account; `wanted_by_others` are folded accounts that other grants keep in,
    `failing` those of which a call has just failed.
    """
    key = fold(grant.account)
    shown = seen.get(key)
    there = shown is not None and not shown.pending
    if grant.state is GrantState.GRANTING and grant.started_at is not None and there:
        return _active(grant, group, now)
    if grant.state is not GrantState.REVOKING:
        return None
    stays = key in wanted_by_others or stays_anyway(group, grant)
    gone = shown is None and not (never_shown(grant) and key in failing)
    if gone or stays or grant.started_at is None:
        return _gone(grant, now, stays=stays and there)
    return None


def repaired(grant: Grant, now: datetime) -> Step | None:
    """Note that somebody else had taken the account out, so that what it has now is of our making.

    None when nothing follows.
    """
    ours = grant.but(was_member=False)
    if grant.state is GrantState.ACTIVE:
        return Step(ours, (entry(ours, Happening.GRANT_REPAIRED, now, account=grant.account),))
    return Step(ours) if grant.state is GrantState.GRANTING and grant.was_member else None


def troubled(grant: Grant, why: str, now: datetime) -> Grant:
    """Remember since when and why the back-end does not do what it should."""
    return grant.but(trouble=why, troubled_since=grant.troubled_since or now)


def _wanted(
    group: AccessGroup,
    grants: Sequence[Grant],
    shown: Mapping[str, Seen],
    *,
    native_expiry: bool,
) -> list[Wanted]:
    latest: dict[str, Grant] = {}
    for grant in grants:
        if not grant.is_wanted:
            continue
        key = fold(grant.account)
        if key not in latest or _later(grant, latest[key]):
            latest[key] = grant
    permanent = {fold(one) for one in group.permanent}
    found = []
    for key, grant in latest.items():
        there = shown.get(key)
        # who was in before us keeps what they had: we set them no end
        ours = native_expiry and key not in permanent and not grant.was_member
        off = there is not None and ours and not _same(there.expires_at, grant.until)
        missing = there is None or (off and not there.pending)
        found.append(Wanted(grant.account, grant.id, grant.until, missing))
    return found


def _later(one: Grant, other: Grant) -> bool:
    return other.until is not None and (one.until is None or one.until > other.until)


def _same(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _SAME_END


def _active(grant: Grant, group: AccessGroup, now: datetime) -> Step:
    active = grant.but(
        state=GrantState.ACTIVE, active_since=now, alarms=0, trouble="", troubled_since=None
    )
    line = entry(active, Happening.GRANT_SEEN, now, account=grant.account)
    if grant.origin is Origin.ROTATION:
        return Step(active, (line,))
    slow = " The change takes {propagation} to work." if group.propagation else ""
    told = say(
        "You are in {group} since {since}, until {until}." + slow,
        group=grant.group, since=now, until=grant.until or now, propagation=group.propagation,
    )  # fmt: skip
    return Step(active, (line,), (Tell(Telling.ACTIVE, told, grant.person),))


def _gone(grant: Grant, now: datetime, *, stays: bool) -> Step:
    failed = grant.active_since is None and _refused(grant)
    state = GrantState.FAILED if failed else GrantState.ENDED
    ended = grant.but(state=state, gone_since=now, trouble="", troubled_since=None)
    what = Happening.GRANT_FAILED if state is GrantState.FAILED else Happening.REVOCATION_SEEN
    kept = {"kept": "the account stays for another reason"} if stays else {}
    line = entry(ended, what, now, why=grant.end_reason, account=grant.account, **kept)
    return Step(ended, (line,), _farewell(ended, now, stays=stays))


def _refused(grant: Grant) -> bool:
    return grant.end_reason.startswith("failed")


def _farewell(ended: Grant, now: datetime, *, stays: bool) -> tuple[Tell, ...]:
    tells: list[Tell] = []
    late = now - ended.revoke_at if ended.revoke_at else timedelta(0)
    if ended.origin is Origin.ASKED:
        words = "You are no longer in {group}: {why}."
        if stays:
            words = "This grant is over: {why}. You keep {group} for another reason."
        told = say(words, group=ended.group, why=ended.end_reason)
        tells.append(Tell(Telling.ENDED, told, ended.person))
    where = "stays in {group} for another reason" if stays else "is out of {group}"
    if ended.alarms:
        words = where if stays else f"{where} now, {{late}} late"
        over = say("🟢 {who} " + words + ".",
                   who=Who(ended.person), group=ended.group, late=late)  # fmt: skip
        tells.append(Tell(Telling.LATE, over))
    elif ended.break_glass:
        over = say("Break-glass is over: {who} " + where + ".",
                   who=Who(ended.person), group=ended.group)  # fmt: skip
        tells.append(Tell(Telling.ENDED, over))
    return tuple(tells)
