"""What is read of an ODCS 3 data contract; everything else in it is passed over."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from rules.documents.spec import Text

Scalar = str | int | float | bool | None


class Part(BaseModel):
    """A part of a contract: it may hold more than is read here."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


def _nothing(written: object) -> object:
    return () if written is None else written


def _team(written: object) -> object:
    """Read the list of members of ODCS 3.0 as the team of 3.1."""
    return {"members": written} if isinstance(written, list) else written


class CustomProperty(Part):
    property: Text
    value: object = None


class Sla(Part):
    property: Text
    value: Scalar = None
    unit: str | None = None
    driver: str | None = None
    scheduler: str | None = None
    schedule: str | None = None


class Member(Part):
    username: Text
    role: str | None = None
    date_out: object = Field(default=None, alias="dateOut")


class Team(Part):
    name: str | None = None
    members: Annotated[tuple[Member, ...], BeforeValidator(_nothing)] = ()


class Support(Part):
    channel: Text
    tool: str | None = None
    scope: str | None = None


class Definition(Part):
    url: Text
    type: Text


class SchemaObject(Part):
    name: Text
    physical_name: str | None = Field(default=None, alias="physicalName")


class Server(Part):
    database: str | None = None
    catalog: str | None = None
    project: str | None = None
    schema_: str | None = Field(default=None, alias="schema")
    dataset: str | None = None


class Contract(Part):
    api_version: Text = Field(alias="apiVersion")
    kind: Text
    id: Text
    name: str | None = None
    data_product: str | None = Field(default=None, alias="dataProduct")
    team: Annotated[Team | None, BeforeValidator(_team)] = None
    support: Annotated[tuple[Support, ...], BeforeValidator(_nothing)] = ()
    servers: Annotated[tuple[Server, ...], BeforeValidator(_nothing)] = ()
    schema_: Annotated[tuple[SchemaObject, ...], BeforeValidator(_nothing)] = Field(
        default=(), alias="schema"
    )
    sla: Annotated[tuple[Sla, ...], BeforeValidator(_nothing)] = Field(
        default=(), alias="slaProperties"
    )
    definitions: Annotated[tuple[Definition, ...], BeforeValidator(_nothing)] = Field(
        default=(), alias="authoritativeDefinitions"
    )
    custom: Annotated[tuple[CustomProperty, ...], BeforeValidator(_nothing)] = Field(
        default=(), alias="customProperties"
    )
