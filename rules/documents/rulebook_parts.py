"""Rulebook documents, laid over each other, as the parts a RuleBook is built from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from rules.alert import Severity
from rules.documents.category_parts import category_rules
from rules.documents.journal_parts import journal_rules
from rules.documents.overruling_parts import impact_rules, not_actionable_rules
from rules.documents.priority_parts import priority_rules
from rules.documents.rulebook_spec import (
    FoldingSpec,
    MaintenanceWindowSpec,
    RouteSpec,
    RulebookSpec,
    StepSpec,
    TargetSpec,
)
from rules.documents.spec import hours_of
from rules.documents.tasks_parts import task_rules
from rules.documents.verification_parts import verifying_rules
from rules.documents.written import NEVER
from rules.documents.yaml_document import Document
from rules.folding import FoldingRule
from rules.journal.template import JournalRules
from rules.people import People
from rules.policy import (
    AtLeast,
    Channel,
    NextOnCallOf,
    OnCallOf,
    OnePerson,
    Policy,
    Step,
    Target,
    UserGroup,
    Webhook,
)
from rules.priority import Priority
from rules.rotation import OnCall
from rules.rulebook import DEFAULT_PRIORITIES, FlappingRule, Route, RuleBook, StormRule
from rules.silence import MaintenanceWindow, Silence
from rules.tasks.task import TaskRule
from rules.verifying.settings import VerifyingRules
from rules.weighing.categorise import CategoryRules
from rules.weighing.overruling import ImpactOverrules, NotActionable
from rules.weighing.priority_rules import PriorityRules

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Draft:
    """One document of the rulebook, still with its places."""

    document: Document
    spec: RulebookSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the rest of the configuration offers to the rulebook."""

    people: People
    webhooks: frozenset[str] = frozenset()
    alerts_channel: str = ""
    first_rotation: str = ""
    first_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulebookParts:
    """All of a RuleBook that stands in files; silences and who is on call change without them."""

    policies: Mapping[str, Policy]
    routes: tuple[Route, ...]
    priorities: Mapping[Severity, Priority]
    pages: frozenset[Priority]
    ack_timeout: timedelta | None
    ack_confirm: timedelta
    fallback: tuple[str, ...]
    fallback_every: timedelta
    flapping: FlappingRule
    storm: StormRule
    folding: FoldingRule
    priority_rules: PriorityRules
    categories: CategoryRules
    impact_rules: ImpactOverrules
    not_actionable: NotActionable
    windows: tuple[MaintenanceWindow, ...]
    tasks: tuple[TaskRule, ...] = ()
    journal: JournalRules = field(default_factory=JournalRules)
    verifying: VerifyingRules = field(default_factory=VerifyingRules)

    def rulebook(self, *, on_call: OnCall, silences: Iterable[Silence] = ()) -> RuleBook:
        """Build the RuleBook; routes without a rotation get the roster's first."""
        first = next(iter(on_call.rotations), "")
        return RuleBook(
            policies=self.policies,
            routes=tuple(replace(r, rotation=r.rotation or first) for r in self.routes),
            priorities=self.priorities,
            pages=self.pages,
            ack_timeout=self.ack_timeout,
            ack_confirm=self.ack_confirm,
            fallback=self.fallback,
            fallback_every=self.fallback_every,
            flapping=self.flapping,
            storm=self.storm,
            folding=self.folding,
            priority_rules=self.priority_rules,
            categories=self.categories,
            impact_rules=self.impact_rules,
            not_actionable=self.not_actionable,
            windows=self.windows,
            tasks=self.tasks,
            journal=self.journal,
            verifying=self.verifying,
            silences=tuple(silences),
            on_call=on_call,
        )


def assemble(drafts: Sequence[Draft], around: Surroundings) -> RulebookParts:
    """Lay later documents over earlier ones; they must have passed `cross_check`."""
    specs = [draft.spec for draft in drafts]
    default = RuleBook(policies={}, routes=())
    ack_timeout = _last((s.ack_timeout for s in specs), default.ack_timeout)
    pages: dict[Priority, str] = dict.fromkeys(default.pages, "page")
    priorities = dict(DEFAULT_PRIORITIES)
    flapping, storm, folding = default.flapping, default.storm, default.folding
    for spec in specs:
        pages |= spec.pages
        priorities |= spec.priorities
        if spec.flapping:
            flapping = replace(flapping, **spec.flapping.model_dump(exclude_unset=True))
        if spec.storm:
            storm = replace(storm, **spec.storm.model_dump(exclude_unset=True))
        if spec.folding:
            folding = _folding(folding, spec.folding)
    return RulebookParts(
        policies=_policies(specs, around.people),
        routes=tuple(_route(r, around) for r in routes_in_order(specs)),
        priorities=priorities,
        pages=frozenset(p for p, what in pages.items() if what == "page"),
        ack_timeout=None if ack_timeout == NEVER else ack_timeout,
        ack_confirm=_last((s.ack_confirm for s in specs), default.ack_confirm),
        fallback=tuple(
            dict.fromkeys(
                around.people.find(name).key
                for name in _last((s.fallback or None for s in specs), ())
            )
        ),
        fallback_every=_last((s.fallback_every for s in specs), default.fallback_every),
        flapping=flapping,
        storm=storm,
        folding=folding,
        priority_rules=priority_rules(specs, around.first_zone),
        categories=category_rules([spec.categories for spec in specs]),
        impact_rules=impact_rules(specs),
        not_actionable=not_actionable_rules(specs),
        journal=journal_rules(spec.journal for spec in specs),
        windows=tuple({w.name: _window(w) for s in specs for w in s.maintenance_windows}.values()),
        tasks=task_rules(spec.tasks for spec in specs),
        verifying=verifying_rules(spec.verification for spec in specs),
    )


def _folding(rule: FoldingRule, spec: FoldingSpec) -> FoldingRule:
    given = spec.model_fields_set
    return FoldingRule(
        within=spec.within if "within" in given else rule.within,
        never=frozenset(spec.never) if "never" in given else rule.never,
    )


def routes_in_order(specs: Sequence[RulebookSpec]) -> list[RouteSpec]:
    """Return the routes as they are tried: later documents first, each name once.

    What stands behind a route without matchers is never tried and left out.
    """
    by_name: dict[str, RouteSpec] = {}
    for spec in reversed(specs):
        for route in spec.routes:
            by_name.setdefault(route.name, route)
            if not by_name[route.name].conditions:
                return list(by_name.values())
    return list(by_name.values())


def _last(values: Iterable[T | None], default: U) -> T | U:
    given = [value for value in values if value is not None]
    return given[-1] if given else default


def _policies(specs: Sequence[RulebookSpec], people: People) -> dict[str, Policy]:
    return {
        name: Policy(name, tuple(_step(step, people) for step in steps))
        for spec in specs
        for name, steps in spec.escalation_policies.items()
    }


def _route(spec: RouteSpec, around: Surroundings) -> Route:
    return Route(
        name=spec.name,
        policy=spec.policy,
        channel=(spec.channel or around.alerts_channel).lstrip("#"),
        rotation=spec.rotation or around.first_rotation,
        matchers=spec.conditions,
        default_channel=not spec.channel,
        default_rotation=not spec.rotation,
    )


def _step(spec: StepSpec, people: People) -> Step:
    return Step(
        targets=tuple(_target(target, people) for target in spec.page),
        wait=spec.wait,
        repeat=spec.repeat,
        only_during=hours_of(spec.only_during) if spec.only_during else None,
        outside=spec.only_during.outside if spec.only_during else "wait",
        only_if=AtLeast(spec.only_if.alerts, spec.only_if.within) if spec.only_if else None,
    )


def _target(spec: TargetSpec, people: People) -> Target:
    if spec.on_call:
        return OnCallOf(spec.on_call.role, spec.on_call.rotation)
    if spec.next_on_call:
        return NextOnCallOf(spec.next_on_call.role, spec.next_on_call.rotation)
    if spec.person:
        return OnePerson(people.find(spec.person).key)
    if spec.user_group:
        return UserGroup(spec.user_group.lstrip("@"))
    if spec.channel:
        return Channel(spec.channel.lstrip("#"))
    assert spec.webhook
    return Webhook(spec.webhook)


def _window(spec: MaintenanceWindowSpec) -> MaintenanceWindow:
    return MaintenanceWindow(
        name=spec.name,
        matchers=spec.conditions,
        starts_at=spec.starts,
        ends_at=spec.ends,
        hours=hours_of(spec.hours) if spec.hours else None,
    )
