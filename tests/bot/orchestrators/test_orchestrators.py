"""Runs are started once, whatever happens on the way: against small servers that keep state."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.orchestrators.airflow import Airflow
from bot.orchestrators.api import Api
from bot.orchestrators.dagster import Dagster
from bot.orchestrators.databricks import Databricks
from bot.orchestrators.dbt_cloud import DbtCloud
from bot.orchestrators.github import GitHub
from bot.orchestrators.target import Orchestrator, Target
from bot.ports.delivering import GiveUpError, RetryLaterError

TOKEN = "t0ken"
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
LABELS: Mapping[str, Mapping[str, str]] = {
    "airflow": {"dag_id": "shop daily"},
    "dbt_cloud": {"account_id": "7", "job_id": "42"},
    "databricks": {"job_id": "42"},
    "dagster": {"job": "nightly"},
    "github": {"repository": "acme/shop", "run_id": "99", "run_attempt": "1"},
}
KINDS = tuple(LABELS)


@dataclass
class Fake:
    """Every orchestrator at once: the runs by their key, and a fault for the next write."""

    runs: dict[str, str] = field(default_factory=dict)
    fault: int = 0
    after: bool = False
    slow: bool = False
    attempt: int = 1
    dag: tuple[int, Mapping[str, object]] = (200, {"is_paused": False})

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/api/v2/dags/{dag}", self.airflow_dag)
        app.router.add_post("/api/v2/dags/{dag}/dagRuns", self.write(self.airflow))
        app.router.add_get("/api/v2/dags/{dag}/dagRuns/{run}", self.airflow_run)
        app.router.add_post("/api/v2/accounts/7/jobs/42/run/", self.write(self.dbt))
        app.router.add_get("/api/v2/accounts/7/runs/", self.dbt_runs)
        app.router.add_post("/api/2.1/jobs/run-now", self.write(self.databricks))
        app.router.add_post("/graphql", self.graphql)
        app.router.add_get("/repos/acme/shop/actions/runs/99", self.github_run)
        rerun = "/repos/acme/shop/actions/runs/99/rerun-failed-jobs"
        app.router.add_post(rerun, self.write(self.github))
        return app

    def write(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def guarded(request: web.Request) -> web.Response:
            if TOKEN not in "".join(request.headers.values()):
                return web.json_response({"message": "no"}, status=401)
            done = await handler(request) if self.after or not self.fault else None
            if self.slow:
                await asyncio.Event().wait()
            if self.fault:
                wait = {"Retry-After": "7"} if self.fault == 429 else {}
                return web.json_response({"message": "no"}, status=self.fault, headers=wait)
            assert done is not None
            return done

        return guarded

    def keep(self, key: str) -> str:
        assert key not in self.runs, "started twice"
        self.runs[key] = str(1000 + len(self.runs))
        return self.runs[key]

    async def airflow(self, request: web.Request) -> web.Response:
        body = await request.json()
        assert body["logical_date"] is None
        if body["dag_run_id"] in self.runs:
            return web.json_response({"detail": "exists"}, status=409)
        self.keep(body["dag_run_id"])
        return web.json_response(body)

    async def airflow_dag(self, _request: web.Request) -> web.Response:
        status, told = self.dag
        return web.json_response(told, status=status)

    async def airflow_run(self, request: web.Request) -> web.Response:
        known = request.match_info["run"] in self.runs
        return web.json_response({}, status=200 if known else 404)

    async def dbt(self, request: web.Request) -> web.Response:
        run = self.keep((await request.json())["cause"])
        return web.json_response({"data": {"id": int(run), "href": "https://dbt.example/run"}})

    async def dbt_runs(self, _request: web.Request) -> web.Response:
        found = [{"id": int(r), "trigger": {"cause": c}} for c, r in self.runs.items()]
        return web.json_response({"data": found})

    async def databricks(self, request: web.Request) -> web.Response:
        body = await request.json()
        key = body["idempotency_token"]
        run = self.runs.get(key) or self.keep(key)
        return web.json_response({"run_id": int(run)})

    async def graphql(self, request: web.Request) -> web.Response:
        body = await request.json()
        if "runsOrError" in body["query"]:
            key = body["variables"]["filter"]["tags"][0]["value"]
            found = [{"runId": self.runs[key]}] if key in self.runs else []
            return web.json_response({"data": {"runsOrError": {"results": found}}})
        return await self.write(self.launch)(request)

    async def launch(self, request: web.Request) -> web.Response:
        params = (await request.json())["variables"]["params"]
        run = self.keep(params["executionMetadata"]["tags"][0]["value"])
        told = {"__typename": "LaunchRunSuccess", "run": {"runId": run}}
        return web.json_response({"data": {"launchRun": told}})

    async def github_run(self, _request: web.Request) -> web.Response:
        told = {"run_attempt": self.attempt, "status": "completed", "html_url": "https://g.example"}
        return web.json_response(told)

    async def github(self, _request: web.Request) -> web.Response:
        self.keep(f"attempt {self.attempt}")
        self.attempt += 1
        return web.json_response({}, status=201)


@dataclass
class Bench:
    fake: Fake
    url: str
    session: aiohttp.ClientSession

    def of(self, kind: str, token: str = TOKEN) -> Orchestrator:
        api = Api(kind, self.url, self.session, {"Authorization": token}, timeout=0.3)
        made: dict[str, Orchestrator] = {
            "airflow": Airflow(api),
            "dbt_cloud": DbtCloud(api),
            "databricks": Databricks(api),
            "dagster": Dagster(api, "shop", "__repository__"),
            "github": GitHub(api),
        }
        return made[kind]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    fake = Fake()
    async with TestServer(fake.app()) as server, aiohttp.ClientSession() as session:
        yield Bench(fake, str(server.make_url("/")).rstrip("/"), session)


def target(kind: str, **more: Any) -> Target:
    return Target(LABELS[kind], "k" * 32, NOW, **more)


@pytest.mark.parametrize("kind", KINDS)
async def test_it_starts_one_run(bench: Bench, kind: str) -> None:
    started = await bench.of(kind).trigger(target(kind))
    assert started.run_id
    assert len(bench.fake.runs) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_token_is_told_and_not_tried_again(bench: Bench, kind: str) -> None:
    with pytest.raises(GiveUpError, match="token"):
        await bench.of(kind, "wrong").trigger(target(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [404, 409])
async def test_a_refusal_is_told(bench: Bench, kind: str, status: int) -> None:
    bench.fake.fault = status
    with pytest.raises(GiveUpError):
        await bench.of(kind).trigger(target(kind))
    assert not bench.fake.runs


@pytest.mark.parametrize("kind", KINDS)
async def test_it_waits_as_long_as_it_is_asked_to(bench: Bench, kind: str) -> None:
    bench.fake.fault = 429
    with pytest.raises(RetryLaterError) as caught:
        await bench.of(kind).trigger(target(kind))
    assert caught.value.after == timedelta(seconds=7)
    assert caught.value.throttled
    assert not caught.value.unsure


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("slow", [False, True])
async def test_what_may_have_arrived_is_looked_up_first(
    bench: Bench, kind: str, slow: bool
) -> None:
    bench.fake.after = True
    bench.fake.fault, bench.fake.slow = (0, True) if slow else (500, False)
    with pytest.raises(RetryLaterError) as caught:
        await bench.of(kind).trigger(target(kind))
    assert caught.value.unsure
    assert len(bench.fake.runs) == 1
    bench.fake.fault, bench.fake.slow = 0, False
    started = await bench.of(kind).trigger(target(kind, unsure=True))
    assert started.run_id
    assert len(bench.fake.runs) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_what_never_arrived_is_started(bench: Bench, kind: str) -> None:
    await bench.of(kind).trigger(target(kind, unsure=True))
    assert len(bench.fake.runs) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_an_incident_that_names_nothing_to_run(bench: Bench, kind: str) -> None:
    with pytest.raises(GiveUpError, match="has no label"):
        await bench.of(kind).trigger(Target({}, "k", NOW))


async def test_nobody_there_is_tried_again() -> None:
    async with aiohttp.ClientSession() as session:
        api = Api("airflow", "http://127.0.0.1:9", session, {})
        with pytest.raises(RetryLaterError) as caught:
            await Airflow(api).trigger(target("airflow"))
    assert not caught.value.unsure


async def test_a_paused_dag_is_told_instead_of_a_run_that_never_starts(bench: Bench) -> None:
    bench.fake.dag = 200, {"dag_id": "shop daily", "is_paused": True}
    with pytest.raises(GiveUpError, match="shop daily is paused in Airflow, unpause it"):
        await bench.of("airflow").trigger(target("airflow"))
    assert not bench.fake.runs


async def test_who_may_start_runs_and_not_read_dags_starts_one(bench: Bench) -> None:
    bench.fake.dag = 403, {"detail": "Forbidden"}
    await bench.of("airflow").trigger(target("airflow"))
    assert len(bench.fake.runs) == 1


@pytest.mark.parametrize(
    ("headers", "message", "waits"),
    [
        ({"Retry-After": "30"}, "You have exceeded a secondary rate limit", 30),
        ({"X-RateLimit-Remaining": "0"}, "no", 60),
        ({}, "API rate limit exceeded for user", 60),
        ({"X-RateLimit-Remaining": "12"}, "Resource not accessible by personal token", None),
    ],
)
async def test_a_limit_of_github_is_waited_for_and_no_refusal(
    headers: dict[str, str], message: str, waits: int | None
) -> None:
    async def refuses(_request: web.Request) -> web.Response:
        return web.json_response({"message": message}, status=403, headers=headers)

    app = web.Application()
    app.router.add_get("/repos/acme/shop/actions/runs/99", refuses)
    async with TestServer(app, host="127.0.0.1") as server, aiohttp.ClientSession() as session:
        github = GitHub(Api("github", str(server.make_url("")), session, {}))
        if waits is None:
            with pytest.raises(GiveUpError, match="may not start runs"):
                await github.trigger(target("github"))
            return
        with pytest.raises(RetryLaterError) as caught:
            await github.trigger(target("github"))
    assert (caught.value.after, caught.value.throttled) == (timedelta(seconds=waits), True)
