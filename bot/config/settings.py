"""The configuration: what config.yaml may say, with its defaults and its meaning."""

import ipaddress
import os
import re
import zoneinfo
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot.config.access import AccessGroupSpec
from bot.config.calendar import CalendarSpec
from bot.config.contact import ContactSpec
from bot.config.databases import DatabaseUrl
from bot.config.duties import FollowersSpec, NoticesSpec
from bot.config.google import GoogleSpec
from bot.config.mapping import MappingSpec
from bot.config.orchestrators import OrchestratorSpec
from bot.config.pages import PagesSpec
from bot.config.people import PersonSpec
from bot.config.runbooks import RunbooksSpec
from bot.config.runs import CalendarDays, ExpectedRunSpec
from bot.config.sentinels import CanarySpec, WatchdogSpec
from bot.config.tasks import TrackerSpec
from bot.config.types import Url, web_address
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.spec import PositiveDuration, Spec, Text, TimeOfDay, Zone
from rules.nearest import did_you_mean
from rules.people import People

KINDS = (
    "airflow",
    "alertmanager",
    "cloudevents",
    "dbt",
    "dbt_cloud",
    "gcp_logging",
    "gcp_monitoring",
    "generic",
    "github",
    "grafana",
    "great_expectations",
    "jira_service_management",
    "openlineage",
    "opsgenie",
    "pagerduty",
    "sentry",
    "sns",
)
"""Kinds of sources this version can read."""

KEYLESS_KINDS: frozenset[str] = frozenset({"gcp_logging", "sns"})
"""Kinds that prove who they are with a key of their vendor's, so that they need no secret."""

GOOGLE_SHEET = "google-sheet:"
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_PORTS = range(65_536)


def _slug(name: str) -> str:
    if not _SLUG.fullmatch(name):
        raise ValueError(
            f'"{name}" cannot be a name here; use lower-case letters, digits, - and _, like `dbt-prod`'
        )
    return name


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f'unknown kind "{kind}"{did_you_mean(kind, KINDS)}')
    return kind


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) in _PORTS):
        raise ValueError("not an address to listen on; write it like 127.0.0.1:8080")
    return text


def _loopback(text: str) -> str:
    host = split_address(_address(text))[0]
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ValueError("the local workspace has no passwords; it listens on 127.0.0.1 only")
    return text


def split_address(text: str) -> tuple[str, int]:
    """Split `host:port`; an IPv6 host loses its brackets."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


Slug = Annotated[str, AfterValidator(_slug)]
Address = Annotated[str, AfterValidator(_address)]
_NONE = SecretStr("")


class SlackSpec(Spec):
    mode: Literal["socket", "http", "local"] = Field(
        default="socket",
        description="`socket` needs no public address, `http` does; `local` is the built-in workspace.",
    )
    api_url: Url = Field(
        default="https://slack.com/api/", description="Where the Slack Web API is."
    )
    bot_token: SecretStr = Field(default=_NONE, description="Bot token, `xoxb-...`.")
    app_token: SecretStr = Field(
        default=_NONE, description="App token, `xapp-...`; for mode `socket`."
    )
    signing_secret: SecretStr = Field(default=_NONE, description="Signing secret; for mode `http`.")
    user_token: SecretStr = Field(
        default=_NONE,
        description="Token of somebody who may edit user groups, `xoxp-...`; only where the bot may not.",
    )
    alerts_channel: Text = Field(
        default="data-alerts", description="The channel for routes that name none, without the #."
    )


class SourceSpec(Spec):
    name: Slug = Field(description="Unique; part of the address: `/hooks/<name>`.")
    kind: Annotated[str, AfterValidator(_kind)] = Field(
        description="What sends: " + ", ".join(f"`{kind}`" for kind in KINDS) + "."
    )
    secret: SecretStr = Field(
        default=_NONE,
        description="The bearer token or signing key the sender uses; needed unless slack.mode is `local`.",
    )
    previous_secret: SecretStr = Field(
        default=_NONE, description="Also accepted, so that a secret can be changed without a gap."
    )
    rate_limit: int = Field(
        default=600, ge=1, le=1_000_000, description="Requests a minute; more are told to wait."
    )
    body_limit: int | None = Field(
        default=None,
        ge=1024,
        le=50_000_000,
        description="Largest body in bytes; `limits.body` when left out.",
    )
    timezone: Zone | None = Field(
        default=None, description="Zone of times that come without one; UTC when left out."
    )
    mapping: MappingSpec | None = Field(
        default=None,
        description="For kind `generic`: where the fields are in the sender's own JSON.",
    )
    options: dict[str, object] = Field(
        default_factory=dict,
        description="Settings of the kind; see [options of sources](#options-of-sources).",
    )
    allow_query_key: bool = Field(
        default=False,
        description="Accept the secret as `?key=`, for senders that cannot set headers.",
    )

    @model_validator(mode="after")
    def _mapping_is_for_generic(self) -> Self:
        if self.mapping is not None and self.kind != "generic":
            raise ValueError("`mapping` is for kind `generic`; leave it out here")
        return self


class RotationSpec(Spec):
    zone: Zone = Field(default="UTC", description="Zone of the roster's dates and times.")
    handoff: TimeOfDay = Field(
        default=time(9),
        description="Local time of the hand-off where the roster gives only a date.",
    )
    swap_approvers: tuple[Text, ...] = Field(
        default=(),
        description="People, one of whom must approve swaps of this rotation; nobody, if empty.",
    )


class WebhookSpec(Spec):
    name: Slug = Field(description="Unique; what steps call it.")
    url: Url = Field(description="Where the incident is sent, as JSON, by POST.")
    secret: SecretStr = Field(default=_NONE, description="Signs the body, when given.")


class LoggingSpec(Spec):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important line that is written."
    )
    format: Literal["auto", "json", "pretty"] = Field(
        default="auto", description="`auto` is pretty on a terminal and JSON elsewhere."
    )


class LocalWorkspaceSpec(Spec):
    listen: Annotated[str, AfterValidator(_loopback)] = Field(
        default="127.0.0.1:8090", description="Where the built-in workspace listens; loopback only."
    )


class LimitsSpec(Spec):
    body: int = Field(
        default=1_000_000, ge=1024, le=50_000_000, description="Largest request body, bytes."
    )
    alerts_per_minute: int = Field(
        default=6_000,
        ge=1,
        le=10_000_000,
        description="Requests a minute over all sources; more are told to wait.",
    )


class Config(RulebookSpec):
    """config.yaml: where everything is, who there is, and the last word on the rulebook."""

    database: DatabaseUrl = Field(
        default="sqlite:///watchbill.db",
        repr=False,
        description="`sqlite:///file`, or `postgresql://user@host/db` for several replicas.",
    )
    listen: Address = Field(
        default="127.0.0.1:8080", description="Where hooks and pages are served."
    )
    public_url: Annotated[str, AfterValidator(lambda url: web_address(url).rstrip("/"))] | None = (
        Field(
            default=None,
            description="The address by which others reach `listen`; links in Slack begin with it.",
        )
    )
    slack: SlackSpec = Field(description="The Slack workspace.")
    sources: tuple[SourceSpec, ...] = Field(default=(), description="Who may send alerts.")
    rulebook: tuple[Text, ...] | None = Field(
        default=None,
        description="Folders or files of rulebook documents, read in order, before this file. "
        "`rules/packs` and leaving it out both mean the shipped ones.",
    )
    catalogue: tuple[Text, ...] = Field(
        default=(), description="Files that describe data products."
    )
    roster: Text | None = Field(
        default=None,
        description="The roster: a .csv or .xlsx file, a folder of .csv tabs, or `google-sheet:<id>`.",
    )
    roster_poll: PositiveDuration = Field(
        default=timedelta(seconds=10),
        ge=timedelta(seconds=2),
        description="How often a Google sheet is looked at; Google allows 60 reads a minute.",
    )
    roster_writes: bool = Field(
        default=True,
        description="Write overrides and swaps made in Slack into the roster's tab Overrides.",
    )
    roster_secret: SecretStr = Field(
        default=_NONE,
        description="Signs `POST /hooks/roster`, by which a changed roster is read at once.",
    )
    google: GoogleSpec | None = Field(
        default=None, description="The account by which Google Sheets are read."
    )
    people: tuple[PersonSpec, ...] = Field(default=(), description="Who can be on call.")
    rotations: dict[Slug, RotationSpec] = Field(
        default_factory=dict, description="Rotation name to its zone and hand-off time."
    )
    expected_runs: tuple[ExpectedRunSpec, ...] = Field(
        default=(), description="What must run when, beside data products with a `schedule`."
    )
    holidays: dict[Text, CalendarDays] = Field(
        default_factory=dict,
        description="Calendar name to its days, a list or an .ics file; nothing is due then.",
    )
    runbooks: RunbooksSpec = Field(
        default=RunbooksSpec(), description="Runbooks, and what their buttons may do."
    )
    task_tracker: TrackerSpec | None = Field(
        default=None, description="Where tasks after incidents also become issues."
    )
    webhooks: tuple[WebhookSpec, ...] = Field(default=(), description="What steps can call.")
    orchestrators: tuple[OrchestratorSpec, ...] = Field(
        default=(), description="Where **Verify now** starts runs."
    )
    logging: LoggingSpec = Field(default=LoggingSpec(), description="What is logged, and how.")
    retention: PositiveDuration = Field(
        default=timedelta(days=90),
        description="Raw deliveries, timelines and finished jobs of what is closed are kept so long.",
    )
    lineage_retention: PositiveDuration = Field(
        default=timedelta(days=30),
        description="Lineage that no event has told of for so long is forgotten.",
    )
    calendar: CalendarSpec = Field(
        default=CalendarSpec(), description="Feeds to subscribe to, and shared calendars."
    )
    followers: FollowersSpec = Field(
        default=FollowersSpec(), description="What in Slack always shows who is on call."
    )
    notices: NoticesSpec = Field(
        default=NoticesSpec(), description="What people are told of their shifts, and when."
    )
    web_pages: PagesSpec = Field(
        default=PagesSpec(), description="Pages to sign in to: issues, incidents, the journal."
    )
    contact: ContactSpec = Field(
        default=ContactSpec(), description="How people are reached besides Slack."
    )
    canary: CanarySpec | None = Field(
        default=None, description="Tries the whole way to Slack and back, again and again."
    )
    watchdog: WatchdogSpec | None = Field(
        default=None, description="An outside watchdog, told again and again that all is well."
    )
    local_workspace: LocalWorkspaceSpec = Field(
        default=LocalWorkspaceSpec(), description="The built-in workspace of slack.mode `local`."
    )
    limits: LimitsSpec = Field(default=LimitsSpec(), description="What one process takes on.")
    access_groups: dict[Slug, AccessGroupSpec] = Field(
        default_factory=dict, description="Elevated groups that people are in for a while."
    )

    def directory(self) -> People:
        """Return the people as the roster and Slack look them up."""
        return People(spec.person() for spec in self.people)

    def swap_approvers(self) -> dict[str, tuple[str, ...]]:
        """Return by rotation the keys of those who approve its swaps."""
        people = self.directory()
        return {
            name: tuple(people.find(written).key for written in spec.swap_approvers)
            for name, spec in self.rotations.items()
            if spec.swap_approvers
        }

    def source(self, name: str) -> SourceSpec | None:
        return next((source for source in self.sources if source.name == name), None)

    def webhook(self, name: str) -> WebhookSpec | None:
        return next((webhook for webhook in self.webhooks if webhook.name == name), None)

    @property
    def base_url(self) -> str:
        """Return the address links begin with, without a slash at the end."""
        return self.public_url or f"http://{self.listen}"

    @property
    def first_rotation(self) -> str:
        """Return the rotation of routes that name none; empty when there is no rotation."""
        return next(iter(self.rotations), "")

    @property
    def first_zone(self) -> str:
        """Return the zone of that rotation, in which people work unless they say otherwise."""
        return next((spec.zone for spec in self.rotations.values()), "UTC")


def environment() -> Mapping[str, str]:
    """Return the process's environment, for `load`; nothing else reads it."""
    return os.environ


def use_our_zones() -> None:
    """Answer time zones from the pinned tzdata package, never from the system's tables."""
    zoneinfo.reset_tzpath(to=[])
