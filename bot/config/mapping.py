"""Where a `generic` source finds what it needs in a body of another shape."""

from pydantic import Field

from rules.documents.spec import Spec, Text


class MappingSpec(Spec):
    """How a `generic` source reads a body that is not in the bot's own shape."""

    title: str = Field(default="", description="Template of the title, like `{job.name} failed`.")
    key: str = Field(
        default="", description="Template of what names the broken thing, never a run."
    )
    status: str = Field(default="", description="Template of the status.")
    severity: str = Field(default="", description="Template of the severity.")
    labels: dict[str, str] = Field(default_factory=dict, description="Label to its template.")
    link: str = Field(default="", description="Template of the address people open.")
    group: str = Field(default="", description="Template of what names the run or batch.")
    description: str = Field(default="", description="Template of the longer text.")
    occurred_at: str = Field(
        default="", description="Template of when it happened, an ISO instant."
    )
    alerts: str = Field(default="", description="Where a list of alerts is, like `data.items`.")
    firing: tuple[Text, ...] = Field(default=(), description="Statuses that mean it is broken.")
    resolved: tuple[Text, ...] = Field(default=(), description="Statuses that mean it is whole.")
    info: tuple[Text, ...] = Field(default=(), description="Statuses that are mere remarks.")
