"""An elevated group, and the rules by which somebody may be in it for a while."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from rules.access.trusting import Named, trusted
from rules.rotation import OnCall


@dataclass(frozen=True, slots=True)
class Duty:
    """Being on call: for a role of a rotation, any of its roles when `role` is empty."""

    rotation: str
    role: str = ""

    def roles(self, on_call: OnCall) -> tuple[str, ...]:
        return (self.role,) if self.role else on_call.roles(self.rotation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """People by any of: being on call, their key, a Slack user group's handle."""

    on_call: tuple[Duty, ...] = ()
    people: tuple[str, ...] = ()
    slack_groups: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.on_call or self.people or self.slack_groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessGroup:
    """One elevated group. Without `approvers` nobody is asked.

    `break_glass`: whoever is on call for these may have it unapproved while a P1 or P2 is open.
    `grace` is how long it lasts after its incident's end, None: it outlasts the incident. Each of
    `extensions` lengthens by `extend_by`. `accounts` are people's names at the back-end where
    they are not their e-mail. `permanent` accounts are always in. Of an `owned` group everybody
    whom the ledger does not know is removed, unless `dry_run`: then they are only named. With a
    roster older than `roster_age` nobody comes in by their rotation without a person's word.
    """

    name: str
    follows: tuple[Duty, ...] = ()
    may_ask: Whom = field(default_factory=Whom)
    approvers: Whom = field(default_factory=Whom)
    approval_wait: timedelta = timedelta(minutes=10)
    break_glass: tuple[Duty, ...] = ()
    owners: tuple[str, ...] = ()
    longest: timedelta = timedelta(hours=4)
    reason_required: bool = True
    incident_required: bool = False
    extensions: int = 1
    extend_by: timedelta = timedelta(hours=1)
    weekly_limit: int | None = None
    grace: timedelta | None = timedelta(minutes=30)
    ends_with_shift: bool = False
    roster_age: timedelta = timedelta(hours=1)
    owned: bool = False
    dry_run: bool = True
    permanent: tuple[str, ...] = ()
    accounts: Mapping[str, str] = field(default_factory=dict)
    propagation: str = ""
    """What people are told of how long a change takes at the back-end; "" when it is at once."""

    @property
    def shifts(self) -> tuple[Duty, ...]:
        """Return what being on shift means for whoever has it for the rest of theirs."""
        return self.may_ask.on_call or self.break_glass or self.follows


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRules:
    """All groups, and what Slack tells of people.

    `barred` is by person why they may have nothing: a bot, a guest, deactivated, unknown.
    `in_slack_group` is by handle who is in it. `named` is whom the roster's own rows name, by
    rotation: being on call opens a group to them only, None: to anybody. `looked_up` are those of
    whom Slack has told: nobody else comes in by their rotation, None: everybody may.
    """

    groups: Mapping[str, AccessGroup] = field(default_factory=dict)
    barred: Mapping[str, str] = field(default_factory=dict)
    in_slack_group: Mapping[str, frozenset[str]] = field(default_factory=dict)
    named: Named | None = None
    looked_up: frozenset[str] | None = None

    def is_looked_up(self, person: str) -> bool:
        return self.looked_up is None or person in self.looked_up

    def on_call(self, everybody: OnCall) -> OnCall:
        """Return who is on call as far as access is concerned."""
        return trusted(everybody, self.named)


def account_of(group: AccessGroup, person: str) -> str:
    """Return the person's name at the group's back-end, "" when none is known."""
    folded = {key.lower(): account for key, account in group.accounts.items()}
    return folded.get(person.lower()) or ("" if person.startswith("slack:") else person.lower())
