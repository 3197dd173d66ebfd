"""A vendor's own signature at the door, beside the general ways, over real HTTP."""

import hashlib
import hmac

import pytest

from bot.web.authentication import sign
from tests.bot.web.conftest import BEARER, PREVIOUS, SECRET, Client, House

BODY = b'{"title": "Load failed", "id": "load"}'


def signed(secret: str, body: bytes = BODY) -> dict[str, str]:
    return {"X-Vendor-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


async def post(client: Client, source: str, headers: dict[str, str]) -> int:
    return (await client.post(f"/hooks/{source}", data=BODY, headers=headers)).status


@pytest.mark.parametrize(
    "headers",
    [
        signed(SECRET),
        signed(PREVIOUS),
        {"X-Vendor-Signature": signed(SECRET)["X-Vendor-Signature"].upper()},
        BEARER,
        {"X-Watchbill-Signature": sign(SECRET, BODY)},
    ],
)
async def test_the_vendors_signature_and_the_general_ways_pass(
    client: Client, house: House, headers: dict[str, str]
) -> None:
    assert await post(client, "signed", headers) == 202
    assert house.inbox.deliveries[0].body == BODY


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed("wrong"),
        signed(SECRET, BODY + b" "),
        {"X-Vendor-Signature": ""},
        {"X-Vendor-Signature": "é"},
        {**signed("wrong"), **BEARER},
        {**signed("wrong"), "X-Watchbill-Signature": sign(SECRET, BODY)},
    ],
)
async def test_a_signature_that_does_not_fit_is_refused_whatever_comes_with_it(
    client: Client, house: House, headers: dict[str, str]
) -> None:
    assert await post(client, "signed", headers) == 401
    assert house.inbox.deliveries == []
    assert house.counted("signed", "unauthorized") == 1


async def test_the_refusal_says_what_to_do(client: Client) -> None:
    answer = await client.post("/hooks/signed", data=BODY, headers=signed("wrong"))
    assert "use the same secret on both sides" in (await answer.json())["error"]


async def test_a_mandatory_scheme_shuts_the_general_ways(client: Client) -> None:
    assert await post(client, "mandatory", signed(SECRET)) == 202
    assert await post(client, "mandatory", BEARER) == 401
    assert await post(client, "mandatory", {"X-Watchbill-Signature": sign(SECRET, BODY)}) == 401


async def test_without_a_secret_no_signature_fits(client: Client) -> None:
    answer = await client.post("/hooks/secretless", data=BODY, headers=signed(""))
    assert answer.status == 401
    assert (await answer.json())["error"].startswith("The secret is missing")


async def test_a_scheme_may_fetch_a_key_and_say_that_the_time_is_wrong(
    client: Client, house: House
) -> None:
    assert await post(client, "keyless", {"X-Vendor-Key": "good"}) == 202
    assert await post(client, "keyless", {"X-Vendor-Key": "old"}) == 401
    assert house.counted("keyless", "stale") == 1
    assert await post(client, "keyless", BEARER) == 401
