"""Starts runs of dbt Cloud jobs; a run that an earlier attempt started is found by its cause."""

from bot.orchestrators.api import Api, Reply, segment
from bot.orchestrators.target import Started, Target


class DbtCloud:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def trigger(self, target: Target) -> Started:
        account, job = target.need("account_id"), target.need("job_id")
        runs, cause = f"/api/v2/accounts/{segment(account)}", f"Watchbill {target.key}"
        if target.unsure and (found := await self._started(runs, job, cause)):
            return found
        reply = await self._api.post(f"{runs}/jobs/{segment(job)}/run/", {"cause": cause})
        return _of(reply.body.get("data") if isinstance(reply.body, dict) else None)

    async def _started(self, runs: str, job: str, cause: str) -> Started | None:
        reply = await self._api.get(
            f"{runs}/runs/",
            job_definition_id=job,
            order_by="-id",
            limit="50",
            include_related='["trigger"]',
        )
        for run in _list(reply):
            trigger = run.get("trigger") if isinstance(run, dict) else None
            if isinstance(trigger, dict) and trigger.get("cause") == cause:
                return _of(run)
        return None


def _list(reply: Reply) -> list[object]:
    found = reply.body.get("data") if isinstance(reply.body, dict) else None
    return found if isinstance(found, list) else []


def _of(run: object) -> Started:
    told = run if isinstance(run, dict) else {}
    url = told.get("href")
    return Started(str(told.get("id") or ""), url if isinstance(url, str) else "")
