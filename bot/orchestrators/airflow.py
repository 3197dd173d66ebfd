"""Starts runs of Airflow DAGs through its REST API; the run's id makes a second start harmless."""

from http import HTTPStatus

from bot.orchestrators.api import Api, segment
from bot.orchestrators.target import Started, Target
from bot.ports.delivering import GiveUpError


class Airflow:
    """`version` is that of the API: v2 since Airflow 3, v1 before."""

    def __init__(self, api: Api, version: str = "v2") -> None:
        self._api = api
        self._version = version

    async def trigger(self, target: Target) -> Started:
        dag, run = target.need("dag_id"), f"watchbill__{target.key}"
        body: dict[str, object] = {"dag_run_id": run, "note": "Started to prove a fix."}
        if self._version == "v2":
            body["logical_date"] = None
        of_dag = f"/api/{self._version}/dags/{segment(dag)}"
        # a run of a paused DAG is taken, and never starts
        told = await self._api.get(of_dag, fine=(HTTPStatus.FORBIDDEN,))
        if isinstance(told.body, dict) and told.body.get("is_paused") is True:
            raise GiveUpError(f"{dag[:60]} is paused in Airflow, unpause it there first")
        path = f"{of_dag}/dagRuns"
        reply = await self._api.post(path, body, fine=(HTTPStatus.CONFLICT,))
        if reply.status == HTTPStatus.CONFLICT:
            # there is one of this id: an earlier attempt has arrived; else this says why not
            await self._api.get(f"{path}/{segment(run)}")
        return Started(run, f"{self._api.url}/dags/{segment(dag)}/{self._page(run)}")

    def _page(self, run: str) -> str:
        return (
            f"runs/{segment(run)}" if self._version == "v2" else f"grid?dag_run_id={segment(run)}"
        )
