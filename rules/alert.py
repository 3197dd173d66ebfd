"""An alert as every source is normalised to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rules.category import Category, Classified


class AlertStatus(StrEnum):
    """What the source says of the thing: broken, whole again, or a remark."""

    FIRING = "firing"
    RESOLVED = "resolved"
    INFO = "info"


class Severity(StrEnum):
    """How bad the source says it is; sources map their own words onto these five."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One broken thing as its source reports it.

    `dedup_key` names the thing and never a run; `group_key` names the run or batch, or is
    empty. Both are unique only within `source`, the configured source's name. Texts are as
    they came, only bounded in length; whoever shows them escapes them.
    """

    source: str
    dedup_key: str
    status: AlertStatus
    title: str
    occurred_at: datetime
    group_key: str = ""
    severity: Severity = Severity.UNKNOWN
    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    unreadable: bool = False
    """True when no parser understood the delivery and a person must look at the raw body."""
    classified: Classified | None = None
    """What the rulebook made of it; None as it comes from its source."""

    @property
    def category(self) -> Category | None:
        return self.classified.category if self.classified else None

    @property
    def known(self) -> Mapping[str, str]:
        """Return what is known of it beside its labels, under the names that matchers use."""
        return {"category": self.classified.category.value} if self.classified else {}
