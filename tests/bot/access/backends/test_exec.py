"""The contract of commands: what goes in, what may come out, and how one that hangs ends."""

import asyncio
import json
import os
import select
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.access.backends.registry import open_backend
from bot.config.access import BackendSpec
from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.access.backends.benches import SCRIPT, UNTIL, surroundings

READS = "import json, os, sys; asked = json.load(sys.stdin); "


async def run(code: str, action: str = "members", **more: object) -> Any:
    """Call a back-end whose command is this Python."""
    options = {"command": [sys.executable, "-c", code], **more}
    async with aiohttp.ClientSession() as session:
        backend = open_backend(BackendSpec(kind="exec", options=options), surroundings(session))
        if action == "grant":
            return await backend.grant("admins", "ana@example.com", UNTIL, "g7")
        return await backend.members("admins")


def says(answer: object) -> str:
    return READS + f"print({json.dumps(answer)!r})"


async def test_what_goes_in(tmp_path: Path) -> None:
    path = tmp_path / "asked"
    await run(
        READS + f"open({str(path)!r}, 'w').write(json.dumps(asked)); print('{{\"ok\": true}}')",
        "grant",
    )
    assert json.loads(path.read_text()) == {
        "version": 1,
        "action": "grant",
        "group": "admins",
        "account": "ana@example.com",
        "until": "2026-11-23T05:00:00+00:00",
        "key": "g7",
    }


async def test_no_shell_reads_it_and_nothing_of_ours_is_inherited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    path = tmp_path / "seen"
    code = READS + f"json.dump([sys.argv[1:], dict(os.environ)], open({str(path)!r}, 'w'));"
    options: dict[str, object] = {
        "command": [sys.executable, "-c", code + "print('{\"ok\": true}')", "$(id); `id`"],
        "environment": {"TOKEN": "t0ken"},
    }
    async with aiohttp.ClientSession() as session:
        backend = open_backend(BackendSpec(kind="exec", options=options), surroundings(session))
        await backend.revoke("admins", "; reboot")
    arguments, environment = json.loads(path.read_text())
    assert arguments == ["$(id); `id`"]
    environment.pop("LC_CTYPE", None)  # Python's own
    assert environment == {"PATH": "/usr/local/bin:/usr/bin:/bin", "TOKEN": "t0ken"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "ok: Field required"),
        ([], "the answer"),
        ({"ok": "perhaps"}, "ok: "),
        ({"ok": True, "extra": 1}, "extra: Extra inputs are not permitted"),
        ({"ok": True}, "without a list of members"),
        ({"ok": True, "members": [{"account": ""}]}, "members.0.account"),
        ({"ok": True, "members": [{"account": "a", "expires_at": "2026-11-23"}]}, "expires_at"),
        ({"ok": True, "members": [{"account": "a", "role": "x"}]}, "role"),
        ({"ok": True, "members": "ana"}, "members: "),
        ({"ok": False, "after": -1}, "after: "),
    ],
)
async def test_an_answer_of_another_shape_is_no_answer(answer: object, words: str) -> None:
    with pytest.raises(RetryLaterError) as caught:
        await run(says(answer))
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "yes", '{"ok": true', '{"ok": true}{"ok": true}', "\\xff"])
async def test_what_is_no_json_is_no_answer(text: str) -> None:
    with pytest.raises(RetryLaterError, match="JSON"):
        await run(READS + f"print({text!r})")


async def test_a_refusal_gives_up_and_a_retry_waits() -> None:
    with pytest.raises(GiveUpError, match=r"^nobody is called so$"):
        await run(says({"ok": False, "error": "nobody is\n called so"}))
    with pytest.raises(RetryLaterError, match="busy") as caught:
        await run(says({"ok": False, "error": "busy", "retry": True, "after": 90}))
    assert caught.value.after == timedelta(seconds=90)


async def test_a_yes_with_a_failing_end_is_no_yes() -> None:
    with pytest.raises(RetryLaterError, match="ended with 3") as caught:
        await run(READS + "print('{\"ok\": true}'); sys.stdout.flush(); os._exit(3)", "grant")
    assert caught.value.unsure


async def test_one_that_reads_nothing_may_answer() -> None:
    assert await run('print(\'{"ok": true, "members": []}\')') == []


async def test_one_that_hangs_is_killed_with_all_it_started(tmp_path: Path) -> None:
    path = tmp_path / "pids"
    code = READS + (
        "import subprocess; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        f"open({str(path)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}'); child.wait()"
    )
    with pytest.raises(RetryLaterError, match="took too long and was stopped") as caught:
        await run(code, "grant", timeout="1s")
    assert caught.value.unsure
    for pid in path.read_text().split():
        assert ends(int(pid))


async def test_one_that_leaves_a_child_with_its_output_does_not_hold_us(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    code = READS + (
        "import subprocess; "
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        f"open({str(path)!r}, 'w').write(str(child.pid)); print('{{\"ok\": true}}')"
    )
    with pytest.raises(RetryLaterError, match="took too long"):
        await run(code, "grant", timeout="1s")
    assert ends(int(path.read_text()))


async def test_one_that_never_stops_writing_is_stopped() -> None:
    with pytest.raises(RetryLaterError, match="wrote more than 4,000,000"):
        await run(READS + "[print('x' * 100000) for _ in iter(int, 1)]")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"command": []}, "command"),
        ({"command": ["grant"]}, "whole path"),
        ({"command": ["./grant"]}, "whole path"),
        ({"command": ["/bin/x", "a\0b"]}, "zero character"),
        ({"command": "/bin/x"}, "command"),
        ({"command": ["/bin/x"], "shell": True}, "shell"),
        ({"command": ["/bin/x"], "timeout": "1h"}, "timeout"),
        ({}, "command"),
    ],
)
async def test_options_are_checked(options: dict[str, object], words: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match=words):
            open_backend(BackendSpec(kind="exec", options=options), surroundings(session))


async def test_a_command_that_is_not_there_is_named(tmp_path: Path) -> None:
    options: dict[str, object] = {"command": [str(tmp_path / "no-such-command")]}
    async with aiohttp.ClientSession() as session:
        backend = open_backend(BackendSpec(kind="exec", options=options), surroundings(session))
        with pytest.raises(GiveUpError, match="no-such-command cannot be run: No such file"):
            await backend.members("admins")


def ends(pid: int) -> bool:
    """Whether it ends within five seconds; what was killed does a moment later."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 5)[0])
    finally:
        os.close(watched)


async def test_the_example_loses_nothing_when_two_groups_are_changed_at_once(
    tmp_path: Path,
) -> None:
    groups = [f"g{number}" for number in range(8)]
    kept = tmp_path / "groups.json"
    people = ["ana", *(f"p{number}" for number in range(200_000))]  # so that each takes a while
    kept.write_text(json.dumps({"people": people, "groups": {one: {} for one in groups}}))
    options: dict[str, object] = {"command": [sys.executable, str(SCRIPT), str(kept)]}
    async with aiohttp.ClientSession() as session:
        backend = open_backend(BackendSpec(kind="exec", options=options), surroundings(session))
        await asyncio.gather(*(backend.grant(one, "ana", None, "g7") for one in groups))
    assert [*json.loads(kept.read_text())["groups"].values()] == [{"ana": None}] * len(groups)
