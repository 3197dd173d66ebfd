"""The rulebook as YAML: strict models of what may be written, and what it means."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from rules.alert import Severity
from rules.category import Category
from rules.documents import written
from rules.documents.category_spec import CategoriesSpec
from rules.documents.journal_spec import JournalSpec
from rules.documents.overruling_spec import ImpactRuleSpec, NotActionableSpec
from rules.documents.priority_spec import (
    EffortSpec,
    HoldingSpec,
    ImpactSpec,
    LearningSpec,
    MatrixSpec,
    SloSpec,
    UrgencySpec,
)
from rules.documents.spec import (
    ConditionsSpec,
    Duration,
    DurationOrNever,
    HoursSpec,
    Instant,
    PositiveDuration,
    Spec,
    Text,
)
from rules.documents.tasks_spec import TaskRuleSpec
from rules.documents.verification_spec import VerificationSpec
from rules.folding import OWN_CAUSE
from rules.priority import Priority


class RoleSpec(Spec):
    role: Text = Field(description="The role in the rotation, as the roster's column names it.")
    rotation: str = Field(default="", description="The rotation; the route's own when left out.")


Role = Annotated[RoleSpec, BeforeValidator(written.role)]


class TargetSpec(Spec):
    """Whom a step reaches; exactly one key."""

    on_call: Role | None = Field(default=None, description="Whoever is on call for this role.")
    next_on_call: Role | None = Field(default=None, description="Whoever takes the role over next.")
    person: Text | None = Field(
        default=None, description="One person: e-mail, or a name of `people`."
    )
    user_group: Text | None = Field(default=None, description="A Slack user group, without the @.")
    channel: Text | None = Field(default=None, description="A Slack channel, without the #.")
    webhook: Text | None = Field(default=None, description="A webhook, by its name in `webhooks`.")

    @model_validator(mode="after")
    def _one(self) -> "TargetSpec":
        given = [name for name in TargetSpec.model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("name exactly one target: " + ", ".join(TargetSpec.model_fields))
        return self


class OnlyDuringSpec(HoursSpec):
    outside: Literal["wait", "skip"] = Field(
        default="wait", description="Outside the hours: `wait` for them, or `skip` the step."
    )


class AtLeastSpec(Spec):
    alerts: int = Field(ge=1, le=100_000, description="Go on only after this many alerts.")
    within: PositiveDuration = Field(description="They must have come within this time.")


class StepSpec(Spec):
    page: tuple[TargetSpec, ...] = Field(default=(), description="Whom to reach, all at once.")
    wait: Duration = Field(
        default=timedelta(0), description="How long to wait for an answer before the next step."
    )
    repeat: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Start the policy over, so many times. Only on the last step.",
    )
    only_during: OnlyDuringSpec | None = Field(
        default=None, description="Take this step only during these hours."
    )
    only_if: AtLeastSpec | None = Field(
        default=None, description="Take this step only when alerts kept coming in."
    )

    @model_validator(mode="after")
    def _does_something(self) -> "StepSpec":
        if not (self.page or self.wait or self.repeat):
            raise ValueError("this step does nothing; give it `page` or `wait`")
        return self


class RouteSpec(ConditionsSpec):
    name: Text = Field(description="What people call the route; unique.")
    policy: Text = Field(default="default", description="The escalation policy that answers.")
    channel: str = Field(
        default="",
        description="Slack channel; the data product's own when left out, then "
        "`slack.alerts_channel`.",
    )
    rotation: str = Field(
        default="",
        description="The rotation that is paged; the data product's own when left out, then the "
        "first of `rotations`.",
    )


class FlappingSpec(Spec):
    openings: int = Field(
        default=4, ge=2, le=1000, description="The incident that makes it flapping."
    )
    within: PositiveDuration = Field(
        default=timedelta(hours=1), description="Counted over this time."
    )
    quiet: PositiveDuration = Field(
        default=timedelta(minutes=15), description="It stays open until it was quiet for so long."
    )


class StormSpec(Spec):
    incidents: int = Field(
        default=10,
        ge=2,
        le=100_000,
        description="Past so many incidents of one source, one storm incident.",
    )
    within: PositiveDuration = Field(
        default=timedelta(minutes=1), description="Counted over this time."
    )


class FoldingSpec(Spec):
    within: PositiveDuration = Field(
        default=timedelta(hours=24),
        description="Alerts downstream of a cause join its incident for so long after its last alert.",
    )
    never: tuple[Category, ...] = Field(
        default=tuple(sorted(OWN_CAUSE)),
        description="Alerts of these categories have a cause of their own.",
    )


class MaintenanceWindowSpec(ConditionsSpec):
    """Announced work: once, `from` to `to`, or recurring, in `hours`."""

    name: Text = Field(description="What is going on, shown as the reason.")
    starts: Instant | None = Field(
        default=None, alias="from", description="Instant, like `2026-10-03 08:00 Europe/Berlin`."
    )
    ends: Instant | None = Field(
        default=None, alias="to", description="Instant; the window excludes it."
    )
    hours: HoursSpec | None = Field(
        default=None,
        description="Recurring hours; `from` and `to` then bound the series and may be left out.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> "MaintenanceWindowSpec":
        if not self.conditions:
            raise ValueError('`match` is empty; to mute everything write source=~".*"')
        if self.hours is None and (self.starts is None or self.ends is None):
            raise ValueError("a maintenance window needs `from` and `to`, or `hours`")
        if self.starts is not None and self.ends is not None and self.starts >= self.ends:
            raise ValueError("`to` must be after `from`")
        return self


class RulebookSpec(Spec):
    """One rulebook document; later documents extend earlier ones, and config.yaml has the last word."""

    escalation_policies: dict[Text, tuple[StepSpec, ...]] = Field(
        default_factory=dict, description="Policy name to steps, taken in order."
    )
    routes: tuple[RouteSpec, ...] = Field(
        default=(),
        description="First match wins. Routes of config.yaml are tried before those of packs.",
    )
    priorities: dict[Severity, Priority] = Field(
        default_factory=dict, description="Severity to priority, P1 (most urgent) to P5."
    )
    pages: Annotated[dict[Priority, Literal["page", "show"]], BeforeValidator(written.paging)] = (
        Field(
            default_factory=dict,
            description="The priorities that page, as a list; or a map of priority to `page` or `show`.",
        )
    )
    ack_timeout: DurationOrNever | None = Field(
        default=None,
        description="The acker is asked after this whether they are still on it; or `never`.",
    )
    ack_confirm: PositiveDuration | None = Field(
        default=None,
        description="Without an answer for so long after being asked, paging starts over.",
    )
    fallback: tuple[Text, ...] = Field(
        default=(),
        description="People paged when a policy reached nobody: e-mails or names of `people`.",
    )
    fallback_every: PositiveDuration | None = Field(
        default=None, description="How often the fallback is paged again."
    )
    flapping: FlappingSpec | None = Field(default=None, description="When a thing is said to flap.")
    storm: StormSpec | None = Field(
        default=None, description="When new alerts join one storm incident."
    )
    folding: FoldingSpec | None = Field(
        default=None, description="When an alert joins the incident of what is upstream of it."
    )
    categories: CategoriesSpec = Field(
        default=CategoriesSpec(), description="How an alert gets its category."
    )
    priority_matrix: MatrixSpec = Field(
        default_factory=dict, description="Impact to urgency to priority."
    )
    impact: ImpactSpec = Field(
        default=ImpactSpec(), description="How much a fault of a data product hurts."
    )
    urgency: UrgencySpec = Field(
        default=UrgencySpec(), description="How soon it hurts, by the time a repair may wait."
    )
    repair_effort: EffortSpec = Field(
        default=EffortSpec(), description="What a repair takes, where nothing better is known."
    )
    learning: LearningSpec = Field(
        default=LearningSpec(), description="When what repairs took here counts instead."
    )
    holding: HoldingSpec = Field(
        default=HoldingSpec(), description="What pages wait for outside working hours."
    )
    slo: SloSpec = Field(default=SloSpec(), description="When a promise was broken too often.")
    impact_rules: tuple[ImpactRuleSpec, ...] = Field(
        default=(), description="Impact by labels, over what the tables say; first match wins."
    )
    not_actionable: tuple[NotActionableSpec, ...] = Field(
        default=(), description="Alerts that are shown and never page; first match wins."
    )
    tasks: tuple[TaskRuleSpec, ...] = Field(
        default=(), description="What is left to do once an incident is resolved."
    )
    verification: VerificationSpec = Field(
        default=VerificationSpec(), description="How fixes are proved."
    )
    journal: JournalSpec = Field(
        default=JournalSpec(), description="What people write down after an incident."
    )
    maintenance_windows: tuple[MaintenanceWindowSpec, ...] = Field(
        default=(), description="Announced work during which matching alerts page nobody."
    )
