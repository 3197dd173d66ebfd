"""Lineage in OpenLineage events: what jobs read and write, whose it is, what was dropped."""

from collections.abc import Iterator, Mapping
from itertools import islice

from bot.sources.json_body import JsonValue, inside, list_of, object_of, text_of
from bot.sources.text import line
from rules.seen_lineage import (
    LONGEST_ID,
    SeenAsset,
    SeenLineage,
    dataset_id,
    is_dashboard,
    job_id,
    table_of,
)

Section = Mapping[str, JsonValue]

MOST_DATASETS = 200
"""Inputs, and outputs, that are read of one event."""
MOST_FACTS = 2_000
"""Jobs and datasets that are read of one delivery."""
_MOST_WORDS, _MOST_NAMES = 10, 8
_TELLING = frozenset({"START", "RUNNING", "COMPLETE"})
_AIRFLOW = {"DAG": "dag", "TASK": "task"}


def lineage_of(events: Iterator[Section]) -> tuple[SeenLineage, ...]:
    """Return what the events tell, as many as `MOST_FACTS` allows; failed runs tell nothing."""
    found: list[SeenLineage] = []
    left = MOST_FACTS
    for event in events:
        seen = _seen(event)
        left -= len(seen.assets) + len(seen.gone) + len(seen.renamed)
        if left < 0:
            break
        if seen != SeenLineage():
            found.append(seen)
    return tuple(found)


def _seen(event: Section) -> SeenLineage:
    kind = text_of(event.get("eventType")).upper()
    if "run" in event and kind not in _TELLING:
        return SeenLineage()
    ended = kind == "COMPLETE" or "run" not in event
    sides = [
        [object_of(one) for one in islice(list_of(event.get(side)), MOST_DATASETS)]
        for side in ("inputs", "outputs")
    ]
    if "job" not in event:
        sides = [[], [object_of(event.get("dataset"))]]
    changes = [one for side in sides for one in side] if ended else []
    gone = dict.fromkeys(_dropped(changes))
    inputs, outputs = (
        tuple(one for raw in side if (one := _dataset(raw)) and one.id not in gone)
        for side in sides
    )
    return SeenLineage(
        job=_job(object_of(event.get("job"))),
        inputs=inputs,
        outputs=outputs,
        parent=_parent(event),
        gone=tuple(gone),
        renamed=tuple(dict.fromkeys(_renamed(changes))),
    )


def _job(job: Section) -> SeenAsset | None:
    where = _names(job)
    found = job_id(*where)
    if not found:
        return None
    facets = object_of(job.get("facets"))
    integration = text_of(inside(facets, "jobType", "integration")).upper()
    said = text_of(inside(facets, "jobType", "jobType"))
    kind = _AIRFLOW.get(said.upper(), "") if integration == "AIRFLOW" else ""
    if not kind and is_dashboard(f"{integration}:", said):
        kind = "exposure"
    return _asset(found, where[1], kind, facets)


def _parent(event: Section) -> SeenAsset | None:
    where = _names(object_of(inside(event, "run", "facets", "parent", "job")))
    found = job_id(*where)
    if not found:
        return None
    of_airflow = inside(event, "job", "facets", "jobType", "integration") == "AIRFLOW"
    of_task = inside(event, "job", "facets", "jobType", "jobType") == "TASK"
    return SeenAsset(id=found, name=where[1], kind="dag" if of_airflow and of_task else "")


def _dataset(dataset: Section) -> SeenAsset | None:
    where = _names(dataset)
    found = dataset_id(*where)
    if not found:
        return None
    facets = object_of(dataset.get("facets"))
    links = [object_of(one) for one in list_of(inside(facets, "symlinks", "identifiers"))]
    others = [_names(one) for one in links[:_MOST_NAMES]]
    named = (table_of(*one) for one in (where, *others))
    said = text_of(inside(facets, "datasetType", "datasetType"))
    return _asset(
        found,
        where[1],
        "exposure" if is_dashboard(where[0], said) else "",
        facets,
        relation=next((one for one in named if one), ""),
        also=tuple(dict.fromkeys(i for one in others if (i := dataset_id(*one)) and i != found)),
    )


def _asset(
    asset_id: str,
    name: str,
    kind: str,
    facets: Section,
    *,
    relation: str = "",
    also: tuple[str, ...] = (),
) -> SeenAsset:
    owners = (inside(one, "name") for one in list_of(inside(facets, "ownership", "owners")))
    tags = (_tag(object_of(one)) for one in list_of(inside(facets, "tags", "tags")))
    return SeenAsset(
        id=asset_id,
        name=name,
        kind=kind,
        relation=relation,
        owners=_few(text_of(one) for one in owners),
        tags=_few(tags),
        documentation=line(text_of(inside(facets, "documentation", "description")), 500),
        also=also,
    )


def _tag(tag: Section) -> str:
    name, value = text_of(tag.get("key")), text_of(tag.get("value"))
    return f"{name}:{value}" if value and value.casefold() != "true" else name


def _few(words: Iterator[str]) -> tuple[str, ...]:
    safe = (line(word, 100) for word in islice(words, 10 * _MOST_WORDS))
    return tuple(islice(dict.fromkeys(word for word in safe if word), _MOST_WORDS))


def _dropped(datasets: list[Section]) -> Iterator[str]:
    for one in datasets:
        if _change(one) == "DROP" and (found := dataset_id(*_names(one))):
            yield found


def _renamed(datasets: list[Section]) -> Iterator[tuple[str, str]]:
    for one in datasets:
        if _change(one) == "RENAME":
            before = inside(one, "facets", "lifecycleStateChange", "previousIdentifier")
            old, new = dataset_id(*_names(object_of(before))), dataset_id(*_names(one))
            if old and new and old != new:
                yield old, new


def _change(dataset: Section) -> str:
    change = inside(dataset, "facets", "lifecycleStateChange", "lifecycleStateChange")
    return text_of(change).upper()


def _names(thing: Section) -> tuple[str, str]:
    """Return namespace and name; nothing of a name that is too long, for a part is another's."""
    namespace, name = text_of(thing.get("namespace")), text_of(thing.get("name"))
    if len(namespace) + len(name) > LONGEST_ID:
        return "", ""
    return line(namespace, LONGEST_ID), line(name, LONGEST_ID)
