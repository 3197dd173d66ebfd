"""Files in the local workspace: taken as Slack takes them, refused as Slack refuses them."""

import json
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.workspace.server import RunningWorkspace
from bot.workspace.state import Workspace

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


async def sent(url: str, content: bytes) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=content) as answer:
        return answer.status


async def announced(client: AsyncWebClient, length: int = len(PNG)) -> tuple[str, str]:
    answer = await client.files_getUploadURLExternal(
        filename="a.png", length=length, alt_txt="A picture"
    )
    return str(answer["upload_url"]), str(answer["file_id"])


async def complete(client: AsyncWebClient, file_id: str, **more: str) -> None:
    files = json.dumps([{"id": file_id, "title": "A"}])
    await client.api_call("files.completeUploadExternal", data={"files": files, **more})


async def test_a_picture_is_kept_and_shown_in_its_thread(
    client: AsyncWebClient, workspace: Workspace, running: RunningWorkspace
) -> None:
    root = await client.chat_postMessage(channel="data-alerts", text="broken")
    url, file_id = await announced(client)
    assert await sent(url, PNG) == 200
    await complete(client, file_id, channel_id=root["channel"], thread_ts=root["ts"])
    reply = workspace.messages("data-alerts")[-1]
    assert reply.thread_ts == root["ts"]
    assert (reply.files[0]["mimetype"], reply.files[0]["alt_txt"]) == ("image/png", "A picture")
    async with aiohttp.ClientSession() as session:
        where = f"{running.url}/?channel={root['channel']}&thread={root['ts']}"
        page = await (await session.get(where)).text()
        picture = await session.get(f"{running.url}/files/{file_id}")
        assert await picture.read() == PNG
    assert f'<img src="/files/{file_id}" alt="A picture"' in page
    assert picture.headers["Content-Type"] == "image/png"


async def test_a_file_of_another_size_than_announced_is_refused(client: AsyncWebClient) -> None:
    url, file_id = await announced(client, length=len(PNG) + 1)
    assert await sent(url, PNG) == 400
    with pytest.raises(SlackApiError, match="file_not_found"):
        await complete(client, file_id)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"length": 0}, "missing_argument"),
        ({"length": 10_000_000}, "file_upload_size_restricted"),
        ({"length": 5, "alt_txt": "x" * 1001}, "alt_txt_too_large"),
    ],
    ids=["empty", "too large", "too many words"],
)
async def test_what_cannot_be_uploaded_is_refused(
    client: AsyncWebClient, arguments: dict, error: str
) -> None:
    with pytest.raises(SlackApiError, match=error):
        await client.files_getUploadURLExternal(filename="a.png", **arguments)


@pytest.mark.parametrize("file_id", ["F0UNKNOWN", ""])
async def test_an_unknown_file_is_refused(client: AsyncWebClient, file_id: str) -> None:
    with pytest.raises(SlackApiError, match="file_not_found"):
        await complete(client, file_id)


async def test_a_file_needs_its_scope_and_its_channel(
    client: AsyncWebClient, workspace: Workspace
) -> None:
    url, file_id = await announced(client)
    await sent(url, PNG)
    place = workspace.conversation("data-alerts")
    place.members.remove(workspace.bot_user_id)
    with pytest.raises(SlackApiError, match="not_in_channel"):
        await complete(client, file_id, channel_id=place.id)
    workspace.scopes.discard("files:write")
    with pytest.raises(SlackApiError, match="missing_scope"):
        await announced(client)


async def test_a_picture_outlives_the_process(
    client: AsyncWebClient, workspace: Workspace, tmp_path: Path
) -> None:
    from bot.workspace import snapshot

    url, file_id = await announced(client)
    await sent(url, PNG)
    snapshot.save(workspace, tmp_path / "state.json")
    again = Workspace()
    assert snapshot.load(again, tmp_path / "state.json")
    assert again.uploads[file_id]["content"] == PNG


async def test_a_snapshot_without_files_is_read(workspace: Workspace, tmp_path: Path) -> None:
    from bot.workspace import snapshot

    file = tmp_path / "state.json"
    snapshot.save(workspace, file)
    data = json.loads(file.read_text())
    del data["uploads"]
    file.write_text(json.dumps(data))
    assert snapshot.load(Workspace(), file)
