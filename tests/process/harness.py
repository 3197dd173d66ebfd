"""Watchbill as its users run it: `serve` and a local Slack, each in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import aiohttp
import yaml

from bot.clock import SystemClock
from tests.ports import free_port
from tests.process.forking import Forking, Started, Wanted

T = TypeVar("T")
Json = dict[str, Any]

REPOSITORY = Path(__file__).parents[2]
CONTROL = "control-of-the-harness"
SECRET = "secret-of-a-source"
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-harness", "SLACK_APP_TOKEN": "xapp-harness"}
_CLOCK = SystemClock()


async def pause(seconds: float) -> None:
    """Let real processes get on; conditions are polled with it, nothing is timed by it."""
    await _CLOCK.sleep_until(_CLOCK.now() + timedelta(seconds=seconds))


async def until(check: Callable[[], Awaitable[T | None]], what: str, seconds: float = 40) -> T:
    """Return the first truthy answer of `check`; TimeoutError names what did not come."""
    end = _CLOCK.now() + timedelta(seconds=seconds)
    while not (found := await check()):
        if _CLOCK.now() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        await pause(0.05)
    return found


@dataclass
class Process:
    """A child process whose output goes to a file; only its own process is ever signalled."""

    arguments: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    popen: Started | None = None
    tree: Path = REPOSITORY
    fresh: bool = False
    """It loads its modules itself, as it does for its users, also where others are forked."""
    forking: ClassVar[Forking | None] = None

    def start(self) -> None:
        assert self.popen is None, "it runs already"
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.log.parent), **self.environment}
        if self.forking is not None and not self.fresh and self.tree == REPOSITORY:
            wanted = Wanted(self.arguments, environment, str(self.log))
            self.popen = self.forking.start(wanted)
            return
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                cwd=self.tree,
                env=environment,
            )

    @property
    def pid(self) -> int:
        assert self.popen is not None, "it does not run"
        return self.popen.pid

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power failure would, from its own point of view."""
        if self.popen is not None:
            self.popen.kill()
            self.popen.wait(timeout=10)
            self.popen = None

    async def ended(self, seconds: float = 40) -> int:
        """Wait for its end and return its exit status."""
        assert self.popen is not None, "it does not run"
        running = self.popen

        async def status() -> tuple[int] | None:
            return None if running.poll() is None else (running.returncode,)

        (code,) = await until(status, f"the end of {self.arguments[0]}", seconds)
        self.popen = None
        return code

    async def terminate(self, seconds: float = 40) -> int:
        self.signal(signal.SIGTERM)
        return await self.ended(seconds)

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""


class LocalSlack:
    """`python -m bot.workspace` on a port that outlives its restarts."""

    def __init__(self, folder: Path, *, people: Sequence[str], channels: Sequence[str]) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        seed = folder / "seed.json"
        seed.write_text(json.dumps(_seed(people, channels)), encoding="utf-8")
        arguments = ("bot.workspace", "--port", str(port), "--seed", str(seed))
        state = ("--state", str(folder / "workspace.json"), "--control", CONTROL)
        self.process = Process((*arguments, *state), folder / "workspace.log")

    async def start(self) -> None:
        self.process.start()

        async def listens() -> bool:
            assert self.process.popen is not None
            assert self.process.popen.poll() is None, self.process.output()
            try:
                await self.control("sockets")
            except OSError:
                return False
            return True

        await until(listens, "the local Slack listens")

    async def control(self, action: str, **body: Any) -> Any:
        """Act, look, or order a fault; see bot/workspace/control.py for the actions."""
        headers = {"Authorization": f"Bearer {CONTROL}"}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session,
            session.post(f"{self.url}/control/{action}", json=body, headers=headers) as answer,
        ):
            found = await answer.json(content_type=None)
            assert answer.status == 200, f"{action}: {found}"
            return found

    async def places(self) -> list[Json]:
        """Return every channel and direct message that there is."""
        state = await self.control("state")
        found: list[Json] = state["channels"]
        return found

    async def ours(self, *, direct: bool) -> list[Json]:
        """Return what Watchbill posted in direct messages, or in channels; threads included.

        Each has its `key`, the mark by which it is found again after a crash.
        """
        places = [p for p in await self.places() if bool(p.get("is_im")) is direct]
        return [message for place in places for message in await self._marked(place)]

    async def direct(self, person: str) -> list[Json]:
        """Return what Watchbill wrote to one person, oldest first."""
        users = (await self.control("state"))["users"]
        theirs = next(user["id"] for user in users if user["name"] == person)
        places = [place for place in await self.places() if place.get("user") == theirs]
        return [m for place in places for m in await self._marked(place)]

    async def _marked(self, place: Json) -> list[Json]:
        found = []
        for message in await self.control("messages", channel=place["id"]):
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            if "key" in payload:
                found.append({**message, "key": payload["key"], "place": place})
        return found

    async def roots(self) -> list[Json]:
        return [m for m in await self.ours(direct=False) if m["key"].startswith("show:")]

    async def pages(self) -> list[Json]:
        return await self.ours(direct=True)

    async def click(self, message: Json, user: str, action_id: str) -> Json:
        place, ts = message["place"]["id"], message["ts"]
        answer: Json = await self.control(
            "click", user=user, channel=place, ts=ts, action_id=action_id
        )
        return answer


def _seed(people: Sequence[str], channels: Sequence[str]) -> Json:
    return {
        "users": [{"name": one, "email": f"{one}@example.com"} for one in people],
        "channels": [{"name": one} for one in channels],
        "commands": [{"name": "/oncall"}],
        "bot_token": TOKENS["SLACK_BOT_TOKEN"],
        "app_token": TOKENS["SLACK_APP_TOKEN"],
    }


class Bot:
    """`watchbill serve` with a config.yaml of its own, on a port that outlives its restarts."""

    def __init__(self, folder: Path, config: Json, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.config = config
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.write_config()
        arguments = ("bot", "serve", "-c", str(folder / "config.yaml"))
        self.process = Process(arguments, folder / "serve.log", environment)

    def write_config(self, **changes: Any) -> None:
        self.config = {**self.config, **changes}
        text = yaml.safe_dump({"listen": f"127.0.0.1:{self.port}", **self.config}, sort_keys=False)
        (self.folder / "config.yaml").write_text(text, encoding="utf-8")

    async def start(self, *, seconds: float = 60) -> None:
        """Start it and wait until it is ready."""
        self.process.start()
        await self.ready(seconds)

    async def ready(self, seconds: float = 60) -> None:
        async def ready() -> bool:
            assert self.process.popen is not None
            assert self.process.popen.poll() is None, self.process.output()[-3000:]
            return (await self.readiness())[0] == 200

        await until(ready, "serve is ready", seconds)

    async def readiness(self, seconds: float = 10) -> tuple[int, Json]:
        """Return what /readyz says; status 0 when nobody answers."""
        try:
            async with aiohttp.ClientSession() as session:
                return await get_json(session, f"{self.url}/readyz", seconds)
        except (OSError, aiohttp.ClientError, TimeoutError):
            return 0, {}

    def post(self, body: Json, *, source: str = "tests", delivery: str = "") -> int:
        """Post one alert; returns the status, 0 when nobody answers."""
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/json"}
        if delivery:
            headers["X-Watchbill-Delivery"] = delivery
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/hooks/{source}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                status: int = answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0
        return status


async def get_json(
    session: aiohttp.ClientSession, url: str, seconds: float = 10
) -> tuple[int, Json]:
    async with session.get(url, timeout=aiohttp.ClientTimeout(total=seconds)) as answer:
        return answer.status, await answer.json()


@dataclass
class Setup:
    """A bot, its Slack, and the folder they live in."""

    folder: Path
    slack: LocalSlack
    bot: Bot
    people: Sequence[str]

    @property
    def roster(self) -> Path:
        return self.folder / "roster.csv"


def team(number: int) -> str:
    return f"team-{number:02}"


def person(number: int) -> str:
    return f"person{number:02}"


def set_up(folder: Path, database: str = "", *, teams: int = 2, waits: str = "2s 4s") -> Setup:
    """Write the files of a bot with so many teams: each has a channel and two people to page.

    A team's policy pages its own person, then the next team's, then waits long for an answer.
    """
    people = [person(number) for number in range(max(teams, 2))]
    channels = ["data-alerts", *(team(number) for number in range(teams))]
    slack = LocalSlack(folder, people=people, channels=channels)
    config = {
        "database": database or f"sqlite:///{folder / 'watchbill.db'}",
        "slack": {
            "mode": "socket",
            "api_url": f"{slack.url}/api/",
            "bot_token": "${SLACK_BOT_TOKEN}",
            "app_token": "${SLACK_APP_TOKEN}",
            "alerts_channel": "data-alerts",
        },
        "sources": [
            {"name": name, "kind": kind, "secret": "${SOURCE_SECRET}", "rate_limit": 1_000_000}
            for name, kind in (("tests", "generic"), ("alertmanager", "alertmanager"))
        ],
        "limits": {"alerts_per_minute": 10_000_000},
        "people": [{"name": one, "email": f"{one}@example.com"} for one in people],
        "rotations": {"data": {"zone": "UTC"}},
        "roster": str(folder / "roster.csv"),
        "storm": {"incidents": 100_000, "within": "1m"},
        "fallback": [f"{people[-1]}@example.com"],
        **_policies(people, teams, waits.split()),
    }
    write_roster(folder / "roster.csv", people[0], people[1])
    environment = {**TOKENS, "SOURCE_SECRET": SECRET}
    return Setup(folder, slack, Bot(folder, config, environment), people)


def _policies(people: Sequence[str], teams: int, waits: Sequence[str]) -> Json:
    policies: Json = {
        "default": [
            {"page": [{"on_call": "primary"}], "wait": waits[0]},
            {"page": [{"on_call": "secondary"}], "wait": "12h"},
        ]
    }
    routes: list[Json] = []
    for number in range(teams):
        name = team(number)
        first, second = (people[(number + n) % len(people)] for n in range(2))
        policies[name] = [
            {"page": [{"person": f"{first}@example.com"}], "wait": waits[0]},
            {"page": [{"person": f"{second}@example.com"}], "wait": waits[1]},
            {"page": [{"person": f"{first}@example.com"}], "wait": "12h"},
        ]
        routes.append({"name": name, "match": f"team={name}", "policy": name, "channel": name})
    return {"escalation_policies": policies, "routes": [*routes, {"name": "everything"}]}


def write_roster(path: Path, primary: str, secondary: str) -> None:
    """Put two people on call from yesterday on for weeks."""
    day = (_CLOCK.now() - timedelta(days=1)).date()
    rows = [f"{day + timedelta(weeks=n)},{primary},{secondary}" for n in range(6)]
    text = "\n".join(["# zone: UTC", "Week of,Primary,Secondary", *rows, ""])
    path.write_text(text, encoding="utf-8")


def alert(key: str, *, of: str = "", group: str = "") -> Json:
    """Return a body for the source `tests`; `of` is the team whose policy answers."""
    body: Json = {"title": f"{key} failed", "key": key, "severity": "error", "status": "firing"}
    return body | ({"group": group} if group else {}) | ({"labels": {"team": of}} if of else {})


@asynccontextmanager
async def running(setup: Setup, *, ready: bool = True) -> AsyncIterator[Setup]:
    """Start both, wait until the bot is `ready`, and leave neither behind."""
    try:
        await setup.slack.start()
        setup.bot.process.start()
        if ready:
            await setup.bot.ready()
        yield setup
    finally:
        setup.bot.process.kill()
        setup.slack.process.kill()
