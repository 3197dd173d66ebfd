"""An incident: what people work on, and the transitions of its state."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from rules.alert import Alert, AlertStatus, Severity
from rules.category import Category
from rules.corrected import Correction
from rules.hours import Hours
from rules.policy import Policy
from rules.priority import Impact, Priority, Urgency
from rules.shown_alert import (
    SHOWN_ALERTS,
    Bond,
    ShownAlert,
    make_room,
    remembered,
    shown_as,
)
from rules.verification import Interval, Verdict, Verification

MOST_SPLIT = 50


class State(StrEnum):
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakes:
    """What an incident puts at stake, as the catalogue and the promises tell.

    `deadline` is the promise's, fixed when the incident opened; `respond`, `fix` and `run` are
    what a repair is taken to need; `changes_at` is when the urgency will next be another.
    `path` names the assets from the broken one to the best known consumer; `promised` the product
    downstream whose promise the deadline is, "" when it is its own. `readers` names the first
    dashboards and products downstream; `owner_how` says where the owner is from when nobody wrote
    it down. With `consumers` the data is wrong, and the deadline is when they next read it.
    """

    name: str
    impact: Impact
    urgency: Urgency
    product: str = ""
    asset: str = ""
    owner: str = ""
    owner_how: str = ""
    team: str = ""
    tier: int = 0
    runbook: str = ""
    impact_why: str = ""
    urgency_why: str = ""
    products_hit: int = 0
    exposures_hit: int = 0
    path: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    promised: str = ""
    deadline: datetime | None = None
    consumers: Hours | None = None
    respond: timedelta = timedelta(0)
    fix: timedelta = timedelta(0)
    run: timedelta = timedelta(0)
    changes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mutedness:
    until: datetime
    by: str
    why: str


@dataclass(frozen=True, kw_only=True)  # without slots: `but` copies it whole, ten times faster
class Incident:
    """One incident, frozen; a transition returns a new one.

    `number` is what people call it. `policy` is the copy frozen when it opened; `pages` tells
    whether its priority runs that policy. `about` is what the catalogue said of its first alert.
    `step` and `round` are where the policy stands,
    `generation` counts how often it was started over. `paged` are all who ever got a page,
    `awaiting` those of the latest step whose page has not failed, and `reached` tells whether
    this round found anybody; `first_paged_at` and `first_acked_at` stay whatever follows, for what
    is learnt from it, as does `occurred_at`, when it broke as its first alert told. `hidden` is what was silenced from its beginning: no message shows
    it. `category` is None in incidents of before there were categories, and `confidence` goes from
    0 to 1. `stakes` is None where the catalogue knows nothing of it; `held_until` is until when its
    first page waits; `correction` is what a person put right, and `quiet_rule` names the rule that
    lets it page nobody. `asset`, `product` and `run_key` tell what its cause is about; `consequences`
    counts the alerts that followed from it, `skipped` the nodes that were never run because of it,
    and `split_off` names the alerts that people said have a cause of their own, `split_from` the
    incident it was split off. `bad` is the interval its data is bad for, where alerts tell it, and
    `bad_parts` the stretches of it that failed.
    `verification` is that of the last claim that it is fixed, None before the first; `unproved`
    counts the claims that turned out wrong. `blocking_tasks` keep it from being closed, and
    `closed_at` is when it was. The five timers stand last; `wake_at` is the nearest.
    """

    id: str
    number: int
    source: str
    dedup_key: str
    group_key: str
    title: str
    opened_at: datetime
    priority: Priority
    severity: Severity
    route: str
    channel: str
    rotation: str
    policy: Policy
    pages: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    url: str = ""
    state: State = State.TRIGGERED
    version: int = 0
    previous: int | None = None
    unreadable: bool = False
    storm: bool = False
    hidden: bool = False
    flapping: bool = False
    openings: int = 1

    category: Category | None = None
    category_alt: Category | None = None
    confidence: float = 0.0
    stakes: Stakes | None = None
    held_until: datetime | None = None
    correction: Correction | None = None
    quiet_rule: str = ""

    asset: str = ""
    product: str = ""
    run_key: str = ""
    consequences: int = 0
    skipped: int = 0
    split_off: tuple[tuple[str, str], ...] = ()
    split_from: int | None = None
    bad: Interval | None = None
    bad_parts: tuple[Interval, ...] = ()

    alerts: tuple[ShownAlert, ...] = ()
    alert_count: int = 0
    firing_count: int = 0
    last_alert_at: datetime | None = None
    occurred_at: datetime | None = None

    generation: int = 0
    round: int = 0
    step: int = 0
    exhausted: bool = False
    gated: bool = False
    paged: tuple[str, ...] = ()
    awaiting: tuple[str, ...] = ()
    reached: bool = False
    first_paged_at: datetime | None = None
    first_acked_at: datetime | None = None

    acked_by: str = ""
    acked_at: datetime | None = None
    snoozed_by: str = ""
    assigned_to: str = ""
    resolved_by: str = ""
    resolved_at: datetime | None = None
    note: str = ""
    muted: Mutedness | None = None
    verification: Verification | None = None
    unproved: int = 0
    blocking_tasks: int = 0
    closed_at: datetime | None = None

    step_due_at: datetime | None = None
    ack_expires_at: datetime | None = None
    ack_confirm_by: datetime | None = None
    snoozed_until: datetime | None = None
    settles_at: datetime | None = None

    @property
    def wake_at(self) -> datetime | None:
        """Return when time itself next matters to this incident, None when it does not."""
        timers = (
            self.step_due_at,
            self.ack_expires_at,
            self.ack_confirm_by,
            self.snoozed_until,
            self.settles_at,
            self.muted.until if self.muted else None,
            self.stakes.changes_at if self.stakes and self.is_open else None,
            self.verification.look_at if self.verification and self.is_pending else None,
        )
        return min((t for t in timers if t is not None), default=None)

    @property
    def is_open(self) -> bool:
        return self.state is not State.RESOLVED

    @property
    def is_pending(self) -> bool:
        """Tell whether it is resolved and waits for the proof of that."""
        return not self.is_open and self.verification is not None and self.verification.is_pending

    @property
    def is_closed(self) -> bool:
        """Tell whether nothing more is to come of it: what fires again opens another."""
        return not self.is_open and not self.is_pending and self.blocking_tasks == 0

    @property
    def takes_alerts(self) -> bool:
        """Tell whether its own alerts still belong to it when they fire again."""
        return self.is_open or self.is_pending

    @property
    def verified_at(self) -> datetime | None:
        """Return when its fix was proved, None when it was not or needed no proof."""
        seen = self.verification
        return seen.ended_at if seen and seen.verdict is Verdict.PASSED else None

    @property
    def is_actionable(self) -> bool:
        """Tell whether it may page by itself: a person's word counts before that of a rule."""
        told = self.correction.actionable if self.correction else None
        return not self.quiet_rule if told is None else told

    @property
    def known(self) -> Mapping[str, str]:
        """Return what is known of it beside its labels, under the names that matchers use."""
        found = {
            **self.about,
            "category": self.category.value if self.category else "",
            "product": self.product,
            "priority": self.priority.value,
        }
        if at := self.stakes:
            found |= {"impact": at.impact.value, "urgency": at.urgency.value}
            more = {"asset": at.asset, "team": at.team, "owner": at.owner}
            found |= {name: value for name, value in more.items() if value}
            found |= {"tier": str(at.tier)} if at.tier else {}
        return {name: value for name, value in found.items() if value}

    def but(self, **changes: Any) -> "Incident":
        """Return a copy with these fields changed, as dataclasses.replace does. Raises TypeError."""
        if not changes.keys() <= _FIELDS:
            raise TypeError(f"an incident has no {', '.join(sorted(changes.keys() - _FIELDS))}")
        copy = object.__new__(Incident)
        copy.__dict__.update(self.__dict__)
        copy.__dict__.update(changes)
        return copy

    def ack(self, by: str, now: datetime, expires_at: datetime | None) -> "Incident":
        return self._without_timers().but(
            state=State.ACKNOWLEDGED,
            acked_by=by,
            acked_at=now,
            assigned_to=by,
            ack_expires_at=expires_at,
        )

    def snooze(self, by: str, now: datetime, until: datetime) -> "Incident":
        acked = self.ack(by, now, None)
        return acked.but(snoozed_by=by, snoozed_until=until)

    def trigger(self) -> "Incident":
        """Start again: nobody has it, the policy begins at its first step."""
        return self._without_timers().but(
            state=State.TRIGGERED,
            acked_by="",
            acked_at=None,
            assigned_to="",
            resolved_by="",
            resolved_at=None,
            closed_at=None,
            note="",
            muted=None,
            generation=self.generation + 1,
            round=0,
            step=0,
            exhausted=False,
            awaiting=(),
            reached=False,
        )

    def mute(self, muted: Mutedness) -> "Incident":
        return self._without_timers().but(muted=muted)

    def resolve(self, by: str, now: datetime, note: str = "") -> "Incident":
        return self._without_timers().but(
            state=State.RESOLVED,
            resolved_by=by,
            resolved_at=now,
            note=note,
            muted=None,
            settles_at=None,
        )

    def with_alert(
        self,
        alert: Alert,
        before: AlertStatus | None,
        now: datetime,
        *,
        bond: Bond = Bond.OWN,
        asset: str = "",
        product: str = "",
    ) -> "Incident":
        """Count an alert in; `before` is its status in this incident, None when it is new.

        `bond`, `asset` and `product` are what it is here when it is new.
        """
        old = self.shown(alert)
        alert = remembered(alert, before, old)
        fires = alert.status is AlertStatus.FIRING
        was_firing = before is AlertStatus.FIRING
        kept = [a for a in self.alerts if a is not old]
        if old is None:
            shown = shown_as(alert, None, now, bond, (asset, product))
        else:
            about = old.asset or asset, old.product or product
            shown = shown_as(alert, old, now, old.bond, about)
        if len(kept) >= SHOWN_ALERTS and old is None and not fires:
            kept_and_new = kept
        else:
            kept_and_new = [*make_room(kept), shown]
        return self.but(
            alerts=tuple(kept_and_new),
            alert_count=self.alert_count + (before is None),
            firing_count=max(0, self.firing_count + fires - was_firing),
            consequences=self.consequences + (before is None and bond is Bond.CONSEQUENCE),
            last_alert_at=now,
        )

    def shown(self, alert: Alert) -> ShownAlert | None:
        """Return what the incident remembers of an alert, None when it has forgotten it."""
        return next((a for a in self.alerts if a.is_of(alert)), None)

    def bond_of(self, alert: Alert) -> Bond:
        shown = self.shown(alert)
        return shown.bond if shown else Bond.OWN

    def without_alert(self, gone: ShownAlert) -> "Incident":
        """Forget an alert that belongs elsewhere, and keep it from joining again."""
        split = (*self.split_off, (gone.source, gone.dedup_key))
        return self.but(
            alerts=tuple(a for a in self.alerts if a is not gone),
            alert_count=max(0, self.alert_count - 1),
            firing_count=max(0, self.firing_count - (gone.status is AlertStatus.FIRING)),
            consequences=max(0, self.consequences - (gone.bond is Bond.CONSEQUENCE)),
            split_off=split[-MOST_SPLIT:],
        )

    def with_paged(self, *people: str) -> "Incident":
        return self.but(paged=tuple(dict.fromkeys((*self.paged, *people))))

    def _without_timers(self) -> "Incident":
        """Stop every timer of paging; settling is about the alerts and goes on."""
        return self.but(
            step_due_at=None,
            ack_expires_at=None,
            ack_confirm_by=None,
            snoozed_until=None,
            snoozed_by="",
            gated=False,
            held_until=None,
        )


_FIELDS = frozenset(one.name for one in fields(Incident))
