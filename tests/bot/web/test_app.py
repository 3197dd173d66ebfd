"""Probes, raw bodies, the front page and the headers, over real HTTP."""

import asyncio
import io
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from bot.ports.inbox import NotStoredError
from bot.web.app import start_web, stop_web
from bot.web.raw_bodies import RawLinks
from tests.bot.web.conftest import BEARER, Client, House
from tests.fakes.clock import FakeClock
from tests.fakes.deliveries import delivery


def local(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


async def fine() -> str:
    return ""


async def late() -> str:
    return "the sheet was last read 3 days ago"


async def broken() -> str:
    raise OSError("password=hunter2")


async def test_the_process_lives(client: Client) -> None:
    answer = await client.get("/healthz")
    assert (answer.status, await answer.json()) == (200, {"alive": True})


async def test_ready_when_all_checks_hold(client: Client, house: House) -> None:
    house.checks["database"] = fine
    answer = await client.get("/readyz")
    assert answer.status == 200
    assert await answer.json() == {"ready": True, "checks": {"database": "ok"}}


async def test_not_ready_names_the_reason(client: Client, house: House) -> None:
    house.checks |= {"database": fine, "roster": late, "slack": broken}
    answer = await client.get("/readyz")
    assert answer.status == 503
    assert await answer.json() == {
        "ready": False,
        "checks": {
            "database": "ok",
            "roster": "the sheet was last read 3 days ago",
            "slack": "the check failed (OSError)",
        },
    }


async def test_a_check_that_hangs_is_a_fault(
    client: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs() -> str:
        await asyncio.Event().wait()
        return ""

    monkeypatch.setattr("bot.web.probes.CHECK_SECONDS", 0.01)
    house.checks["database"] = hangs
    answer = await client.get("/readyz")
    assert answer.status == 503
    assert (await answer.json())["checks"] == {"database": "no answer within 0.01 s"}


async def test_metrics_count_deliveries(client: Client) -> None:
    await client.post("/hooks/tool", data=b'"x"', headers=BEARER)
    answer = await client.get("/metrics")
    assert answer.content_type == "text/plain"
    exposition = await answer.text()
    assert 'watchbill_deliveries_total{result="accepted",source="tool"} 1.0' in exposition
    assert "process_cpu_seconds_total" in exposition


async def test_the_front_page_says_what_this_is(client: Client) -> None:
    answer = await client.get("/")
    assert answer.content_type == "text/html"
    assert "on-call bot" in await answer.text()


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/nothing", "/hooks/tool"])
async def test_every_answer_is_hardened(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Server" not in answer.headers


async def test_an_address_without_anything_answers_in_json(client: Client) -> None:
    answer = await client.get("/nothing")
    assert answer.status == 404
    assert await answer.json() == {"error": "There is nothing at this address."}


async def test_slack_has_its_seat(client: Client) -> None:
    assert await (await client.post("/slack/events")).text() == "slack"


async def test_a_raw_body_opens_with_its_link_only(client: Client, house: House) -> None:
    house.stored["d1"] = delivery(b"<script>alert(1)</script>\xff")
    house.stored["d2"] = replace(house.stored["d1"], id="d2")
    link = house.links.link("d1")
    assert link.startswith("https://watchbill.example/deliveries/d1?key=")
    answer = await client.get(local(link))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert await answer.text() == "<script>alert(1)</script>\ufffd"

    key = urlsplit(link).query
    for wrong in [
        f"/deliveries/d2?{key}",
        "/deliveries/d1",
        f"/deliveries/d1?{key}0",
        "/deliveries/d1?key=9.9",
    ]:
        assert (await client.get(wrong)).status == 404
    stamp, _, mac = key.removeprefix("key=").partition(".")
    assert (await client.get(f"/deliveries/d1?key={int(stamp) + 1}.{mac}")).status == 404


async def test_a_link_ends(client: Client, house: House) -> None:
    house.stored["d1"] = delivery(b"x")
    link = local(house.links.link("d1"))
    house.clock.advance(days=7)
    answer = await client.get(link)
    assert answer.status == 410
    said = (await answer.json())["error"]
    assert "`watchbill replay d1` takes it in again, as if it came now, and can page" in said


async def test_a_delivery_that_is_forgotten_is_not_called_unknown(
    client: Client, house: House
) -> None:
    answer = await client.get(local(house.links.link("d1")))
    assert answer.status == 404
    assert "no longer kept" in (await answer.json())["error"]


async def test_a_link_to_nothing_is_nothing(client: Client, house: House) -> None:
    assert (await client.get(local(house.links.link("gone/../d1")))).status == 404


def test_links_need_a_secret_and_differ_by_it() -> None:
    clock = FakeClock()
    with pytest.raises(ValueError, match="secret"):
        RawLinks("", "https://w", clock)
    assert RawLinks("a", "https://w", clock).link("d1") != RawLinks("b", "https://w", clock).link(
        "d1"
    )


async def test_a_fault_of_ours_is_answered_without_a_trace(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    async def load(delivery_id: str) -> None:
        raise RuntimeError("secret of the database")

    house._load = load  # type: ignore[method-assign]
    runner = await start_web(house.app(), "127.0.0.1", 0)
    port = runner.addresses[0][1]
    async with ClientSession() as session:
        path = local(house.links.link("d1"))
        async with session.get(f"http://127.0.0.1:{port}{path}") as answer:
            assert answer.status == 500
            assert await answer.json() == {
                "error": "Watchbill failed (RuntimeError); its log says more."
            }
    await stop_web(runner)
    assert "request failed" in capsys.readouterr().out


async def test_who_breaks_off_is_no_fault_of_ours(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = asyncio.Event()

    async def reads(request: web.Request) -> web.StreamResponse:
        try:
            return web.Response(body=await request.read())
        finally:
            ended.set()

    app = house.app()
    app.router.add_post("/reads", reads)
    runner = await start_web(app, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*runner.addresses[0][:2])
    writer.write(b"POST /reads HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(10):
        await ended.wait()
    await stop_web(runner)
    assert "failed" not in capsys.readouterr().out


async def test_a_raw_body_waits_for_the_database(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    async def load(delivery_id: str) -> None:
        raise NotStoredError("connection refused")

    house._load = load  # type: ignore[method-assign]
    async with TestClient(TestServer(house.app())) as client:
        answer = await client.get(local(house.links.link("d1")))
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "60"
        assert "try again" in (await answer.json())["error"]
    assert "request failed" not in capsys.readouterr().out


async def test_stopping_lets_a_running_request_end(house: House) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        entered.set()
        await leave.wait()
        return web.Response(text="done")

    app = house.app()
    app.router.add_get("/slow", slow)
    runner = await start_web(app, "127.0.0.1", 0)
    port = runner.addresses[0][1]

    async def ask() -> str:
        async with (
            ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/slow") as answer,
        ):
            return await answer.text()

    async with asyncio.TaskGroup() as group:
        asked = group.create_task(ask())
        await entered.wait()
        stopping = group.create_task(stop_web(runner))
        leave.set()
    assert asked.result() == "done"
    assert stopping.done()
    with pytest.raises(OSError):  # noqa: PT011 - the port is closed, whatever the system says
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_compressed_body_is_refused_before_it_grows(house: House) -> None:
    runner = await start_web(house.app(), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/tool"
    async with ClientSession() as session:
        for name in ["br", "gzip"]:
            headers = {**BEARER, "Content-Encoding": name}
            async with session.post(url, data=b"not compressed", headers=headers) as answer:
                assert answer.status == 415
    await stop_web(runner)


async def test_a_taken_address_is_an_error(house: House) -> None:
    runner = await start_web(house.app(), "127.0.0.1", 0)
    with pytest.raises(OSError, match="address"):
        await start_web(house.app(), "127.0.0.1", runner.addresses[0][1])
    await stop_web(runner)


@pytest.mark.parametrize(
    "line", [b"GET /healthz", b"POST /hooks/tool", b"POST /metrics", b"GET /nothing", b"PUT /x"]
)
async def test_an_odd_expectation_is_refused_without_a_word_of_it(
    house: House, line: bytes
) -> None:
    runner = await start_web(house.app(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
    head = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: a\xed\xa0\x80b\r\n\r\n"
    writer.write(line + head)
    said = await reader.read()
    writer.close()
    await stop_web(runner)
    assert said.startswith(b"HTTP/1.1 417 ")
    assert b"\xed" not in said
    assert b"aiohttp" not in said


async def test_who_waits_for_a_word_to_go_on_gets_it(house: House) -> None:
    runner = await start_web(house.app(), "127.0.0.1", 0)
    host, port = runner.addresses[0][:2]
    async with (
        ClientSession() as http,
        http.post(
            f"http://{host}:{port}/hooks/tool", json={"title": "x"}, headers=BEARER, expect100=True
        ) as answer,
    ):
        assert answer.status == 202
    await stop_web(runner)


@pytest.mark.parametrize(
    "begun", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\n"]
)
async def test_a_connection_that_says_nothing_is_closed(house: House, begun: bytes) -> None:
    runner = await start_web(house.app(), "127.0.0.1", 0, keep_alive=0.2)
    reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
    writer.write(begun)
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
    await stop_web(runner)


async def test_the_body_of_a_slack_request_is_bounded_before_anybody_looks(client: Client) -> None:
    many = b"x" * 1_000_001
    answer = await client.post("/slack/events", data=io.BytesIO(many))
    assert answer.status == 413
