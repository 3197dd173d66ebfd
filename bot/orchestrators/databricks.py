"""Starts runs of Databricks jobs; its idempotency token makes a second start harmless."""

from bot.orchestrators.api import Api
from bot.orchestrators.target import Started, Target
from bot.ports.delivering import GiveUpError


class Databricks:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def trigger(self, target: Target) -> Started:
        job = target.need("job_id")
        if not job.isdecimal():
            raise GiveUpError(f"{job[:40]!r} is no id of a Databricks job")
        body = {"job_id": int(job), "idempotency_token": target.key}
        reply = await self._api.post("/api/2.1/jobs/run-now", body)
        run = reply.get("run_id")
        return Started(run, f"{self._api.url}/jobs/{job}/runs/{run}" if run else "")
