"""One bench for each kind of back-end."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

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


def _bench_of(kind: str) -> Any:
    """Return a fixture that yields a bench of one back-end."""

    @pytest.fixture
    async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
        async with made(kind, request) as opened:
            yield opened

    return bench


okta = _bench_of("okta_group")
github = _bench_of("github_team")
directory = _bench_of("google_group")
identity = _bench_of("cloud_identity")
iam = _bench_of("google_iam")
slack = _bench_of("slack_group")
command = _bench_of("exec")


@pytest.fixture
async def postgresql(postgresql_server: str) -> AsyncIterator[Bench]:
    async with benches.postgresql_bench(postgresql_server) as opened:
        yield opened
