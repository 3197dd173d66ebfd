"""What config.yaml may say of elevated groups: where they live, and who may be in them."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, model_validator

from rules.access.group import AccessGroup, Duty, Whom
from rules.documents.spec import DurationOrNever, PositiveDuration, Spec, Text
from rules.documents.written import NEVER, as_list

_WHERE = ("url", "api_url", "organization", "resource", "command")
"""Options of back-ends that say where a group is; others say how it is reached."""

Find = Callable[[str], str]
"""From a person as written to their key; raises ValueError."""


def _duty(written: object) -> object:
    """Read `rotation` or `rotation/role`."""
    if not isinstance(written, str):
        return written
    rotation, _, role = written.partition("/")
    return {"rotation": rotation.strip(), "role": role.strip()}


def _address(written: object) -> str:
    """Return what of an address says where: no user, no password, no database, no options."""
    parts = urlsplit(written) if isinstance(written, str) and "://" in written else None
    if parts is None:
        return repr(written).casefold()
    path = "" if parts.scheme.startswith("postgres") else parts.path.rstrip("/")
    return f"{parts.hostname}:{parts.port or ''}{path}".casefold()


class DutySpec(Spec):
    rotation: Text = Field(description="A rotation's name.")
    role: str = Field(default="", description="One of its roles; any of them when left out.")

    def duty(self) -> Duty:
        return Duty(self.rotation, self.role)


Duties = Annotated[
    tuple[Annotated[DutySpec, BeforeValidator(_duty)], ...], BeforeValidator(as_list)
]
Texts = Annotated[tuple[Text, ...], BeforeValidator(as_list)]


class WhomSpec(Spec):
    on_call: Duties = Field(
        default=(), description="Whoever is on call: `data`, or `data/primary` for one role."
    )
    people: Texts = Field(default=(), description="People, by e-mail or as the roster writes them.")
    slack_groups: Texts = Field(default=(), description="Handles of Slack user groups.")

    def whom(self, find: Find) -> Whom:
        return Whom(
            on_call=tuple(duty.duty() for duty in self.on_call),
            people=tuple(find(written) for written in self.people),
            slack_groups=tuple(handle.strip().lstrip("@") for handle in self.slack_groups),
        )


class BackendSpec(Spec):
    """`kind`, and beside it the options of that kind, which its own module checks."""

    kind: Text = Field(
        description="What kind of place the group lives in; see docs/access-backends.md."
    )
    options: dict[str, object] = Field(
        default_factory=dict,
        repr=False,
        description="Settings of the kind; see docs/access-backends.md.",
    )

    @model_validator(mode="before")
    @classmethod
    def _beside(cls, written: object) -> object:
        if not isinstance(written, dict) or "options" in written:
            return written
        options = {key: value for key, value in written.items() if key != "kind"}
        return {"kind": written.get("kind", ""), "options": options}


class ExtendSpec(Spec):
    times: int = Field(default=1, ge=0, le=20, description="How often; 0: never.")
    by: PositiveDuration = Field(default=timedelta(hours=1), description="By how much each time.")


class AccessGroupSpec(Spec):
    backend: BackendSpec = Field(
        description="Where the group lives: `kind`, and beside it the options of that kind."
    )
    group: Text = Field(description="The group's own name or id at the back-end.")
    follows: Duties = Field(
        default=(), description="Whoever is on call for these is always in it, and nobody else."
    )
    may_ask: WhomSpec = Field(
        default=WhomSpec(), description="Who may ask for it; nobody when left out."
    )
    approvers: WhomSpec = Field(
        default=WhomSpec(),
        description="Who must approve, one after another until one answers; nobody when left out.",
    )
    approval_wait: PositiveDuration = Field(
        default=timedelta(minutes=10), description="How long each approver has to answer."
    )
    break_glass: Duties = Field(
        default=(),
        description="Whoever is on call for these needs no approval while a P1 or P2 is open; the "
        "channel is told.",
    )
    owners: Texts = Field(
        default=(), description="Who may end any grant of it, and hears when something is wrong."
    )
    longest: PositiveDuration = Field(
        default=timedelta(hours=4),
        le=timedelta(days=7),
        description="The longest that may be asked for.",
    )
    reason: Literal["required", "optional"] = Field(
        default="required", description="Whether a reason must be given."
    )
    incident: Literal["required", "attached"] = Field(
        default="attached",
        description="`required`: only with an open incident. An open one of the person's is attached either way.",
    )
    extend: ExtendSpec = Field(default=ExtendSpec(), description="How it may be lengthened.")
    weekly_limit: int | None = Field(
        default=None, ge=1, description="How often one person may have it in seven days."
    )
    grace: DurationOrNever = Field(
        default=timedelta(minutes=30),
        description="How long it lasts after its incident is closed; `never`: it ends on its own.",
    )
    ends_with_shift: bool = Field(
        default=False, description="It ends with the person's shift, if that is sooner."
    )
    roster_age: PositiveDuration = Field(
        default=timedelta(hours=1),
        description="With a roster read longer ago, who comes on call gets in only by a person's word.",
    )
    ownership: Literal["owned", "shared"] = Field(
        default="shared",
        description="`owned`: whoever the ledger does not know is removed. `shared`: only our own.",
    )
    dry_run: bool = Field(
        default=True, description="In an owned group only name who would be removed."
    )
    permanent: Texts = Field(
        default=(), description="Accounts that always stay, such as the group's own owner."
    )
    accounts: dict[Text, Text] = Field(
        default_factory=dict,
        description="Person to their account at the back-end, where it is not their e-mail.",
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not (self.follows or self.may_ask.whom(str)):
            raise ValueError("nobody can get into it; say `follows` or `may_ask`")
        return self

    @property
    def place(self) -> str:
        """Name the group among those of all back-ends: the same however it is reached."""
        options = self.backend.options
        where = "\n".join(_address(options[name]) for name in _WHERE if options.get(name))
        group = self.group.strip().lstrip("@")
        if self.backend.kind != "postgresql_role":
            group = group.casefold()
        return f"{self.backend.kind}:{group}:{sha256(where.encode()).hexdigest()[:12]}"

    def rules(self, name: str, find: Find, propagation: str = "") -> AccessGroup:
        """Return the group's rules; `find` makes keys of people. Raises ValueError for unknown ones."""
        return AccessGroup(
            name=name,
            follows=tuple(duty.duty() for duty in self.follows),
            may_ask=self.may_ask.whom(find),
            approvers=self.approvers.whom(find),
            approval_wait=self.approval_wait,
            break_glass=tuple(duty.duty() for duty in self.break_glass),
            owners=tuple(find(written) for written in self.owners),
            longest=self.longest,
            reason_required=self.reason == "required",
            incident_required=self.incident == "required",
            extensions=self.extend.times,
            extend_by=self.extend.by,
            weekly_limit=self.weekly_limit,
            grace=None if self.grace == NEVER else self.grace,
            ends_with_shift=self.ends_with_shift,
            roster_age=self.roster_age,
            owned=self.ownership == "owned",
            dry_run=self.dry_run,
            permanent=tuple(self.permanent),
            accounts={find(person): account for person, account in self.accounts.items()},
            propagation=propagation,
        )
