"""Everything `decide` may consult: policies, routes, thresholds, silences, and who is on call."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from rules.access.group import AccessRules
from rules.alert import Severity
from rules.catalogue import Catalogue, Product
from rules.contacting.contacts import Contacts
from rules.expected_runs import ExpectedRuns
from rules.folding import FoldingRule
from rules.journal.template import JournalRules
from rules.lineage import Lineage
from rules.matching.label_index import indexed
from rules.matching.label_rules import LabelRules
from rules.matching.matcher import Condition
from rules.policy import Policy
from rules.priority import Priority
from rules.reliability.slo import Reliability
from rules.rotation import OnCall
from rules.runbooks.choosing import Runbooks
from rules.silence import MaintenanceWindow, Silence
from rules.tasks.task import TaskRule
from rules.verifying.settings import VerifyingRules
from rules.weighing.categorise import CategoryRules
from rules.weighing.history import History
from rules.weighing.overruling import ImpactOverrules, NotActionable
from rules.weighing.priority_rules import DEFAULT_PRIORITY_RULES, PriorityRules

DEFAULT_PRIORITIES: Mapping[Severity, Priority] = {
    Severity.CRITICAL: Priority.P1,
    Severity.ERROR: Priority.P2,
    Severity.UNKNOWN: Priority.P3,
    Severity.WARNING: Priority.P4,
    Severity.INFO: Priority.P5,
}


@dataclass(frozen=True, slots=True)
class Route:
    """Which policy, channel and rotation answer for alerts with these labels.

    Where a channel or a rotation is only the `default` one, a data product's own comes first.
    """

    name: str
    policy: str
    channel: str
    rotation: str
    matchers: tuple[Condition, ...] = ()
    default_channel: bool = False
    default_rotation: bool = False

    def for_product(self, product: Product | None) -> "Route":
        """Return the route with the product's own channel and rotation where it names none."""
        channel = product.channel.lstrip("#") if product and self.default_channel else ""
        rotation = product.rotation if product and self.default_rotation else ""
        if not (channel or rotation):
            return self
        return replace(self, channel=channel or self.channel, rotation=rotation or self.rotation)


@dataclass(frozen=True, slots=True)
class FlappingRule:
    """A thing that opens its `openings`-th incident `within` this time is said to flap.

    It is then held open until it has been quiet for `quiet`.
    """

    openings: int = 4
    within: timedelta = timedelta(hours=1)
    quiet: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class StormRule:
    """Past `incidents` of one source `within` this time, new alerts join one storm incident."""

    incidents: int = 10
    within: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """The rules in force, and the facts they are applied to.

    `routes` are tried in order; the last one has no matchers, so every alert has a route.
    `pages` are the priorities that page; the others only show. `ack_timeout` None means that
    an acknowledgement does not expire. `swap_approvers` are by rotation; none: nobody is asked.
    `mirrors_tasks`: each task also becomes an issue of a tracker.
    """

    policies: Mapping[str, Policy]
    routes: tuple[Route, ...]
    priorities: Mapping[Severity, Priority] = field(
        default_factory=lambda: dict(DEFAULT_PRIORITIES)
    )
    pages: frozenset[Priority] = frozenset({Priority.P1, Priority.P2, Priority.P3})
    ack_timeout: timedelta | None = timedelta(hours=2)
    ack_confirm: timedelta = timedelta(minutes=10)
    fallback: tuple[str, ...] = ()
    fallback_every: timedelta = timedelta(minutes=30)
    flapping: FlappingRule = FlappingRule()
    storm: StormRule = StormRule()
    folding: FoldingRule = field(default_factory=FoldingRule)
    verifying: VerifyingRules = field(default_factory=VerifyingRules)
    priority_rules: PriorityRules = DEFAULT_PRIORITY_RULES
    categories: CategoryRules = field(default_factory=CategoryRules)
    impact_rules: ImpactOverrules = field(default_factory=LabelRules)
    not_actionable: NotActionable = field(default_factory=LabelRules)
    windows: tuple[MaintenanceWindow, ...] = ()
    tasks: tuple[TaskRule, ...] = ()
    mirrors_tasks: bool = False
    runbooks: Runbooks = field(default_factory=Runbooks)
    silences: tuple[Silence, ...] = ()
    on_call: OnCall = field(default_factory=OnCall)
    swap_approvers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    access: AccessRules = field(default_factory=AccessRules)
    catalogue: Catalogue = field(default_factory=Catalogue)
    lineage: Lineage | None = None
    expected: ExpectedRuns = field(default_factory=ExpectedRuns)
    history: History = field(default_factory=History)
    reliability: Mapping[str, Reliability] = field(default_factory=dict)
    journal: JournalRules = field(default_factory=JournalRules)
    contacts: Contacts = field(default_factory=Contacts)

    def __post_init__(self) -> None:
        for name in ("routes", "windows", "silences"):
            object.__setattr__(self, name, indexed(getattr(self, name)))

    def fallback_of(self, rotation: str, *, again: bool = False) -> tuple[str, ...]:
        """Return whom to page when a policy has ended: the rotation's own people if it names any.

        `again`, once they have not answered: they and the general fallback.
        """
        own = self.on_call.fallback(rotation)
        if own and not again:
            return own
        return tuple(dict.fromkeys((*own, *self.fallback)))

    def route(self, known: Mapping[str, str]) -> Route:
        """Return the route of what is known of an alert or incident; the last takes everything."""
        found = next(indexed(self.routes).fitting(known))
        return found.for_product(self.catalogue.product(known.get("product", "")))
