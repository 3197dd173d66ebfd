"""Services and a session to reach them by."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fakes.services import Services, running


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    async with running(Services()) as serving:
        yield serving


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened
