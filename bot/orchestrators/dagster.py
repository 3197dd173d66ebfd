"""Starts runs of Dagster jobs through GraphQL; a run of an earlier attempt is found by its tag."""

from typing import Any

from bot.orchestrators.api import Api, segment
from bot.orchestrators.target import Started, Target
from bot.ports.delivering import GiveUpError

TAG = "watchbill/key"
_FIND = """query Find($filter: RunsFilter!) {
  runsOrError(filter: $filter, limit: 1) { ... on Runs { results { runId } } }
}"""
_LAUNCH = """mutation Launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on PipelineNotFoundError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""


class Dagster:
    """`location` and `repository` say where the jobs are."""

    def __init__(self, api: Api, location: str, repository: str) -> None:
        self._api = api
        self._location = location
        self._repository = repository

    async def trigger(self, target: Target) -> Started:
        job = target.need("job")
        tags = [{"key": TAG, "value": target.key}]
        if target.unsure:
            found = await self._ask(_FIND, {"filter": {"tags": tags}})
            results = (found.get("runsOrError") or {}).get("results") or []
            if results:
                return self._started(results[0])
        selector = {
            "repositoryLocationName": self._location,
            "repositoryName": self._repository,
            "jobName": job,
        }
        params = {"selector": selector, "executionMetadata": {"tags": tags}}
        said = (await self._ask(_LAUNCH, {"params": params})).get("launchRun") or {}
        if said.get("__typename") != "LaunchRunSuccess":
            why = said.get("message") or said.get("__typename") or "no answer"
            raise GiveUpError(f"Dagster did not start {job[:60]}: {str(why)[:100]}")
        return self._started(said.get("run") or {})

    async def _ask(self, query: str, variables: dict[str, object]) -> dict[str, Any]:
        reply = await self._api.post("/graphql", {"query": query, "variables": variables})
        body = reply.body if isinstance(reply.body, dict) else {}
        data = body.get("data")
        if not isinstance(data, dict):
            raise GiveUpError("Dagster did not understand the question; look at its version")
        return data

    def _started(self, run: dict[str, Any]) -> Started:
        found = str(run.get("runId") or "")
        return Started(found, f"{self._api.url}/runs/{segment(found)}" if found else "")
