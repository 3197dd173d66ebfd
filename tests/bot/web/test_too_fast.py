"""What a sender that is too fast is told: to wait, in the words at which it does."""

import pytest

from tests.bot.web.conftest import BEARER, Client, House


@pytest.mark.parametrize("source", ["slow-prom", "slow-lineage"])
async def test_who_gives_up_at_429_is_told_what_it_waits_at(
    client: Client, house: House, source: str
) -> None:
    """Alertmanager's webhooks and OpenLineage's client send again after 5xx only."""
    for n in range(3):
        assert (await client.post(f"/hooks/{source}", data=f"{n}", headers=BEARER)).status == 202
    answer = await client.post(f"/hooks/{source}", data=b"3", headers=BEARER)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "20"
    assert "More than 3 requests a minute" in (await answer.json())["error"]
    assert house.counted(source, "throttled") == 1


async def test_so_it_is_when_all_together_are_too_many(house: House, client: Client) -> None:
    sources = ("tool", "prom")
    for n in range(house.total_limit):
        assert (await client.post("/hooks/tool", data=f"{n}", headers=BEARER)).status == 202
    statuses = [
        (await client.post(f"/hooks/{source}", data=b"x", headers=BEARER)).status
        for source in sources
    ]
    assert statuses == [429, 503]


@pytest.fixture
def house() -> House:
    return House(total_limit=5)
