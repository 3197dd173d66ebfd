"""One bench for each kind of back-end."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.bot.access.backends import benches
from tests.bot.access.backends.benches import Bench

KINDS = (
    "okta_group",
    "github_team",
    "google_group",
    "cloud_identity",
    "google_iam",
    "slack_group",
    "postgresql_role",
    "exec",
)


def made(kind: str, request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Bench]:
    folder: Path = request.getfixturevalue("tmp_path")
    match kind:
        case "okta_group":
            return benches.okta_bench()
        case "github_team":
            return benches.github_bench()
        case "slack_group":
            return benches.slack_bench()
        case "postgresql_role":
            return benches.postgresql_bench(request.getfixturevalue("postgresql_server"))
        case "exec":
            return benches.exec_bench(folder)
        case _:
            return benches.google_bench(kind, folder)


# not asynchronous itself: the server of PostgreSQL starts in a loop of its own
@pytest.fixture(params=KINDS)
def bench_made(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Bench]:
    return made(request.param, request)


@pytest.fixture
async def bench(bench_made: AbstractAsyncContextManager[Bench]) -> AsyncIterator[Bench]:
    async with bench_made as opened:
        yield opened


@pytest.fixture(
    params=["okta_group", "github_team", "google_group", "cloud_identity", "google_iam"]
)
async def web_bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """Yield a bench of a back-end that is spoken to by HTTP."""
    async with made(request.param, request) as opened:
        yield opened


@pytest.fixture
async def okta(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with made("okta_group", request) as opened:
        yield opened


@pytest.fixture
async def github(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with made("github_team", request) as opened:
        yield opened


@pytest.fixture
async def directory(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with made("google_group", request) as opened:
        yield opened


@pytest.fixture
async def identity(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with made("cloud_identity", request) as opened:
        yield opened


@pytest.fixture
async def iam(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with made("google_iam", request) as opened:
        yield opened


@pytest.fixture
async def slack(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with made("slack_group", request) as opened:
        yield opened


@pytest.fixture
async def postgresql(postgresql_server: str) -> AsyncIterator[Bench]:
    async with benches.postgresql_bench(postgresql_server) as opened:
        yield opened


@pytest.fixture
async def command(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    async with made("exec", request) as opened:
        yield opened
