"""GitHub's webhooks about workflow runs: which workflow of which branch is broken."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from bot.ports.inbox import Delivery
from bot.sources import text
from bot.sources.json_body import JsonValue, decode, inside, object_of, read_object, text_of
from bot.sources.kind import Arrival, Parsed, Source, SourceKind, UnreadableError, key_by_body
from bot.sources.options import Option, words
from bot.sources.run_facts import ENDED, count_of, instant
from bot.sources.scheme import Scheme, by_hmac, has
from bot.sources.words import time_of
from rules.alert import Alert, AlertStatus, Severity
from rules.run import MANUAL, SCHEDULED, Run, RunState

SIGNATURE = "X-Hub-Signature-256"
DELIVERY, EVENT = "x-github-delivery", "x-github-event"

_CONCLUSIONS = {
    "failure": (AlertStatus.FIRING, "failed"),
    "timed_out": (AlertStatus.FIRING, "timed out"),
    "startup_failure": (AlertStatus.FIRING, "could not start"),
    "success": (AlertStatus.RESOLVED, "succeeded"),
}
_KINDS = {"schedule": SCHEDULED, "workflow_dispatch": MANUAL, "repository_dispatch": MANUAL}
_UNMERGED = frozenset({"pull_request", "pull_request_target", "merge_group"})
_FORM = "application/x-www-form-urlencoded"

Fields = Mapping[str, JsonValue]


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return the alert of a completed run; every other event has nothing to tell."""
    body = read_object(_document(delivery))
    run = object_of(body.get("workflow_run"))
    if not run:
        if delivery.headers.get(EVENT) or body.get("zen") or body.get("repository"):
            return Parsed()
        raise UnreadableError("It is no webhook of GitHub.")
    repository = text_of(inside(body, "repository", "full_name"))
    workflow = text_of(run.get("workflow_id")) or text_of(run.get("path"))
    if not repository or not workflow:
        raise UnreadableError("The run names no repository or no workflow.")
    completed = text_of(body.get("action")).lower() == "completed"
    alerts = (_alert(source, delivery, run, (repository, workflow)),) if completed else ()
    return Parsed(alerts=alerts, runs=_runs(source, delivery, run, (repository, workflow)))


def _runs(
    source: Source, delivery: Delivery, run: Fields, where: tuple[str, str]
) -> tuple[Run, ...]:
    """Return the run; its pipeline is the workflow's file on its branch.

    One for a pull request tries out what is not merged: its branch may be a pipeline's own, and it
    is none of that pipeline's runs.
    """
    repository, workflow = where
    branch, run_id = _branch(run, repository), text_of(run.get("id"))
    completed = text_of(run.get("status")).lower() == "completed" or bool(run.get("conclusion"))
    trigger = text_of(run.get("event"))
    skipped = text_of(run.get("conclusion")).lower() == "skipped"
    if not run_id or skipped or trigger in _UNMERGED:
        return ()
    file = text_of(run.get("path")).partition("@")[0].rpartition("/")[2] or workflow
    done = _CONCLUSIONS.get(text_of(run.get("conclusion")).lower(), (AlertStatus.INFO, ""))[0]
    return (
        Run(
            source=source.name,
            pipeline=text.key(f"{repository}/{file}@{branch}"),
            run_id=run_id,
            state=ENDED[done] if completed else RunState.STARTED,
            started_at=instant(run.get("run_started_at"), source, delivery),
            ended_at=instant(run.get("updated_at"), source, delivery) if completed else None,
            attempt=count_of(run.get("run_attempt")),
            kind=_KINDS.get(trigger, text.line(trigger, 64)),
            labels=text.labels(_labels(run, repository, workflow, branch)),
        ),
    )


def _document(delivery: Delivery) -> bytes:
    if delivery.content_type.partition(";")[0].strip().lower() != _FORM:
        return delivery.body
    try:
        fields = dict(parse_qsl(decode(delivery.body), max_num_fields=20))
    except ValueError as error:
        raise UnreadableError("The form has too many fields.") from error
    return fields.get("payload", "").encode("utf-8", "surrogatepass")


def _alert(source: Source, delivery: Delivery, run: Fields, where: tuple[str, str]) -> Alert:
    repository, workflow = where
    conclusion = text_of(run.get("conclusion")).lower()
    status, verb = _CONCLUSIONS.get(conclusion, (AlertStatus.INFO, conclusion.replace("_", " ")))
    branch = _branch(run, repository)
    if not _is_watched(source, run, branch):
        status = AlertStatus.INFO
    run_id = text_of(run.get("id"))
    name = text_of(run.get("name")) or f"workflow {workflow}"
    return Alert(
        source=source.name,
        dedup_key=text.key(f"{repository}/{workflow}@{branch}"),
        group_key=text.key(f"{repository}/run/{run_id}") if run_id else "",
        status=status,
        severity=Severity.ERROR if status is AlertStatus.FIRING else Severity.INFO,
        title=text.line(f"{name} {verb or 'ended'} on {branch or 'no branch'} ({repository})"),
        description=text.clean(text_of(inside(run, "head_commit", "message"))),
        occurred_at=time_of(
            run.get("updated_at"), zone=source.timezone, otherwise=delivery.received_at
        ),
        labels=text.labels(_labels(run, repository, workflow, branch)),
        url=text.link(text_of(run.get("html_url"))),
    )


def _branch(run: Fields, repository: str) -> str:
    # A fork's main is not our main.
    branch = text_of(run.get("head_branch"))
    fork = text_of(inside(run, "head_repository", "full_name"))
    return f"{fork}:{branch}" if fork and fork.lower() != repository.lower() else branch


def _is_watched(source: Source, run: Fields, branch: str) -> bool:
    if text_of(run.get("event")) in _UNMERGED:
        return False
    branches = source.options.get("branches")
    return not isinstance(branches, tuple) or branch in branches


def _labels(run: Fields, repository: str, workflow: str, branch: str) -> dict[str, str]:
    found = {
        "repository": repository,
        "workflow": text_of(run.get("name")),
        "workflow_id": workflow,
        "branch": branch,
        "run_id": text_of(run.get("id")),
        "run_number": text_of(run.get("run_number")),
        "run_attempt": text_of(run.get("run_attempt")),
        "commit": text_of(run.get("head_sha")),
        "actor": text_of(inside(run, "actor", "login")),
        "trigger": text_of(run.get("event")),
        "conclusion": text_of(run.get("conclusion")),
    }
    return {name: value for name, value in found.items() if value}


def delivery_key(arrival: Arrival) -> str:
    """Return GitHub's own id of the delivery, which a redelivery shares."""
    named = arrival.headers.get(DELIVERY)
    return f"delivery:{named}" if named else key_by_body(arrival)


KIND = SourceKind(
    name="github",
    parse=parse,
    delivery_key=delivery_key,
    headers=frozenset({DELIVERY, EVENT}),
    scheme=Scheme(claims=has(SIGNATURE.lower()), authenticate=by_hmac(SIGNATURE, prefix="sha256=")),
    options={
        "branches": Option(
            "Branches whose failures matter; those of others are remarks. All when left out.",
            words,
        )
    },
)
