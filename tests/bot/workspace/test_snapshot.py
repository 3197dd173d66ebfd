"""The workspace's past outlives its process."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp
import pytest

from bot.workspace.server import serve
from tests.bot.workspace.conftest import PEOPLE, client_of, seeded


async def test_everything_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    workspace = seeded(path=path)
    running = await serve(workspace)
    client = client_of(running)
    metadata = {"event_type": "incident", "event_payload": {"key": "42"}}
    sent = await client.chat_postMessage(channel="data-alerts", text="a", metadata=metadata)
    ana = workspace.person("ana").id
    await client.views_publish(user_id=ana, view={"type": "home", "blocks": []})
    await running.close()

    again = seeded(path=path)
    assert again.bot_token == workspace.bot_token
    assert again.person("ana").id == ana
    assert again.message("data-alerts", sent["ts"]).metadata == metadata
    assert again.homes[ana].payload["type"] == "home"
    assert len(again.channels) == len(workspace.channels)
    assert again.next_ts() > sent["ts"]
    assert again.next_id("X") not in {"X00000001", ana}


async def test_a_change_is_written_soon_without_being_asked(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    workspace = seeded(path=path)
    workspace.say("ana", "data-alerts", "hi")
    assert workspace.saving is not None
    await workspace.saving.wait()
    assert '"hi"' in path.read_text()


def test_a_bad_file_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"version": 99}')
    with pytest.raises(ValueError, match="not a snapshot of this workspace: version 99"):
        seeded(path=path)


async def test_a_killed_process_finds_its_history(tmp_path: Path) -> None:
    seed, state = tmp_path / "seed.json", tmp_path / "state.json"
    seed.write_text(json.dumps({"users": PEOPLE, "channels": [{"name": "data-alerts"}]}))

    async def start() -> tuple[asyncio.subprocess.Process, dict]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.workspace", "--control", "secret",
            "--seed", str(seed), "--state", str(state),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        return process, json.loads(await process.stdout.readline())

    async def control(address: dict, action: str, **body):
        headers = {"Authorization": "Bearer secret"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{address['url']}/control/{action}", json=body) as answer,
        ):
            return await answer.json()

    process, address = await start()
    await control(address, "say", user="ana", channel="data-alerts", text="before")
    while not (state.exists() and "before" in state.read_text()):
        assert await control(address, "messages", channel="data-alerts")
    process.kill()
    await process.wait()

    process, second = await start()
    assert second["bot_token"] == address["bot_token"]
    found = await control(second, "messages", channel="data-alerts")
    assert [message["text"] for message in found] == ["before"]
    await control(second, "faults", method="chat.postMessage", kind="http_503")
    refused = await control(
        second, "click", user="ana", channel="data-alerts", ts="1", action_id="x"
    )
    assert refused == {"error": "message_not_found"}
    assert "error" in await control(second, "click", nonsense=1)
    process.terminate()
    assert await process.wait() == 0


async def test_control_needs_its_token() -> None:
    running = await serve(seeded(), control_token="secret")
    async with aiohttp.ClientSession() as session:
        url = f"{running.url}/control/messages"
        async with session.post(url, json={"channel": "data-alerts"}) as answer:
            assert answer.status == 401
    await running.close()
