"""Sets the stage: the shipped configuration in a fresh folder, the workspace, and the bot."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from bot.app.application import Application, Setting
from bot.app.building import build
from bot.app.local import access_to, local_workspace
from bot.clock import SystemClock
from bot.config.file import Loaded, load
from bot.config.settings import Config, LocalWorkspaceSpec, SourceSpec, split_address
from bot.demo.beats import LATER, PRIMARY, SECONDARY
from bot.demo.payloads import runbooks, shop
from bot.demo.roster import roster_for
from bot.demo.watching import Watcher
from bot.workspace.server import RunningWorkspace
from rules.people import Person

ZONE = ZoneInfo("Europe/Berlin")
_BEGINS_AT = 5
LAST_NIGHT = 2
_START_UP = timedelta(seconds=3)
_READY_WITHIN = 20.0
_LOOK_EVERY = timedelta(milliseconds=50)
_KINDS = ("dbt", "airflow", "alertmanager", "generic")


class DemoError(Exception):
    """The demo cannot be played; the text says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything the story plays on. `begins` is its first moment; `cast` is role to handle."""

    config: Config
    clock: SystemClock
    speed: float
    workspace: RunningWorkspace
    application: Application
    watcher: Watcher
    begins: datetime
    cast: Mapping[str, str]
    names: Mapping[str, str]
    remarks: Sequence[str]

    def night(self, number: int) -> datetime:
        """Return when a night of the story begins, by the clock on the wall; the first is 0."""
        return (self.begins.astimezone(ZONE) + timedelta(days=number)).astimezone(
            self.begins.tzinfo
        )

    def source(self, kind: str) -> SourceSpec:
        return _source_of(self.config, kind) or SourceSpec(name=kind, kind=kind)


def read_configuration(path: Path | None, environ: Mapping[str, str]) -> Loaded:
    """Read the given file, else the one that is shipped: the story is made for that one."""
    if path is not None:
        return load(path, environ)
    shipped = files("bot.demo") / "config.yaml"
    beside = Path(__file__).parents[2] / "config.yaml"
    with as_file(shipped) as packaged:
        return load(packaged if packaged.exists() else beside, environ)


def night_of(now: datetime, speed: float) -> datetime:
    """Return when the clock starts: just before five in the morning, local time, of this date."""
    local = now.astimezone(ZONE)
    five = local.replace(hour=_BEGINS_AT, minute=0, second=0, microsecond=0)
    return five.astimezone(now.tzinfo) - _START_UP * speed


@asynccontextmanager
async def staged(loaded: Loaded, folder: Path, speed: float) -> AsyncIterator[Stage]:
    """Build everything, run it, and take it down again; raises DemoError and the bot's own."""
    if loaded.config is None or loaded.parts is None:
        raise DemoError("\n".join(map(str, loaded.faults)))
    clock = SystemClock(speed=speed, start=night_of(SystemClock().now(), speed))
    config, remarks = for_the_demo(loaded.config, folder, clock.now())
    workspace = await local_workspace(config, loaded.parts, clock)
    try:
        watcher = Watcher(workspace.workspace, str(ZONE))
        access = access_to(workspace)
        application = await build(
            Setting(config=config, parts=loaded.parts, clock=clock, access=access, speed=speed)
        )
        cast = _cast(application, config, clock.now(), workspace)
        async with asyncio.TaskGroup() as group:
            group.create_task(application.run(), name="application")
            try:
                await _ready(application, workspace)
                yield Stage(
                    config=config,
                    clock=clock,
                    speed=speed,
                    workspace=workspace,
                    application=application,
                    watcher=watcher,
                    begins=max(clock.now(), night_of(clock.now(), 0)),
                    cast=cast,
                    names={role: _first_name(workspace, who) for role, who in cast.items()},
                    remarks=remarks,
                )
            finally:
                application.stop()
    except BaseExceptionGroup as several:
        if len(several.exceptions) > 1:
            raise
        raise several.exceptions[0] from None
    finally:
        await workspace.close()


async def _ready(application: Application, workspace: RunningWorkspace) -> None:
    try:
        async with asyncio.timeout(_READY_WITHIN):
            await application.started.wait()
        await workspace.workspace.until(
            lambda: workspace.workspace.sockets.connections and application.slack.identity.bot_user,
            _READY_WITHIN,
        )
        real = SystemClock()
        async with asyncio.timeout(_READY_WITHIN):
            while not application.rules.book().catalogue.products:
                await real.sleep_until(real.now() + _LOOK_EVERY)
    except TimeoutError:
        raise DemoError(
            f"The bot was not ready within {_READY_WITHIN:.0f} s; try --verbose."
        ) from None


def for_the_demo(config: Config, folder: Path, now: datetime) -> tuple[Config, list[str]]:
    """Return the configuration with the story's own files, written into `folder`; and remarks."""
    remarks: list[str] = []
    people = [person for person in config.directory() if person.email][:3]
    if len(people) < 2:
        raise DemoError("The demo needs two people with e-mail addresses under `people`.")
    listen = _free(config.listen, remarks)
    page = _free(config.local_workspace.listen, remarks)
    roster = folder / "roster.csv"
    roster.write_text(_roster(config, people, now), encoding="utf-8")
    missing = [
        SourceSpec(name=f"demo-{kind}", kind=kind, secret=SecretStr(f"demo-{kind}"))
        for kind in _KINDS
        if _source_of(config, kind) is None
    ]
    changed = config.model_copy(
        update={
            "database": f"sqlite:///{folder / 'watchbill.db'}",
            "listen": listen,
            "public_url": None,
            "roster": str(roster),
            "catalogue": shop(folder, now),
            "runbooks": config.runbooks.model_copy(update={"folders": runbooks(folder)}),
            "slack": config.slack.model_copy(update={"mode": "local"}),
            "local_workspace": LocalWorkspaceSpec(listen=page),
            "sources": (*config.sources, *missing),
        }
    )
    return changed, remarks


def _roster(config: Config, people: Sequence[Person], now: datetime) -> str:
    spec = config.rotations.get(config.first_rotation)
    return roster_for(now, people, zone=spec.zone if spec else "UTC")


def _source_of(config: Config, kind: str) -> SourceSpec | None:
    return next((s for s in config.sources if s.kind == kind and s.mapping is None), None)


def _free(address: str, remarks: list[str]) -> str:
    host, port = split_address(address)
    shown = f"[{host}]" if ":" in host else host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            probe.bind((host, 0))
            remarks.append(f"{address} is taken, so another port is used.")
        return f"{shown}:{probe.getsockname()[1]}"


def _cast(
    application: Application, config: Config, now: datetime, workspace: RunningWorkspace
) -> dict[str, str]:
    rotation = config.first_rotation or "default"
    cast = {}
    last = now + timedelta(days=LAST_NIGHT, hours=1)
    for name, role, at in (
        (PRIMARY, PRIMARY, now),
        (SECONDARY, SECONDARY, now),
        (LATER, PRIMARY, last),
    ):
        keys = application.rules.shown().at(rotation, role, at)
        if not keys:
            raise DemoError(f"Nobody is {role} of {rotation} tonight; try the shipped config.yaml.")
        cast[name] = workspace.workspace.person(keys[0]).name
    return cast


def _first_name(workspace: RunningWorkspace, handle: str) -> str:
    return workspace.workspace.person(handle).real_name.split()[0]
