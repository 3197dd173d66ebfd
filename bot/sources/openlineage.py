"""OpenLineage run events: jobs that fail, abort and complete, tests of data, and lineage."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from bot.ports.inbox import Delivery
from bot.sources.json_body import JsonValue, inside, list_of, object_of, read_json, text_of
from bot.sources.kind import (
    Arrival,
    Parsed,
    Source,
    SourceKind,
    UnreadableError,
    digest,
    key_by_body,
)
from bot.sources.openlineage_facts import lineage_of
from bot.sources.run_facts import instant
from bot.sources.text import clean, key, key_of, labels, line, link
from bot.sources.unreadable import MOST_ALERTS, unreadable
from bot.sources.words import time_of
from rules.alert import Alert, AlertStatus, Severity
from rules.run import Run, RunState

Section = Mapping[str, JsonValue]

FAILED, ABORTED, COMPLETED = "FAIL", "ABORT", "COMPLETE"
_RUN_STATES = {
    "START": RunState.STARTED,
    FAILED: RunState.FAILED,
    ABORTED: RunState.FAILED,
    COMPLETED: RunState.SUCCEEDED,
}
_NO_EVENT = "It is not an OpenLineage event; point an OpenLineage transport of type http here."
_NOT_TRIED_AGAIN = ("AirflowFailException", "AirflowSensorTimeout", "AirflowTaskTerminated")
_TEST_SEVERITY = {"warn": Severity.WARNING, "warning": Severity.WARNING}


@dataclass(frozen=True, slots=True)
class _Event:
    """One run event and the delivery it came in."""

    source: Source
    delivery: Delivery
    body: Section

    def text(self, *names: str) -> str:
        return text_of(inside(self.body, *names))

    @property
    def kind(self) -> str:
        return self.text("eventType").upper()

    @property
    def job(self) -> tuple[str, str]:
        return self.text("job", "namespace"), self.text("job", "name")

    @property
    def map_index(self) -> str:
        """Return which copy of a mapped task of Airflow's it is, or nothing."""
        index = inside(self.body, "run", "facets", "airflow", "taskInstance", "map_index")
        return str(index) if isinstance(index, int) and index >= 0 else ""

    @property
    def comes_again(self) -> bool:
        """Tell whether Airflow will try again what failed; where that is in doubt it will not.

        A task that a person set to failed, or that asks for no retry, has retries left.
        """
        tried, retries = (
            inside(self.body, "run", "facets", "airflow", *path)
            for path in (("taskInstance", "try_number"), ("task", "retries"))
        )
        trace = self.text("run", "facets", "errorMessage", "stackTrace")
        if self.kind != FAILED or not trace or any(one in trace for one in _NOT_TRIED_AGAIN):
            return False
        return isinstance(tried, int) and isinstance(retries, int) and tried <= retries

    @property
    def group(self) -> str:
        return self.text("run", "facets", "parent", "run", "runId") or self.text("run", "runId")

    def alert(
        self,
        thing: tuple[str, ...],
        status: AlertStatus,
        title: str,
        *,
        severity: Severity = Severity.ERROR,
        description: str = "",
        more: Mapping[str, JsonValue] | None = None,
    ) -> Alert:
        firing = status is AlertStatus.FIRING
        pairs = {**(more or {}), **_labels(self)}
        return Alert(
            source=self.source.name,
            dedup_key=key_of(*thing),
            group_key=key(self.group),
            status=status,
            severity=severity if firing else Severity.INFO,
            title=line(title) or "OpenLineage event",
            description=clean(description),
            occurred_at=time_of(
                self.body.get("eventTime"),
                zone=self.source.timezone,
                otherwise=self.delivery.received_at,
            ),
            labels=labels((name, said) for name, one in pairs.items() if (said := text_of(one))),
            url=link(self.text("run", "facets", "externalQuery", "externalUrl"))
            or link(self.text("job", "facets", "documentation", "url")),
        )


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return the alerts and the lineage of one event, or of a list of them."""
    body = read_json(delivery.body)
    entries = body if isinstance(body, list) else [body]
    if not entries:
        raise UnreadableError(_NO_EVENT)
    alerts: list[Alert] = []
    events: list[Section] = []
    runs: list[Run] = []
    for entry in entries:
        if len(alerts) > MOST_ALERTS:
            break
        event = _Event(source, delivery, object_of(entry))
        if _is_event(event):
            events.append(event.body)
            runs += _runs(event)
            alerts += islice(_alerts(event), MOST_ALERTS + 1)
        else:
            alerts.append(unreadable(delivery, _NO_EVENT))
    if len(entries) == 1 and alerts and alerts[0].unreadable:
        raise UnreadableError(_NO_EVENT)
    return Parsed(alerts=tuple(alerts), lineage=lineage_of(iter(events)), runs=tuple(runs))


def _runs(event: _Event) -> Iterator[Run]:
    """Yield the run an event tells of; its pipeline is the job with its namespace.

    One copy of a mapped task is no run of it.
    """
    state = _RUN_STATES.get(event.kind)
    run_id = event.text("run", "runId")
    if state is None or not run_id or not event.job[1]:
        return
    if event.map_index or event.comes_again:
        return
    at = instant(event.body.get("eventTime"), event.source, event.delivery)
    pairs = ((name, said) for name, one in _labels(event).items() if (said := text_of(one)))
    yield Run(
        source=event.source.name,
        pipeline=key("/".join(part for part in event.job if part)),
        run_id=key(run_id),
        state=state,
        started_at=(at or event.delivery.received_at) if event.kind == "START" else None,
        ended_at=(at or event.delivery.received_at) if state.is_over else None,
        labels=labels(pairs),
    )


def _is_event(event: _Event) -> bool:
    if event.text("run", "runId") and event.job[1]:
        return True
    # Events about a job or a dataset alone tell of no run.
    about = event.job[1] or event.text("dataset", "name")
    return "run" not in event.body and bool(about) and "eventTime" in event.body


def _alerts(event: _Event) -> Iterator[Alert]:
    if "run" not in event.body:
        return
    yield from _of_the_job(event)
    seen: set[tuple[str, ...]] = set()
    for alert_parts in (*_assertions(event), *_tests(event)):
        thing = alert_parts.thing
        if thing not in seen:
            seen.add(thing)
            yield alert_parts.alert(event)


def _of_the_job(event: _Event) -> Iterator[Alert]:
    index = event.map_index
    name = f"{event.job[1]}[{index}]" if index else event.job[1]
    thing = ("job", *event.job, index) if index else ("job", *event.job)
    if event.kind == COMPLETED:
        yield event.alert(thing, AlertStatus.RESOLVED, f"{name} completed")
    elif event.kind in {FAILED, ABORTED}:
        error = object_of(inside(event.body, "run", "facets", "errorMessage"))
        said = text_of(error.get("message"))
        first = said.strip().partition("\n")[0][:2_000]
        verb = "failed" if event.kind == FAILED else "was aborted"
        verb = f"{verb} and will be tried again" if event.comes_again else verb
        yield event.alert(
            thing,
            AlertStatus.INFO if event.comes_again else AlertStatus.FIRING,
            f"{name} {verb}: {first}" if first else f"{name} {verb}",
            severity=Severity.ERROR if event.kind == FAILED else Severity.WARNING,
            description="\n".join(one for one in (said, text_of(error.get("stackTrace"))) if one),
        )


@dataclass(frozen=True, slots=True)
class _Check:
    """One test of data, from a dataset's facet or from the run's."""

    thing: tuple[str, ...]
    passed: bool
    title: str
    severity: Severity
    labels: Mapping[str, JsonValue]
    description: str

    def alert(self, event: _Event) -> Alert:
        verb = "passed" if self.passed else "failed"
        return event.alert(
            self.thing,
            AlertStatus.RESOLVED if self.passed else AlertStatus.FIRING,
            f"{self.title} {verb}",
            severity=self.severity,
            description=self.description,
            more=self.labels,
        )


def _assertions(event: _Event) -> Iterator[_Check]:
    """Yield the assertions on every dataset; a failed one comes before one that passed."""
    found = [
        (object_of(dataset), object_of(assertion))
        for side in ("inputs", "outputs")
        for dataset in list_of(event.body.get(side))
        for facets in ("inputFacets", "facets", "outputFacets")
        for assertion in list_of(inside(dataset, facets, "dataQualityAssertions", "assertions"))
    ]
    checks = [_assertion(*one) for one in found if isinstance(one[1].get("success"), bool)]
    yield from sorted(checks, key=lambda one: one.passed)


def _assertion(dataset: Section, assertion: Section) -> _Check:
    where = text_of(dataset.get("namespace")), text_of(dataset.get("name"))
    name, column = text_of(assertion.get("assertion")), text_of(assertion.get("column"))
    own = text_of(assertion.get("name"))
    on = f"{where[1]}.{column}" if column else where[1]
    what = [text_of(assertion.get(one) or None) for one in ("content", "params")]
    # Without a name, only what it checks tells it from another of its kind.
    identity = own or (digest(*what) if any(what) else "")
    return _Check(
        ("assertion", *where, name, column, identity),
        assertion.get("success") is True,
        f"{own or name} on {on}",
        _severity(assertion),
        {
            "dataset": where[1],
            "dataset_namespace": where[0],
            "test": own or name,
            "column": column,
        },
        _numbers(assertion),
    )


def _tests(event: _Event) -> Iterator[_Check]:
    """Yield the tests that the run itself reports; skipped ones say nothing."""
    for one in list_of(inside(event.body, "run", "facets", "test", "tests")):
        test = object_of(one)
        status, name = text_of(test.get("status")).lower(), text_of(test.get("name"))
        if status in {"pass", "fail"} and name:
            yield _Check(
                ("test", *event.job, name),
                status == "pass",
                f"{name} in {event.job[1]}",
                _severity(test),
                {"test": name, "test_type": test.get("type")},
                text_of(test.get("description")) or _numbers(test),
            )


def _severity(test: Section) -> Severity:
    return _TEST_SEVERITY.get(text_of(test.get("severity")).lower(), Severity.ERROR)


def _numbers(test: Section) -> str:
    pairs = ((name, text_of(test.get(name))) for name in ("expected", "actual"))
    said = ", ".join(f"{name} {value}" for name, value in pairs if value)
    return f"{said[:1].upper()}{said[1:]}." if said else ""


def _labels(event: _Event) -> dict[str, JsonValue]:
    job = object_of(inside(event.body, "job", "facets"))
    run = object_of(inside(event.body, "run", "facets"))
    owners = [text_of(inside(one, "name")) for one in list_of(inside(job, "ownership", "owners"))]
    tags = [object_of(one) for one in list_of(inside(job, "tags", "tags"))]
    found: dict[str, JsonValue] = {
        "job": event.job[1],
        "job_namespace": event.job[0],
        "owner": ", ".join(one for one in owners if one),
        "run_id": event.text("run", "runId"),
        "parent_job": inside(run, "parent", "job", "name"),
        "parent_run_id": inside(run, "parent", "run", "runId"),
        "root_run_id": inside(run, "parent", "root", "run", "runId"),
        "nominal_time": inside(run, "nominalTime", "nominalStartTime"),
        "nominal_end": inside(run, "nominalTime", "nominalEndTime"),
        "integration": inside(job, "jobType", "integration"),
        "job_type": inside(job, "jobType", "jobType"),
        "event_type": event.kind,
        "map_index": event.map_index,
    }
    for tag in tags:
        found.setdefault(text_of(tag.get("key")), tag.get("value"))
    if product := found.get("data_product"):
        found.setdefault("product", product)
    return found


def delivery_key(arrival: Arrival) -> str:
    """Name an event by its run, type and time: clients send it again after a time-out."""
    try:
        body = object_of(read_json(arrival.body))
    except UnreadableError:
        return key_by_body(arrival)
    parts = [text_of(body.get("eventType")), text_of(inside(body, "run", "runId"))]
    time = text_of(body.get("eventTime"))
    return digest(*parts, time, arrival.body) if all(parts) and time else key_by_body(arrival)


KIND = SourceKind(name="openlineage", parse=parse, delivery_key=delivery_key, too_many=503)
