"""The Apps Script, run by Node with stand-ins for Google, against the real hook."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.clock import SystemClock
from bot.metrics import Metrics
from bot.web.app import WebParts, build_web
from bot.web.hooks import Hooks, RosterHook
from bot.web.probes import Probes
from bot.web.roster_gate import roster_gate
from tests.fakes.inbox import FakeInbox

NODE = shutil.which("node")
ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "integrations/google_sheets/Code.gs"
SECRET = "secret-of-the-roster"
STORE = {"WATCHBILL_URL": "https://bot.example", "WATCHBILL_SECRET": SECRET}

pytestmark = pytest.mark.skipif(NODE is None, reason="needs node")


def run(call: str, **case: object) -> Any:
    asked = json.dumps({"call": call, **case})
    runner = ROOT / "tests/integrations/apps_script.js"
    command = [str(NODE), str(runner), str(SCRIPT), asked]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    return json.loads(done.stdout)


@pytest.fixture
async def door() -> AsyncIterator[tuple[TestClient[Any, Any], list[int]]]:
    """The real hook, with its own clock; the list grows by each announcement."""
    heard: list[int] = []

    async def changed() -> None:
        heard.append(1)

    metrics = Metrics()
    hooks = Hooks(
        {},
        inbox=FakeInbox(),
        clock=SystemClock(),
        metrics=metrics,
        roster=RosterHook(gate=roster_gate(SECRET, "abc"), changed=changed),
    )
    app = build_web(WebParts(hooks=hooks, probes=Probes({}, metrics)))
    async with TestClient(TestServer(app, host="127.0.0.1")) as client:
        yield client, heard


async def deliver(client: TestClient[Any, Any], request: Any) -> int:
    assert (request["method"], request["contentType"]) == ("post", "application/json")
    path = request["url"].removeprefix("https://bot.example")
    headers = {**request["headers"], "Content-Type": request["contentType"]}
    return (await client.post(path, data=request["payload"], headers=headers)).status


@pytest.mark.parametrize(
    "event",
    [
        None,
        {"range": ["Shifts", "C14"]},
        {"range": ["Schichtplan für Übergabe 🚨", "A1:C3"]},
        {"changeType": "INSERT_ROW"},
    ],
)
async def test_a_change_is_announced_and_heard(
    door: tuple[TestClient[Any, Any], list[int]], event: object
) -> None:
    client, heard = door
    done = run("announceChange", store=STORE, event=event)
    assert (len(done["requests"]), done["thrown"]) == (1, "")
    assert await deliver(client, done["requests"][0]) == 202
    assert heard == [1]
    said = json.loads(done["requests"][0]["payload"])
    assert said.keys() == {"id", "at", "kind", "where"}
    assert done["requests"][0]["payload"].isascii()


async def test_a_wrong_secret_is_refused_and_told(
    door: tuple[TestClient[Any, Any], list[int]],
) -> None:
    client, heard = door
    store = {**STORE, "WATCHBILL_SECRET": "another"}
    assert await deliver(client, run("announceChange", store=store)["requests"][0]) == 401
    assert heard == []
    done = run("announceChange", store=store, status=401, text='{"error": "Sign the body"}')
    assert done["thrown"] == 'Watchbill did not accept it: {"error": "Sign the body"}'


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_by_itself_is_not_mailed(status: int) -> None:
    done = run("announceChange", store=STORE, status=status)
    assert done["thrown"] == ""
    assert f"answered {status}" in done["warned"][0]
    assert run("testConnection", store=STORE, status=status)["said"] == [
        f"Watchbill answered {status}."
    ]


def test_an_address_without_watchbill_is_told() -> None:
    assert "no Watchbill at" in run("announceChange", store=STORE, status=404)["thrown"]
    assert run("announceChange", store=STORE, status=302)["thrown"] == "Watchbill answered 302."
    done = run("announceChange", store=STORE, fails="DNS error")
    assert done["thrown"] == "Watchbill cannot be reached at https://bot.example (DNS error)."
    assert "not connected" in run("announceChange")["thrown"].lower()


def test_connecting_tries_first_and_installs_both_triggers_once() -> None:
    done = run("connect", prompts=["https://bot.example//", SECRET])
    assert done["requests"][0]["url"] == "https://bot.example/hooks/roster"
    assert done["triggers"] == [["edit", "announceChange"], ["change", "announceChange"]]
    assert done["deleted"] == 1
    assert done["store"] == STORE
    assert done["said"] == ["Connected. Changes reach Watchbill within seconds."]


@pytest.mark.parametrize(
    ("prompts", "status", "said"),
    [
        ([], 202, []),
        (["https://bot.example"], 202, []),
        (
            ["ftp://bot", SECRET],
            202,
            ["The address must begin with https://. Nothing was changed."],
        ),
        (
            ["http://bot", SECRET],
            202,
            ["The address must begin with https://. Nothing was changed."],
        ),
        (["https://bot", SECRET], 503, ["Watchbill answered 503. Nothing was changed."]),
    ],
)
def test_what_does_not_work_is_not_connected(
    prompts: list[str], status: int, said: list[str]
) -> None:
    done = run("connect", prompts=prompts, status=status)
    assert (done["said"], done["triggers"], done["store"]) == (said, [], {})


def test_the_menu_and_the_way_out() -> None:
    assert [name for _, name in run("onOpen")["menu"]] == [
        "connect",
        "testConnection",
        "disconnect",
    ]
    done = run("disconnect", store=STORE)
    assert (done["store"], done["deleted"]) == ({}, 1)
    assert run("testConnection", store=STORE)["said"] == ["Watchbill has heard it."]
