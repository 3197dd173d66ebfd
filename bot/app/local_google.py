"""`watchbill local-google`: a sheet and a calendar on this machine, for who has no account."""

import asyncio
import json
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.clock import SystemClock
from bot.local_google.calendar import LocalCalendar
from bot.local_google.calendar_door import calendar_mounts
from bot.local_google.google import LocalGoogle
from bot.local_google.server import RunningGoogle, serve
from bot.local_google.sheet_page import Office, sheet_page
from bot.local_google.tokens import InvalidKeyError, key_text
from bot.workspace.guard import refuses_strangers

SHEET = "local-sheet"
TEAM = "oncall@group.calendar.google.com"
ACCOUNT = "bot@local.iam.gserviceaccount.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalGoogleSetting:
    """What it starts with: cells by tab, where its account's key goes, and where it listens."""

    tabs: Mapping[str, Sequence[Sequence[str | date]]]
    rotation: str
    key: Path
    host: str
    port: int


class KeyInTheWayError(Exception):
    """There is a file at the key's place that is none of ours."""


async def start_local_google(setting: LocalGoogleSetting) -> RunningGoogle:
    """Serve it and write the key. Raises KeyInTheWayError, NotLoopbackError, OSError."""
    google, calendar = LocalGoogle(SystemClock()), LocalCalendar()
    calendar.calendar(TEAM)
    google.add_spreadsheet(SHEET, setting.tabs, shared={ACCOUNT: "writer"})
    page = sheet_page(Office(google, SHEET, calendar, TEAM), [refuses_strangers()])
    mounted = {"/sheet": page, **calendar_mounts(calendar)}
    running = await serve(google, setting.host, setting.port, mounted=mounted)
    try:
        _write_key(google, setting.key)
    except BaseException:
        await running.close()
        raise
    return running


def configuration_for(setting: LocalGoogleSetting, url: str) -> str:
    """Return the lines of config.yaml that lead there."""
    return "\n".join(
        (
            f"roster: google-sheet:{SHEET}",
            "google:",
            f"  credentials: {setting.key}",
            f"  sheets_url: {url}/",
            "calendar:",
            "  google:",
            f"    credentials: {setting.key}",
            f"    api_url: {url}/",
            f"    calendars: {{{json.dumps(setting.rotation)}: {TEAM}}}",
        )
    )


def run_local_google(setting: LocalGoogleSetting, say: Callable[[str], None]) -> None:
    """Serve until it is interrupted; `say` hears what to do with it."""
    asyncio.run(_run(setting, say))


async def _run(setting: LocalGoogleSetting, say: Callable[[str], None]) -> None:
    running = await start_local_google(setting)
    say(f"The sheet and the calendar: {running.url}/sheet/\n")
    say("In config.yaml, instead of the lines of the same names:\n")
    say(configuration_for(setting, running.url))
    say("\nNothing is kept: the sheet begins anew with the next start. Ctrl+C ends it.")
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    await running.close()


def _write_key(google: LocalGoogle, path: Path) -> None:
    """Use the key of an earlier start, so that a bot that has it goes on; else make one."""
    if path.exists():
        try:
            google.accounts.take(json.loads(path.read_text()), f"{google.url}/token")
        except (ValueError, InvalidKeyError):
            words = f"{path} is no key of a local Google. Name another place with --key."
            raise KeyInTheWayError(words) from None
        return
    path.touch(mode=0o600)
    path.write_text(key_text(google.account(ACCOUNT)))
