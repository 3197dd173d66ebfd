"""Each vendor's own request, over real HTTP: taken once, refused when it is not theirs."""

from collections.abc import Callable

import pytest

from tests.bot.web.conftest import BEARER, PREVIOUS, SECRET, Client, House
from tests.fakes.deliveries import PAYLOADS
from tests.fakes.vendors import SIGNERS

Signer = Callable[..., dict[str, str]]
every_vendor = pytest.mark.parametrize(("kind", "sign"), SIGNERS.items(), ids=SIGNERS)


def sample(kind: str) -> bytes:
    return min(PAYLOADS.joinpath(kind).glob("*.json")).read_bytes()


def signed(kind: str, house: House, body: bytes, secret: str = SECRET) -> dict[str, str]:
    headers = SIGNERS[kind](body, secret)
    if kind == "sentry":
        headers["sentry-hook-timestamp"] = str(int(house.clock.now().timestamp()))
    return headers


async def post(client: Client, kind: str, body: bytes, headers: dict[str, str]) -> int:
    headers = {"Content-Type": "application/json", **headers}
    return (await client.post(f"/hooks/{kind}", data=body, headers=headers)).status


@every_vendor
async def test_what_is_signed_is_stored_as_it_came(
    client: Client, house: House, kind: str, sign: Signer
) -> None:
    body = sample(kind)
    assert await post(client, kind, body, signed(kind, house, body)) == 202
    assert await post(client, kind, body, signed(kind, house, body, PREVIOUS)) == 202
    (stored,) = house.inbox.deliveries
    assert stored.body == body
    assert SECRET not in str(stored.headers)
    assert not any("signature" in name or name == "authorization" for name in stored.headers)
    assert house.counted(kind, "repeated") == 1


@every_vendor
async def test_what_is_not_theirs_is_refused(
    client: Client, house: House, kind: str, sign: Signer
) -> None:
    body = sample(kind)
    for headers in [{}, signed(kind, house, body, "wrong"), signed(kind, house, body + b" ")]:
        assert await post(client, kind, body, headers) == 401
    assert house.inbox.deliveries == []
    assert house.counted(kind, "unauthorized") == 3


@every_vendor
async def test_a_header_of_ones_own_is_enough_too(
    client: Client, house: House, kind: str, sign: Signer
) -> None:
    assert await post(client, kind, sample(kind), BEARER) == 202


async def test_a_replay_of_sentry_is_refused(client: Client, house: House) -> None:
    body = sample("sentry")
    headers = signed("sentry", house, body)
    assert await post(client, "sentry", body, headers) == 202
    house.clock.advance(seconds=301)
    assert await post(client, "sentry", body, {**headers, "Request-ID": "another"}) == 401
    assert house.counted("sentry", "stale") == 1
    assert len(house.inbox.deliveries) == 1


async def test_what_the_parser_needs_of_the_headers_is_stored(client: Client, house: House) -> None:
    body = sample("github")
    headers = {**signed("github", house, body), "X-GitHub-Delivery": "d-1", "X-GitHub-Event": "x"}
    assert await post(client, "github", body, headers) == 202
    kept = house.inbox.deliveries[0].headers
    assert (kept["x-github-delivery"], kept["x-github-event"]) == ("d-1", "x")


@pytest.mark.parametrize("kind", ["dbt_cloud", "pagerduty"])
async def test_a_signed_name_cannot_be_overruled_by_a_header(
    client: Client, house: House, kind: str
) -> None:
    body = sample(kind)
    for name in ["one", "two"]:
        headers = {**signed(kind, house, body), "Idempotency-Key": name}
        assert await post(client, kind, body, headers) == 202
    assert len(house.inbox.deliveries) == 1
