"""Lineage as live events tell it: jobs and datasets, what they read and write, and whose they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rules.relation import relation_key

LONGEST_ID = 400
"""Characters of an id; a longer name is not kept."""

_TABLES = frozenset(
    {
        "awsathena",
        "bigquery",
        "clickhouse",
        "cockroachdb",
        "crate",
        "databricks",
        "db2",
        "duckdb",
        "hive",
        "mssql",
        "mysql",
        "oracle",
        "postgres",
        "postgresql",
        "redshift",
        "snowflake",
        "sqlite",
        "sqlserver",
        "synapse",
        "teradata",
        "trino",
        "presto",
        "unitycatalog",
        "vertica",
    }
)
"""Schemes of namespaces whose names are tables, with their schema and database before them."""
_DASHBOARDS = frozenset({"looker", "metabase", "powerbi", "quicksight", "superset", "tableau"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAsset:
    """One job or dataset, as an event names it.

    `id` tells the namespace too, so that equal names of two systems stay two things. `relation`
    is a table's comparable name, empty for what is none. `also` has the ids of its other names.
    `kind` is `table`, `dataset`, `job`, `dag`, `task`, `exposure`, or empty: this event did not say.
    """

    id: str
    name: str
    kind: str = ""
    relation: str = ""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    documentation: str = ""
    also: tuple[str, ...] = ()

    def but(self, newer: "SeenAsset") -> "SeenAsset":
        """Return what is known after another event; what that one leaves out stays known."""
        return SeenAsset(
            id=self.id,
            name=newer.name or self.name,
            kind=newer.kind or self.kind,
            relation=newer.relation or self.relation,
            owners=newer.owners or self.owners,
            tags=newer.tags or self.tags,
            documentation=newer.documentation or self.documentation,
            also=newer.also or self.also,
        )

    @property
    def sort(self) -> str:
        """Return the kind, by its names where nobody said it."""
        if self.kind:
            return self.kind
        if self.id.startswith("job:"):
            return "job"
        return "table" if self.relation else "dataset"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLineage:
    """What one event tells: a job, what it reads and writes, and the job that started it.

    `gone` are ids of datasets that were dropped; `renamed` pairs a former id with the new one.
    """

    job: SeenAsset | None = None
    inputs: tuple[SeenAsset, ...] = ()
    outputs: tuple[SeenAsset, ...] = ()
    parent: SeenAsset | None = None
    gone: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    @property
    def assets(self) -> tuple[SeenAsset, ...]:
        ends = (one for one in (self.parent, self.job) if one)
        return (*ends, *self.inputs, *self.outputs)

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield (upstream, downstream): parent to job, input to job, job to output.

        What a job reads and writes is only its output: it would stand on both sides of itself.
        """
        if self.job is None:
            return
        written = {one.id for one in self.outputs}
        if self.parent and self.parent.id != self.job.id:
            yield self.parent.id, self.job.id
        for one in self.inputs:
            if one.id not in written:
                yield one.id, self.job.id
        for one in self.outputs:
            yield self.job.id, one.id


class Sighting(NamedTuple):
    """An asset as one source has told of it so far."""

    asset: SeenAsset
    source: str
    first_at: datetime
    last_at: datetime


class SeenEdge(NamedTuple):
    """An edge one source told of, by ids of assets."""

    upstream: str
    downstream: str
    source: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that live events have told and nobody has forgotten.

    `version` is another one whenever an asset or edge comes, goes or changes.
    """

    version: int = 0
    assets: tuple[Sighting, ...] = ()
    edges: tuple[SeenEdge, ...] = ()


def dataset_id(namespace: str, name: str) -> str:
    """Return the id of a dataset; empty when it has no name, or one that is too long."""
    return _id("dataset", namespace, name)


def job_id(namespace: str, name: str) -> str:
    """Return the id of a job; empty when it has no name, or one that is too long."""
    return _id("job", namespace, name)


def table_of(namespace: str, name: str) -> str:
    """Return the comparable name of a table, empty for files, topics and the like.

    The namespaces are OpenLineage's: `postgres://host:5432` with `db.schema.table`, `bigquery`
    with `project.dataset.table`, AWS Glue's ARN with `table/db/table`.
    """
    scheme = scheme_of(namespace)
    if scheme == "arn" and name.startswith("table/"):
        return relation_key(name.removeprefix("table/").replace("/", "."))
    return relation_key(name) if scheme in _TABLES and "/" not in name else ""


def scheme_of(namespace: str) -> str:
    return namespace.partition(":")[0].strip().casefold()


def is_dashboard(namespace: str, said: str) -> bool:
    """Tell whether people look at it: by what its type is called, or by the tool it stands in."""
    words = said.casefold()
    return scheme_of(namespace) in _DASHBOARDS or any(
        word in words for word in ("dashboard", "report", "workbook", "exposure")
    )


def answering(owners: tuple[str, ...]) -> tuple[str, str]:
    """Return owner and team that an ownership facet names: `user:ana`, `team:shop`, or a URN."""
    person = team = ""
    for written in owners:
        head, _, last = written.rpartition(":")
        sort = head.rpartition(":")[2].casefold()
        if sort in {"team", "group", "corpgroup", "application", "service"}:
            team = team or last.strip()
        else:
            person = person or (last if head else written).strip()
    return person, team


def _id(sort: str, namespace: str, name: str) -> str:
    place, _, host = namespace.partition("://")
    # a slash in a namespace must not look like the border to the name
    if host:
        space = f"{place}://{host.replace('%', '%25').replace('/', '%2F')}"
    else:
        space = namespace.replace("%", "%25").replace("/", "%2F")
        if space.endswith(":"):
            space = f"{space[:-1]}%3A"
    found = f"{sort}:{space}/{name}"
    return found if name and len(found) <= LONGEST_ID else ""
