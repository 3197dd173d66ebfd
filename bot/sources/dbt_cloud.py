"""The webhooks of dbt Cloud: a job's run has started, failed or ended."""

import re
from collections.abc import Mapping

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, object_of, read_object, text_of
from bot.sources.kind import Arrival, Parsed, Source, SourceKind, UnreadableError, key_by_body
from bot.sources.options import Option
from bot.sources.run_facts import ENDED, instant
from bot.sources.scheme import ACCEPTED, Attempt, Scheme, Verdict, any_fits, hmac_hex, refused
from bot.sources.words import time_of
from rules.alert import Alert, AlertStatus, Severity
from rules.run import MANUAL, SCHEDULED, Run, RunState

_STARTED, _ERRORED, _COMPLETED = "job.run.started", "job.run.errored", "job.run.completed"
_BARE_HEX = re.compile(r"[0-9a-fA-F]{64}")
_BY_CODE = {"10": "success", "20": "error", "30": "cancelled"}
_ENDINGS = {
    "success": (AlertStatus.RESOLVED, Severity.INFO, "succeeded"),
    "error": (AlertStatus.FIRING, Severity.ERROR, "failed"),
    "errored": (AlertStatus.FIRING, Severity.ERROR, "failed"),
    "cancelled": (AlertStatus.INFO, Severity.INFO, "was cancelled"),
    "canceled": (AlertStatus.INFO, Severity.INFO, "was cancelled"),
}
_BEGUN = (AlertStatus.INFO, Severity.INFO, "has started")
_LABELS = {
    "job_id": "jobId",
    "job": "jobName",
    "run_id": "runId",
    "project": "projectName",
    "project_id": "projectId",
    "environment": "environmentName",
    "environment_id": "environmentId",
    "dbt_version": "dbtVersion",
    "run_reason": "runReason",
    "run_status": "runStatus",
}
_WRONG = (
    "The Authorization header does not fit the body; use the webhook's own secret, "
    "and let no gateway replace Authorization or change the body."
)

Fields = Mapping[str, JsonValue]


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return the one alert of the job, whose group is its run."""
    body = read_object(delivery.body)
    run = object_of(body.get("data"))
    job = text_of(run.get("jobId"))
    if not job:
        raise UnreadableError("The event names no job; it is not a job webhook of dbt Cloud.")
    event = text_of(body.get("eventType"))
    status, severity, verb = _state(event, run)
    account = text_of(body.get("accountId"))
    run_id = text_of(run.get("runId"))
    said = text_of(run.get("runStatusMessage"))
    # dbt Cloud writes an absent message as a word.
    said = "" if said == "None" else said
    return Parsed(
        alerts=(
            Alert(
                source=source.name,
                dedup_key=text.key(f"{account}/{job}"),
                group_key=text.key(f"{account}/{job}/{run_id}") if run_id else "",
                status=status,
                severity=severity,
                title=_title(run, job, verb),
                description=text.clean(said),
                occurred_at=time_of(
                    _when(event, run, body),
                    zone=source.timezone,
                    otherwise=delivery.received_at,
                ),
                labels=text.labels(_labels(body, run, event)),
                url=text.link(_address(source, account, run)),
            ),
        ),
        runs=_runs(source, delivery, body, (event, status)),
    )


def _runs(
    source: Source, delivery: Delivery, body: Fields, said: tuple[str, AlertStatus]
) -> tuple[Run, ...]:
    """Return the run; its pipeline is the job's id."""
    run = object_of(body.get("data"))
    event, status = said
    run_id = text_of(run.get("runId"))
    if not run_id:
        return ()
    state = ENDED[status]
    over = event != _STARTED
    when = instant(_when(event, run, body), source, delivery)
    started = instant(run.get("runStartedAt"), source, delivery)
    reason = text_of(run.get("runReason")).lower()
    return (
        Run(
            source=source.name,
            pipeline=text.key(text_of(run.get("jobId"))),
            run_id=text.key(run_id),
            state=state if over else RunState.STARTED,
            started_at=started if over else started or when or delivery.received_at,
            ended_at=when if over else None,
            kind=SCHEDULED if "schedul" in reason else MANUAL if reason else "",
            labels=text.labels(_labels(body, run, event)),
        ),
    )


def _state(event: str, run: Fields) -> tuple[AlertStatus, Severity, str]:
    if event == _STARTED:
        return _BEGUN
    if event not in {_ERRORED, _COMPLETED}:
        raise UnreadableError(
            "The event is none of started, errored and completed.",
            f"eventType: {text.line(event, 80)}",
        )
    word = _BY_CODE.get(text_of(run.get("runStatusCode"))) or text_of(run.get("runStatus")).lower()
    # A run that is cancelled is announced as errored, too.
    ending = _ENDINGS.get(word) or (_ENDINGS["error"] if event == _ERRORED else None)
    if ending is None:
        raise UnreadableError("The run has ended in a way that is not known.", text.line(word, 80))
    return ending


def _title(run: Fields, job: str, verb: str) -> str:
    name = text_of(run.get("jobName")) or f"job {job}"
    project, environment = text_of(run.get("projectName")), text_of(run.get("environmentName"))
    where = ", ".join(one for one in (project, environment) if one)
    return text.line(f"dbt Cloud: {name} {verb}{f' ({where})' if where else ''}")


def _when(event: str, run: Fields, body: Fields) -> JsonValue:
    names = ("runStartedAt",) if event == _STARTED else ("runErroredAt", "runFinishedAt")
    return next((run[name] for name in names if run.get(name)), body.get("timestamp"))


def _labels(body: Fields, run: Fields, event: str) -> dict[str, str]:
    found = {name: text_of(run.get(field)) for name, field in _LABELS.items()}
    found["account_id"] = text_of(body.get("accountId"))
    found["event"] = event
    return {name: value for name, value in found.items() if value}


def _address(source: Source, account: str, run: Fields) -> str:
    host = source.options.get("address")
    project, run_id = text_of(run.get("projectId")), text_of(run.get("runId"))
    if not host or not all(one.isalnum() for one in (account, project, run_id)):
        return ""
    return f"{str(host).rstrip('/')}/deploy/{account}/projects/{project}/runs/{run_id}"


def delivery_key(arrival: Arrival) -> str:
    """Return the event's own id, which its retries share."""
    try:
        event = text_of(read_object(arrival.body).get("eventId"))
    except UnreadableError:
        event = ""
    return f"event:{event}" if event else key_by_body(arrival)


def _claims(headers: Mapping[str, str]) -> bool:
    return _BARE_HEX.fullmatch(headers.get("authorization", "").strip()) is not None


def _authenticate(attempt: Attempt) -> Verdict:
    given = attempt.headers.get("authorization", "").strip().lower()
    ours = (hmac_hex(secret, attempt.body) for secret in attempt.secrets)
    return ACCEPTED if any_fits([given], ours) else refused(_WRONG)


def _web_address(value: object) -> str:
    if not isinstance(value, str) or not text.link(value):
        raise ValueError("write it like https://cloud.getdbt.com")
    return value.strip()


KIND = SourceKind(
    name="dbt_cloud",
    parse=parse,
    delivery_key=delivery_key,
    scheme=Scheme(claims=_claims, authenticate=_authenticate),
    options={
        "address": Option(
            "Where your dbt Cloud is, like `https://cloud.getdbt.com`; links to runs begin with it.",
            _web_address,
        )
    },
)
