"""Data products as people write them in a catalogue file: strict models, and what they mean."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from bot.catalogue.promise_spec import ConsumerHours, PromisesSpec
from bot.sources.text import line
from rules.catalogue import LoadType, Product
from rules.claims import CLAIM_KINDS, AssetPattern
from rules.cron import GRACE, checked_cron
from rules.documents.spec import DurationOrNever, PositiveDuration, Spec, Zone
from rules.documents.written import NEVER

_LONGEST = 500


def _line(written: str) -> str:
    return line(written, _LONGEST)


Text = Annotated[str, Field(min_length=1, max_length=_LONGEST), AfterValidator(_line)]
"""Shown in terminals and in Slack: one line, without hidden characters."""


def checked_id(written: str) -> str:
    if not written or any(sign.isspace() for sign in written):
        raise ValueError(f'"{written[:80]}" has a space in it; an id is one word, like `orders`')
    return written


def checked_pattern(written: str) -> str:
    if not written:
        raise ValueError("is empty")
    if written.startswith("*") and written.endswith("*"):
        raise ValueError("begin or end with something other than `*`")
    return written


def _channel(written: str) -> str:
    return written.lstrip("#")


Pattern = Annotated[Text, AfterValidator(checked_pattern)]


class AssetSpec(Spec):
    """What the product is made of; exactly one key. `*` in it is any text."""

    model: Pattern | None = Field(default=None, description="dbt model, seed, snapshot; or its id.")
    source: Pattern | None = Field(default=None, description="dbt source, like `raw.orders`.")
    exposure: Pattern | None = Field(default=None, description="dbt exposure.")
    dag: Pattern | None = Field(default=None, description="Airflow DAG.")
    task: Pattern | None = Field(default=None, description="Airflow task: `dag_id.task_id`.")
    relation: Pattern | None = Field(default=None, description="Table: `database.schema.table`.")

    @model_validator(mode="after")
    def _one(self) -> "AssetSpec":
        if sum(getattr(self, kind) is not None for kind in CLAIM_KINDS) != 1:
            raise ValueError("name exactly one of " + ", ".join(CLAIM_KINDS))
        if self.task and "." not in self.task:
            raise ValueError(f'"{self.task[:80]}" has no DAG; write dag_id.task_id')
        return self

    def pattern(self) -> AssetPattern:
        kind = next(kind for kind in CLAIM_KINDS if getattr(self, kind) is not None)
        return AssetPattern(kind, getattr(self, kind))


class ProductSpec(Spec):
    id: Annotated[Text, AfterValidator(checked_id)] = Field(description="Unique; one word.")
    name: Text | None = Field(default=None, description="What people call it; the id if left out.")
    owner: Text | None = Field(default=None, description="Who answers for it: e-mail or handle.")
    team: Text | None = Field(default=None, description="The team that owns it.")
    channel: Annotated[Text, AfterValidator(_channel)] | None = Field(
        default=None, description="Where its readers ask and are told."
    )
    rotation: Text | None = Field(default=None, description="The rotation that is paged for it.")
    tier: int | None = Field(default=None, ge=1, le=9, description="1 is the most important.")
    driver: Literal["regulatory", "operational", "analytics"] | None = Field(
        default=None, description="Why it is promised."
    )
    load_type: LoadType | None = Field(default=None, description="What one run replaces.")
    schedule: Annotated[Text, AfterValidator(checked_cron)] | None = Field(
        default=None, description="Cron expression of its runs, in `timezone`."
    )
    timezone: Zone = Field(default="UTC", description="IANA time zone, like `Europe/Berlin`.")
    grace: DurationOrNever = Field(
        default=GRACE,
        description="A run must start so soon after it is due; `never`: nobody waits for it.",
    )
    holidays: Text | None = Field(
        default=None, description="A calendar of `holidays` in config.yaml: days without a run."
    )
    promises: PromisesSpec = Field(default=PromisesSpec(), description="What readers may expect.")
    runbook: Annotated[Text, Field(pattern=r"^https?://\S+$")] | None = Field(
        default=None, description="Address of the instructions."
    )
    consumers: tuple[Text, ...] = Field(default=(), description="Who reads it.")
    consumer_hours: ConsumerHours | None = Field(
        default=None, description='When readers read it, like `"09:00-18:00"`.'
    )
    run_takes: PositiveDuration | None = Field(
        default=None, description="How long its runs need, until that is learnt."
    )
    assets: tuple[AssetSpec, ...] = Field(default=(), description="What it is made of.")

    def product(self) -> Product:
        return Product(
            id=self.id,
            name=self.name or self.id,
            owner=self.owner or "",
            team=self.team or "",
            channel=self.channel or "",
            rotation=self.rotation or "",
            tier=self.tier or 0,
            driver=self.driver or "",
            load_type=self.load_type,
            schedule=self.schedule or "",
            timezone=self.timezone,
            grace=None if self.grace == NEVER else self.grace,
            holidays=self.holidays or "",
            promises=self.promises.promises(self.timezone),
            runbook=self.runbook or "",
            consumers=self.consumers,
            consumer_hours=self.consumer_hours.hours(self.timezone)
            if self.consumer_hours
            else None,
            run_takes=self.run_takes,
            assets=tuple(sorted({one.pattern() for one in self.assets})),
        )


class CatalogueSpec(Spec):
    """One catalogue file."""

    products: tuple[ProductSpec, ...] = Field(description="The data products.")
