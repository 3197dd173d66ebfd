"""The roster file: read when it changes, accepted by rotation, and never worse than the last."""

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.clock import Clock
from bot.roster.acceptance import Loaded, Read, accept
from bot.roster.csv_table import MOST_BYTES, read_csv
from bot.roster.last_good import Good, LastGoodError, load_last_good, save_last_good
from bot.roster.outlook import outlook
from bot.roster.parse import Parsed, parse
from bot.roster.settings import RosterSettings
from bot.roster.table import Problem, Severity, Table, TableError
from rules.people import People
from rules.resolution import on_call, resolve_shifts
from rules.roster import Override, Schedule, Shift, plans_of
from rules.rotation import OnCall, Span

LOOK_EVERY = timedelta(seconds=1)
LOOK_BACK = timedelta(days=40)
LOOK_FORWARD = timedelta(days=400)
_WINDOW_STEP = timedelta(days=1)
_LOOK_AGAIN_EVERY = timedelta(minutes=10)
_NEVER = datetime.min.replace(tzinfo=UTC)
_MOST_UNSETTLED = 5
_READERS: Mapping[str, Callable[[bytes], Table]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".txt": read_csv,
}

_Stat = tuple[int, int, int]
_UNREAD: _Stat = (-1, -1, -1)


class RosterFile:
    """One file of rows. Not for several threads at once, except that `poll` may run in one."""

    def __init__(
        self,
        path: Path,
        people: People,
        settings: RosterSettings | None = None,
        *,
        last_good: Path | None = None,
    ) -> None:
        self.path = path
        self.people = people
        self.settings = settings or RosterSettings()
        self.loaded = Loaded()
        self._last_good_path = last_good
        self._good: dict[str, Good] | None = None
        self._confirmed = ""
        self._data = b""
        self._stat: _Stat | None = None
        self._loaded_at = _NEVER
        self._unsettled: tuple[_Stat | None, int] | None = None

    def load(self, now: datetime) -> Loaded:
        """Read the file and accept what is good in it; never raises for what the file holds."""
        notes: list[Problem] = []
        good = self._last_good(notes)
        stat, version, data = self._look(), "", b""
        try:
            data = self._read()
            version = hashlib.sha256(data).hexdigest()[:12]
            parsed = parse(self._reader()(data), self.people, self.settings, now)
        except TableError as error:
            parsed = Parsed(problems=(Problem(self.path.name, str(error)),))
        read = Read(self.path.name, version, parsed, confirmed=version == self._confirmed != "")
        loaded, accepted = accept(read, good, now)
        self._remember(accepted, good, notes)
        self.loaded = replace(loaded, problems=(*loaded.problems, *notes))
        self._loaded_at = now
        self._stat = stat if version or stat is None else _UNREAD
        if version and not loaded.refused:
            self._data = data
        return self.loaded

    def check(self, now: datetime) -> tuple[Problem, ...]:
        """Return everything wrong with the file as it stands, and what will go wrong soon."""
        try:
            parsed = parse(self._reader()(self._read()), self.people, self.settings, now)
        except TableError as error:
            return (Problem(self.path.name, str(error)),)
        resolved = OnCall(resolve_shifts(parsed.rows))
        ahead = outlook(resolved, parsed.rows, self.people, now, zones=parsed.zones)
        return (*parsed.problems, *ahead)

    def confirm(self, now: datetime) -> Loaded:
        """Accept the version that is held, as a person has said that it is meant."""
        self._confirmed = self.loaded.version
        return self.load(now)

    def poll(self, now: datetime) -> Loaded | None:
        """Load if the file changed and has settled; None when what it holds is the same.

        A file that is still being written is left until two looks in a row find it alike.
        """
        stat = self._look()
        if stat == self._stat:
            self._unsettled = None
            return self._changed(now) if self._may_be_good_by_now(now) else None
        if self._unsettled is None or self._unsettled[0] != stat:
            looks = self._unsettled[1] + 1 if self._unsettled else 1
            self._unsettled = (stat, looks)
            if looks < _MOST_UNSETTLED:
                return None
        self._unsettled = None
        return self._changed(now)

    def _may_be_good_by_now(self, now: datetime) -> bool:
        """Whether to look again at what was refused: rows that were too far ahead come near."""
        return bool(self.loaded.refused) and now >= self._loaded_at + _LOOK_AGAIN_EVERY

    def _changed(self, now: datetime) -> Loaded | None:
        before = self.loaded
        after = self.load(now)
        same = before.version == after.version != "" or before.problems == after.problems
        return None if same and before.rows_version == after.rows_version else after

    async def watch(
        self,
        clock: Clock,
        on_change: Callable[[Loaded], Awaitable[None]],
        *,
        every: timedelta = LOOK_EVERY,
    ) -> None:
        """Look again and again, for ever; `on_change` gets what is in force after each change."""
        while True:
            await clock.sleep_until(clock.now() + every)
            # A file on a slow network drive must not hold up everything else.
            if loaded := await asyncio.to_thread(self.poll, clock.now()):
                await on_change(loaded)

    def _look(self) -> _Stat | None:
        try:
            stat = self.path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _reader(self) -> Callable[[bytes], Table]:
        reader = _READERS.get(self.path.suffix.lower())
        if reader is None:
            known = ", ".join(_READERS)
            raise TableError(f"files that end in {self.path.suffix!r} are not read; use {known}.")
        return reader

    def _read(self) -> bytes:
        try:
            with self.path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise TableError(f"the file cannot be read: {error.strerror}.") from None
        if len(data) < size and len(data) <= MOST_BYTES:
            raise TableError("the file changed while it was read. It is read again at once.")
        if _cut_short(data, self._data):
            raise TableError("the file stops in the middle of a row. Save it again.")
        return data

    def _last_good(self, notes: list[Problem]) -> dict[str, Good]:
        if self._good is None:
            self._good = {}
            try:
                if self._last_good_path is not None:
                    self._good = load_last_good(self._last_good_path)
            except LastGoodError as error:
                notes.append(Problem("", str(error), Severity.WARNING))
        return self._good

    def _remember(
        self, accepted: dict[str, Good], before: Mapping[str, Good], notes: list[Problem]
    ) -> None:
        self._good = accepted
        if self._last_good_path is None or _content(accepted) == _content(before):
            return
        try:
            save_last_good(self._last_good_path, accepted)
        except LastGoodError as error:
            notes.append(Problem("", str(error), Severity.WARNING))


class Roster:
    """The one on-call answer made of a roster file and people's overrides."""

    def __init__(self, file: RosterFile) -> None:
        self.file = file
        self._key: tuple[str, frozenset[Override], datetime] | None = None
        self._on_call = OnCall()

    def on_call(self, overrides: Sequence[Override], now: datetime) -> OnCall:
        """Return everybody's spans from 40 days before `now` to 400 days after it, whole."""
        loaded = self.file.loaded
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        key = (loaded.rows_version, frozenset(overrides), day)
        if key != self._key:
            start, end = day - LOOK_BACK, day + _WINDOW_STEP + LOOK_FORWARD
            self._on_call = on_call(self.schedule(overrides), start, end, whole=True)
            self._key = key
        return self._on_call

    def schedule(self, overrides: Sequence[Override]) -> Schedule:
        """Return everything that decides who is on call, as it is in force now."""
        loaded = self.file.loaded
        plans = plans_of(loaded.rows, loaded.zones)
        return Schedule(plans=plans, overrides=tuple(overrides), people=self.file.people)

    def spans(self) -> Sequence[Span]:
        """Return the spans of the latest `on_call`."""
        return self._on_call.all_spans()

    def zone(self, rotation: str) -> str:
        """Return the region in whose local time people of the rotation speak."""
        return self.file.loaded.zones.get(rotation) or self.file.settings.of(rotation).zone

    def outlook(self, overrides: Sequence[Override], now: datetime) -> list[Problem]:
        """Return warnings about the next 14 days."""
        on_call = self.on_call(overrides, now)
        file = self.file
        return outlook(on_call, file.loaded.rows, file.people, now, zones=file.loaded.zones)


def _content(rotations: Mapping[str, Good]) -> dict[str, tuple[str, tuple[Shift, ...]]]:
    return {name: (good.zone, good.rows) for name, good in rotations.items()}


def _cut_short(data: bytes, before: bytes) -> bool:
    """Whether `data` is the beginning of `before`, ending inside a row with further rows lost."""
    lost = before[len(data) :]
    inside = bool(data) and data[-1:] not in b"\r\n" and lost[:1] not in b"\r\n"
    return inside and before.startswith(data) and b"\n" in lost.rstrip()
