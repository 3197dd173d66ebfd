"""Carries out the wish to start a run, and says in the thread what came of it."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import aiohttp

from bot.clock import Clock
from bot.config.orchestrators import OrchestratorSpec
from bot.orchestrators.airflow import Airflow
from bot.orchestrators.api import Api
from bot.orchestrators.dagster import Dagster
from bot.orchestrators.databricks import Databricks
from bot.orchestrators.dbt_cloud import DbtCloud
from bot.orchestrators.github import GitHub
from bot.orchestrators.target import Orchestrator, Target
from bot.ports.delivering import Delivered, GiveUpError
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.ports.store import Reader, Store, TimelineEntry
from bot.wire import sentence_to_json
from rules.incident import Incident
from rules.sentence import Sentence, say


class TriggerDeliverer:
    """Delivers jobs of kind `trigger_run`; the job's key names the run, so that one is started."""

    def __init__(
        self,
        orchestrators: Mapping[str, Orchestrator],
        reader: Reader,
        store: Store,
        clock: Clock,
    ) -> None:
        self._orchestrators = orchestrators
        self._reader = reader
        self._store = store
        self._clock = clock

    async def deliver(self, job: Job) -> Delivered:
        """Start the run; raises RetryLaterError, and GiveUpError after it has been told."""
        incident = await self._reader.incident(job.incident_id)
        if incident is None:
            raise GiveUpError("the incident is not kept any more")
        try:
            told = await self._start(job, incident)
        except GiveUpError as error:
            await self._tell(job, incident, say("No run was started: {why}.", why=str(error)))
            raise
        await self._tell(job, incident, told)
        return Delivered()

    async def _start(self, job: Job, incident: Incident) -> Sentence:
        orchestrator = self._orchestrators.get(incident.source)
        if orchestrator is None:
            raise GiveUpError(f"orchestrators names none for source {incident.source}")
        key = hashlib.sha256(job.key.encode()).hexdigest()[:32]
        target = Target(incident.labels, key, job.created_at, unsure=job.unsure)
        started = await orchestrator.trigger(target)
        where = f" {started.url}" if started.url else ""
        return say("Started run {run}.{where}", run=started.run_id or "(no id)", where=where)

    async def _tell(self, job: Job, incident: Incident, sentence: Sentence) -> None:
        now = self._clock.now()
        entry = TimelineEntry(at=now, what="RunStarted", sentence=sentence, rule="verification")
        async with self._store.begin() as tx:
            tx.enqueue(_note(f"{job.key}:told", incident, sentence, now))
            tx.add_timeline(incident.id, entry)


def _note(key: str, incident: Incident, sentence: Sentence, now: datetime) -> NewJob:
    return NewJob(
        key=key,
        kind="tell",
        lane=f"slack:{incident.channel}",
        priority=JobPriority.NOTE,
        due_at=now,
        payload={"sentence": sentence_to_json(sentence), "loud": False},
        incident_id=incident.id,
    )


def orchestrator_of(spec: OrchestratorSpec, session: aiohttp.ClientSession) -> Orchestrator:
    """Build what starts the runs of one source."""
    token = spec.token.get_secret_value()
    scheme = "Token" if spec.kind == "dbt_cloud" else "Bearer"
    headers = {"Authorization": f"{scheme} {token}"} if token else {}
    if spec.kind == "dagster" and token:
        headers = {"Dagster-Cloud-Api-Token": token}
    api = Api(spec.kind, spec.url, session, headers)
    match spec.kind:
        case "airflow":
            return Airflow(api, spec.api)
        case "dbt_cloud":
            return DbtCloud(api)
        case "databricks":
            return Databricks(api)
        case "github":
            return GitHub(api)
        case "dagster":
            return Dagster(api, spec.location, spec.repository)
