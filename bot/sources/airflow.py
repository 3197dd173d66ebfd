"""Reads what the Airflow client sends: tasks, runs, missed deadlines, files that do not import."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from bot.ports.inbox import Delivery
from bot.sources.json_body import JsonValue, read_object, text_of
from bot.sources.kind import Parsed, Source, SourceKind, UnreadableError
from bot.sources.run_facts import MOST_ATTEMPTS, instant
from bot.sources.text import clean, key, labels, line, link
from bot.sources.words import severity_of, time_of
from rules.alert import Alert, AlertStatus, Severity
from rules.run import BACKFILL, MANUAL, SCHEDULED, Run, RunState

NEVER_ALERTS = frozenset({"skipped", "upstream_failed", "removed"})
_BY_HAND = "was marked as a success by hand"
RUN_TYPES = frozenset({SCHEDULED, MANUAL, BACKFILL, "asset_triggered", "dataset_triggered"})

Section = Mapping[str, JsonValue]
_NOTHING: Section = {}


@dataclass(frozen=True, slots=True)
class _Event:
    """One event, its sections at hand, and the delivery it came in."""

    source: Source
    delivery: Delivery
    document: Section

    def section(self, name: str) -> Section:
        found = self.document.get(name)
        return found if isinstance(found, dict) else _NOTHING

    def text(self, section: str, name: str) -> str:
        return text_of(self.section(section).get(name))

    @property
    def name(self) -> str:
        return text_of(self.document.get("event"))

    @property
    def instance(self) -> str:
        return text_of(self.document.get("instance")) or "airflow"

    @property
    def dag_id(self) -> str:
        return self.text("dag", "dag_id")

    @property
    def run_id(self) -> str:
        return self.text("dag_run", "run_id")

    @property
    def batch(self) -> str:
        """Return what belongs together: a run, or all runs of a DAG that are backfilled."""
        return BACKFILL if self.run_type == BACKFILL else self.run_id

    @property
    def run_type(self) -> str:
        given = self.text("dag_run", "run_type").lower()
        prefix = self.run_id.split("__", 1)[0]
        return given or (prefix if prefix in RUN_TYPES else "")

    @property
    def is_cleared(self) -> bool:
        """Tell whether a person cleared it, so that it runs again under the same run_id.

        Airflow 2 does not count clears, but gives a cleared task its retries anew.
        """
        clears, task = self.section("dag_run").get("clear_number"), self.section("task")
        most, retries = task.get("max_tries"), task.get("retries")
        if isinstance(most, int) and isinstance(retries, int) and most > retries:
            return True
        return isinstance(clears, int) and clears > 0

    @property
    def by_hand(self) -> bool:
        """Tell whether a person marked it as a success: nothing ran, so nothing is mended."""
        return self.document.get("by_hand") is True

    @property
    def map_index(self) -> str:
        index = self.section("task").get("map_index")
        return str(index) if isinstance(index, int) and index >= 0 else ""

    @property
    def task(self) -> str:
        """Return "dag.task", or "dag.task[3]" for a mapped one."""
        index = f"[{self.map_index}]" if self.map_index else ""
        return f"{self.dag_id}.{self.text('task', 'task_id')}{index}"

    @property
    def tries(self) -> str:
        tried, retries = (
            self.section("task").get("try_number"),
            self.section("task").get("max_tries"),
        )
        if not isinstance(tried, int) or not isinstance(retries, int) or tried < 1:
            return ""
        return f" (try {tried} of {max(retries + 1, tried)})"

    @property
    def error(self) -> str:
        kind, said = self.text("error", "type"), self.text("error", "message")
        return f"{kind}: {said}" if kind and said else kind or said

    def thing(self, *parts: str) -> str:
        return key("/".join((self.instance, *parts)))

    def at(self, *places: tuple[str, str]) -> str:
        """Return the first time that is given at one of `(section, name)`."""
        return next((found for place in places if (found := self.text(*place))), "")

    def alert(
        self,
        dedup_key: str,
        status: AlertStatus,
        title: str,
        *,
        at: str,
        description: str = "",
        url: str = "",
    ) -> Alert:
        told = self.delivery.received_at
        sent = time_of(self.document.get("sent_at"), zone=self.source.timezone, otherwise=told)
        severity = Severity.INFO
        if status is AlertStatus.FIRING:
            wished = severity_of(self.text("labels", "severity"))
            severity = Severity.ERROR if wished is Severity.UNKNOWN else wished
        return Alert(
            source=self.source.name,
            dedup_key=dedup_key,
            group_key=key(f"{self.dag_id}/{self.batch}") if self.batch else "",
            status=status,
            severity=severity,
            title=line(title),
            description=clean(description),
            occurred_at=time_of(at, zone=self.source.timezone, otherwise=sent),
            labels=labels(_labels(self)),
            url=link(url),
        )


def parse(source: Source, delivery: Delivery) -> Parsed:
    event = _Event(source, delivery, read_object(delivery.body))
    reader = _READERS.get(event.name)
    if reader is None:
        raise UnreadableError(
            "The body is not an event of Watchbill's Airflow client; update the client or Watchbill.",
            f"event: {line(event.name, 80)}",
        )
    if event.name not in _WITHOUT_A_DAG and not event.dag_id:
        raise UnreadableError("The event names no DAG.")
    return Parsed(alerts=tuple(reader(event)), runs=tuple(_runs(event)))


def _runs(event: _Event) -> Iterable[Run]:
    """Yield the DAG run an event tells of: a task that did anything has a run that started."""
    state = _RUN_STATES.get(event.name)
    if state is None or not event.run_id or not event.dag_id or event.by_hand:
        return
    source, delivery, run = event.source, event.delivery, event.section("dag_run")
    due = run.get("run_after") or run.get("data_interval_end")
    clears = run.get("clear_number")
    started = instant(run.get("start_date"), source, delivery)
    ended = instant(run.get("end_date"), source, delivery) if state.is_over else None
    known = started or ended
    yield Run(
        source=source.name,
        pipeline=key(
            event.dag_id if event.instance == "airflow" else f"{event.instance}/{event.dag_id}"
        ),
        run_id=key(event.run_id),
        state=state,
        started_at=started if known else delivery.received_at,
        ended_at=ended,
        nominal_at=instant(due, source, delivery) if event.run_type == SCHEDULED else None,
        attempt=clears + 1 if isinstance(clears, int) and 0 <= clears < MOST_ATTEMPTS else 1,
        kind=line(event.run_type, 64),
        labels=labels(_labels(event)),
        assets=tuple(_copied(event)),
    )


def _copied(event: _Event) -> Iterable[str]:
    """Yield the mapped task of which a copy went well, as the catalogue names it."""
    if event.name == "task_succeeded" and event.map_index:
        yield f"task:{event.dag_id}.{event.text('task', 'task_id')}"


_RUN_STATES = {
    "dag_run_started": RunState.STARTED,
    "task_failed": RunState.STARTED,
    "task_retry": RunState.STARTED,
    "task_succeeded": RunState.STARTED,
    "dag_run_failed": RunState.FAILED,
    "dag_run_succeeded": RunState.SUCCEEDED,
}


def _task_failed(event: _Event) -> Iterable[Alert]:
    if event.text("task", "state").lower() in NEVER_ALERTS:
        return
    verb = "failed in a backfill" if event.run_type == BACKFILL else "failed"
    yield _task(event, AlertStatus.FIRING, verb)


def _task_retry(event: _Event) -> Iterable[Alert]:
    yield _task(event, AlertStatus.INFO, "failed and will be tried again")


def _task_succeeded(event: _Event) -> Iterable[Alert]:
    if event.by_hand:
        yield _task(event, AlertStatus.INFO, _BY_HAND)
    else:
        yield _task(event, AlertStatus.RESOLVED, "succeeded")


def _task(event: _Event, status: AlertStatus, verb: str) -> Alert:
    task_id = event.text("task", "task_id")
    if not task_id:
        raise UnreadableError("The event names no task.")
    cause = f": {event.error}" if event.error else ""
    parts = (event.dag_id, task_id, event.map_index) if event.map_index else (event.dag_id, task_id)
    # Room is kept for the tries, however long the error is.
    title = line(f"{event.task} {verb}{cause}", 300 - len(event.tries)) + event.tries
    return event.alert(
        event.thing(*_backfilled(event), *parts),
        status,
        title,
        at=event.at(("task", "end_date")),
        description=event.error,
        url=event.text("task", "log_url"),
    )


def _backfilled(event: _Event) -> tuple[str, ...]:
    """Set the things of a backfill apart: each interval is one, and none is today's."""
    return ("#backfill", event.run_id) if event.run_type == BACKFILL else ()


def _dag_run_started(event: _Event) -> Iterable[Alert]:  # noqa: ARG001 - told as a run alone
    return ()


def _dag_run_failed(event: _Event) -> Iterable[Alert]:
    what = f"{event.run_type} run" if event.run_type else "run"
    yield event.alert(
        event.thing(*_backfilled(event), event.dag_id),
        AlertStatus.FIRING,
        f"DAG {event.dag_id} failed ({what})",
        at=event.at(("dag_run", "end_date")),
        description=text_of(event.document.get("reason")),
    )


def _dag_run_succeeded(event: _Event) -> Iterable[Alert]:
    at = event.at(("dag_run", "end_date"))
    title = f"DAG {event.dag_id} succeeded"
    if event.by_hand:
        title = f"DAG {event.dag_id} {_BY_HAND}"
        yield event.alert(
            event.thing(*_backfilled(event), event.dag_id), AlertStatus.INFO, title, at=at
        )
        return
    if event.run_type == BACKFILL:
        title = f"A backfill of DAG {event.dag_id} succeeded"
        thing = event.thing(*_backfilled(event), event.dag_id)
        yield event.alert(thing, AlertStatus.RESOLVED, title, at=at)
        return
    things = [event.thing(event.dag_id), _deadline_of(event)]
    if file := event.text("dag", "file"):
        things.append(_file(event, file))
    for thing in things:
        yield event.alert(thing, AlertStatus.RESOLVED, title, at=at)


def _deadline_missed(event: _Event) -> Iterable[Alert]:
    when = event.text("deadline", "deadline_time")
    named = event.text("deadline", "name")
    told = event.delivery.received_at
    due = time_of(when, zone=event.source.timezone, otherwise=told) if when else None
    until = f" of {due:%Y-%m-%d %H:%M} UTC" if due else ""
    name = f" “{named}”" if named else ""
    yield event.alert(
        _deadline_of(event),
        AlertStatus.FIRING,
        f"DAG {event.dag_id} missed its deadline{name}{until}",
        at=when,
    )


def _deadline_of(event: _Event) -> str:
    return event.thing(event.dag_id, "#deadline")


def _import_error(event: _Event) -> Iterable[Alert]:
    file, trace = event.text("import_error", "file"), event.text("import_error", "stacktrace")
    said = next((one.strip() for one in reversed(trace.splitlines()) if one.strip()), "")
    name = file.rsplit("/", 1)[-1] or "A DAG file"
    yield event.alert(
        _file(event, file),
        AlertStatus.FIRING,
        f"{name} cannot be imported, so its DAGs do not run{f': {said}' if said else ''}",
        at=text_of(event.document.get("sent_at")),
        description=f"{file}\n{trace}",
    )


def _file(event: _Event, file: str) -> str:
    return event.thing("#import", file)


def _events_dropped(event: _Event) -> Iterable[Alert]:
    count = text_of(event.document.get("dropped"))
    yield event.alert(
        event.thing("#spool"),
        AlertStatus.INFO,
        f"{count} events of {event.instance} were lost while Watchbill could not be reached",
        at=text_of(event.document.get("sent_at")),
        description="The client's spool was full, so the oldest events were dropped.",
    )


_READERS: Mapping[str, Callable[[_Event], Iterable[Alert]]] = {
    "dag_run_started": _dag_run_started,
    "task_failed": _task_failed,
    "task_retry": _task_retry,
    "task_succeeded": _task_succeeded,
    "dag_run_failed": _dag_run_failed,
    "dag_run_succeeded": _dag_run_succeeded,
    "deadline_missed": _deadline_missed,
    "import_error": _import_error,
    "events_dropped": _events_dropped,
}
_WITHOUT_A_DAG = frozenset({"import_error", "events_dropped"})

_LABELS = (
    ("task_id", "task", "task_id"),
    ("map_index", "task", "map_index"),
    ("try_number", "task", "try_number"),
    ("max_tries", "task", "max_tries"),
    ("operator", "task", "operator"),
    ("hostname", "task", "hostname"),
    ("run_id", "dag_run", "run_id"),
    ("logical_date", "dag_run", "logical_date"),
    ("data_interval_start", "dag_run", "data_interval_start"),
    ("data_interval_end", "dag_run", "data_interval_end"),
    ("run_after", "dag_run", "run_after"),
    ("run_started_at", "dag_run", "start_date"),
    ("clear_number", "dag_run", "clear_number"),
    ("deadline", "deadline", "name"),
    ("error", "error", "type"),
    ("file", "import_error", "file"),
)


def _labels(event: _Event) -> Iterable[tuple[str, str]]:
    """Yield the facts first: of two labels of one name the first stays."""
    found = {name: event.text(section, column) for name, section, column in _LABELS}
    found["event"] = event.name
    found["instance"] = event.instance
    found["dag_id"] = event.dag_id
    found["map_index"] = event.map_index
    found["run_type"] = event.run_type
    found["cleared"] = "true" if event.is_cleared else ""
    found["owner"] = event.text("task", "owner") or event.text("dag", "owner")
    found["product"] = text_of(event.document.get("product"))
    tags = event.section("dag").get("tags")
    if isinstance(tags, list):
        found["tags"] = ",".join(tag for tag in tags if isinstance(tag, str))
    yield from ((name, value) for name, value in found.items() if value)
    yield from ((name, text_of(value)) for name, value in event.section("labels").items())


KIND = SourceKind(name="airflow", parse=parse)
