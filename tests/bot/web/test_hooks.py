"""The door: who may pass, what is too much, and what is stored, over real HTTP."""

import asyncio
import base64
import json
from datetime import timedelta

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.web.authentication import Gate, sign
from tests.bot.web.conftest import BEARER, PREVIOUS, SECRET, Client, House
from tests.fakes.deliveries import payload

BODY = b'{"title": "Load failed", "id": "load"}'


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"any:{password}".encode()).decode()}


async def test_a_delivery_is_stored_as_it_came_and_answered(client: Client, house: House) -> None:
    headers = {
        **BEARER,
        "Content-Type": "application/json",
        "User-Agent": "tool/1",
        "Cookie": "a=b",
    }
    answer = await client.post("/hooks/tool", data=BODY, headers=headers)
    assert answer.status == 202
    assert await answer.json() == {"delivery": "d1"}
    (stored,) = house.inbox.deliveries
    assert stored.source == "tool"
    assert stored.body == BODY
    assert stored.content_type == "application/json"
    assert stored.headers == {"user-agent": "tool/1"}
    assert house.counted("tool", "accepted") == 1


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"Authorization": f"bearer  {PREVIOUS}"},
        basic(SECRET),
        basic(PREVIOUS),
        {"X-Watchbill-Signature": sign(SECRET, BODY)},
        {"X-Watchbill-Signature": sign(PREVIOUS, BODY).upper()},
    ],
)
async def test_who_knows_a_secret_passes(client: Client, headers: dict[str, str]) -> None:
    assert (await client.post("/hooks/tool", data=BODY, headers=headers)).status == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": SECRET},
        {"Authorization": f"Digest {SECRET}"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Basic /////w=="},
        {"Authorization": "Bearer grün"},
        basic(""),
        basic("wrong"),
        {"X-Watchbill-Signature": sign("wrong", BODY)},
        {"X-Watchbill-Signature": sign(SECRET, BODY + b" ")},
        {"X-Watchbill-Signature": "sha256="},
        {"X-Watchbill-Signature": ""},
    ],
)
async def test_nobody_else_does(client: Client, house: House, headers: dict[str, str]) -> None:
    answer = await client.post("/hooks/tool", data=BODY, headers=headers)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "X-Watchbill-Signature" in (await answer.json())["error"]
    assert house.inbox.deliveries == []
    assert house.counted("tool", "unauthorized") == 1


async def test_a_key_in_the_address_counts_only_where_it_is_allowed(client: Client) -> None:
    assert (await client.post(f"/hooks/query?key={SECRET}", data=BODY)).status == 202
    assert (await client.post("/hooks/query?key=wrong", data=BODY)).status == 401
    assert (await client.post("/hooks/query?key=", data=BODY)).status == 401
    assert (await client.post(f"/hooks/tool?key={SECRET}", data=BODY)).status == 401


async def test_a_source_without_a_secret_is_shut(client: Client) -> None:
    assert (await client.post("/hooks/shut", data=BODY)).status == 401
    assert (
        await client.post("/hooks/shut", data=BODY, headers={"Authorization": "Bearer "})
    ).status == 401
    forged = {"X-Watchbill-Signature": sign("", BODY)}
    assert (await client.post("/hooks/shut", data=BODY, headers=forged)).status == 401


async def test_or_open_to_this_machine_but_not_through_a_proxy(client: Client) -> None:
    assert (await client.post("/hooks/local", data=BODY)).status == 202
    proxied = {"X-Forwarded-For": "203.0.113.9"}
    assert (await client.post("/hooks/local", data=BODY, headers=proxied)).status == 401


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="everybody"):
        Gate(secrets=("good", ""))


async def test_an_unknown_source_is_said(client: Client, house: House) -> None:
    answer = await client.post("/hooks/nobody", data=BODY, headers=BEARER)
    assert answer.status == 404
    assert "No source has this name" in (await answer.json())["error"]
    assert house.counted("-", "unknown_source") == 1
    assert house.counted("nobody", "unknown_source") == 0


async def test_other_methods_are_refused(client: Client) -> None:
    answer = await client.get("/hooks/tool", headers=BEARER)
    assert answer.status == 405
    assert answer.headers["Allow"] == "OPTIONS,POST"
    assert "error" in await answer.json()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "image/png"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "deflate"},
    ],
)
async def test_what_is_not_text_is_refused(
    client: Client, house: House, headers: dict[str, str]
) -> None:
    answer = await client.post("/hooks/tool", data=BODY, headers={**BEARER, **headers})
    assert answer.status == 415
    assert house.inbox.deliveries == []
    assert house.counted("tool", "wrong_type") == 1


async def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(
    client: Client, house: House
) -> None:
    assert (await client.post("/hooks/small", data=b"x" * 1_000, headers=BEARER)).status == 202
    answer = await client.post("/hooks/small", data=b"x" * 1_001, headers=BEARER)
    assert answer.status == 413
    assert "1,000 bytes" in (await answer.json())["error"]
    assert house.counted("small", "too_large") == 1


async def test_a_body_of_unknown_length_is_cut_off(client: Client, house: House) -> None:
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(10_000):
            sent += 1
            yield b"x" * 1_000

    try:
        answer = await client.post("/hooks/small", data=endless(), headers=BEARER)
        assert answer.status == 413
    except ConnectionError:
        pass
    assert sent < 10_000
    assert house.inbox.deliveries == []
    assert house.counted("small", "too_large") == 1


async def test_a_body_that_breaks_off_is_not_stored(client: Client, house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    writer.write(
        b"POST /hooks/tool HTTP/1.1\r\nHost: w\r\nAuthorization: Bearer "
        + SECRET.encode()
        + b"\r\nContent-Length: 100\r\n\r\n{"
    )
    await writer.drain()
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    assert house.inbox.deliveries == []


async def test_a_body_that_never_comes_is_not_waited_for(
    client: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.body.BODY_SECONDS", 0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
    writer.write(
        f"POST /hooks/tool HTTP/1.1\r\nHost: w\r\nAuthorization: Bearer {SECRET}\r\n"
        "Content-Length: 100\r\n\r\n{".encode()
    )
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert said.startswith(b"HTTP/1.1 503 ")  # at 408 most senders give up
    assert b"Retry-After: 5\r\n" in said
    assert house.counted("tool", "broken") == 1
    assert house.inbox.deliveries == []


async def test_too_many_requests_are_told_to_wait(client: Client, house: House) -> None:
    statuses = [
        (await client.post("/hooks/slow", data=f"{n}", headers=BEARER)).status for n in range(4)
    ]
    assert statuses == [202, 202, 202, 429]
    answer = await client.post("/hooks/slow", data=BODY, headers=BEARER)
    assert answer.headers["Retry-After"] == "20"
    assert house.counted("slow", "throttled") == 2
    house.clock.advance(seconds=21)
    assert (await client.post("/hooks/slow", data=BODY, headers=BEARER)).status == 202
    assert (await client.post("/hooks/tool", data=BODY, headers=BEARER)).status == 202


async def test_strangers_do_not_use_up_a_sources_rate(client: Client) -> None:
    for _ in range(10):
        assert (await client.post("/hooks/slow", data=BODY)).status == 401
    assert (await client.post("/hooks/slow", data=BODY, headers=BEARER)).status == 202


async def test_a_repeat_is_harmless_and_says_so(client: Client, house: House) -> None:
    for _ in range(2):
        answer = await client.post(
            "/hooks/prom", data=payload("alertmanager/grafana.json"), headers=BEARER
        )
    assert answer.status == 202
    assert await answer.json() == {"delivery": "d1", "repeated": True}
    assert len(house.inbox.deliveries) == 1
    assert house.counted("prom", "repeated") == 1


@pytest.mark.parametrize("name", ["X-Watchbill-Delivery", "Idempotency-Key"])
async def test_the_sender_may_name_the_delivery(client: Client, house: House, name: str) -> None:
    await client.post("/hooks/tool", data=b'"a"', headers={**BEARER, name: "run-7"})
    house.clock.advance(hours=5)
    answer = await client.post("/hooks/tool", data=b'"b"', headers={**BEARER, name: "run-7"})
    assert (await answer.json())["repeated"] is True
    other = await client.post("/hooks/prom", data=b'"a"', headers={**BEARER, name: "run-7"})
    assert "repeated" not in await other.json()
    long = await client.post("/hooks/tool", data=BODY, headers={**BEARER, name: "r" * 4_000})
    assert long.status == 202
    assert len(house.inbox.deliveries[-1].key) <= 255


async def test_what_cannot_be_stored_must_be_sent_again(client: Client, house: House) -> None:
    house.inbox.broken = True
    answer = await client.post("/hooks/tool", data=BODY, headers=BEARER)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert house.counted("tool", "not_stored") == 1
    house.inbox.broken = False
    assert (await client.post("/hooks/tool", data=BODY, headers=BEARER)).status == 202


@pytest.mark.parametrize("source", ["tool", "prom"])
@pytest.mark.parametrize(
    "body", [b"", b"\x00\xff", b"[" * 5_000, b'{"alerts": [{"labels": 1}]}', b"NaN"]
)
async def test_whatever_an_authentic_sender_sends_is_stored(
    client: Client, house: House, source: str, body: bytes
) -> None:
    headers = {**BEARER, "Content-Type": "application/json"}
    assert (await client.post(f"/hooks/{source}", data=body, headers=headers)).status == 202
    assert house.inbox.deliveries[0].body == body


async def test_a_challenge_is_answered_and_not_stored(client: Client, house: House) -> None:
    challenge = json.dumps({"type": "url_verification", "challenge": "a1"})
    answer = await client.post("/hooks/tool", data=challenge, headers=BEARER)
    assert (answer.status, await answer.text()) == (200, "a1")
    assert (await client.post("/hooks/tool", data=challenge)).status == 401
    assert house.inbox.deliveries == []


async def test_the_roster_can_be_announced(client: Client, house: House) -> None:
    signed = {"X-Watchbill-Signature": sign(SECRET, b"{}")}
    assert (await client.post("/hooks/roster", data=b"{}", headers=signed)).status == 202
    assert house.roster_changes == 1
    assert (await client.post("/hooks/roster", data=b"{}")).status == 401
    big = await client.post("/hooks/roster", data=b"x" * 70_000, headers=BEARER)
    assert big.status == 413
    assert house.roster_changes == 1
    for _ in range(59):
        await client.post("/hooks/roster", data=b"{}", headers=BEARER)
    assert (await client.post("/hooks/roster", data=b"{}", headers=BEARER)).status == 429
    assert house.roster_changes == 60


async def test_all_sources_share_a_limit(house: House) -> None:
    house.total_limit = 2
    async with TestClient(TestServer(house.app(), host="127.0.0.1")) as client:
        for source, status in [("tool", 202), ("prom", 202), ("small", 429)]:
            assert (
                await client.post(f"/hooks/{source}", data=b"x", headers=BEARER)
            ).status == status
        house.clock.advance(seconds=timedelta(minutes=1).total_seconds())
        assert (await client.post("/hooks/small", data=b"x", headers=BEARER)).status == 202
