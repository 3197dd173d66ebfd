"""A roster in Google Sheets: polled within Google's quota, read at once when it is announced."""

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bot.clock import Clock
from bot.roster.book import is_status
from bot.roster.google_cells import Json, Tab, fingerprint, tabs_of, without_tabs, workbook
from bot.roster.google_faults import SheetFaultError, later
from bot.roster.table import TableError
from bot.roster.workbook import Workbook
from rules.sentence import duration_text

POLL = timedelta(seconds=10)
STALE = timedelta(minutes=10)
"""After so long without a successful read the roster is not as ready as it should be."""

READS_A_MINUTE = 50
"""Google allows sixty a minute and account; the rest is for commands and other uses."""

QUIET = timedelta(seconds=2)
LONGEST_QUIET = timedelta(seconds=10)
_OUTLINE_EVERY = timedelta(minutes=1)
_LOOKS_EVERY = timedelta(minutes=10)
_FIRST_WAIT = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=1)
_MINUTE = timedelta(minutes=1)


class Sheets(Protocol):
    """What a spreadsheet answers. Every method blocks, and may raise SheetFaultError."""

    def outline(self, sheet: str) -> Json:
        """Return the file's properties, its tabs and their merges."""
        ...

    def values(self, sheet: str, ranges: Sequence[str]) -> Sequence[Json]:
        """Return the ranges in order, dates as serial numbers."""
        ...

    def looks(self, sheet: str) -> Json:
        """Return by cell which numbers are dates and what is struck out, by row what is hidden."""
        ...

    def close(self) -> None:
        """Hang up; the next call connects again."""
        ...


class GoogleSheet:
    """The RosterSource of one spreadsheet. `look` and `read` block: call them in a thread.

    `pace` is how fast the clock runs; `jitter` gives numbers from 0 to 1; `tell` hears of a new
    trouble, and "" of its end. Nothing that cannot be
    read replaces what was: `look` then answers as before, and `standing` says why.
    """

    def __init__(
        self,
        sheet_id: str,
        sheets: Sheets,
        clock: Clock,
        *,
        every: timedelta = POLL,
        pace: float = 1.0,
        tell: Callable[[str], None] = lambda _trouble: None,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.sheet_id = sheet_id
        self.sheets = sheets
        self.read_at: datetime | None = None
        self.trouble = ""
        self._clock = clock
        self._every = every * pace
        self._pace = pace
        self._tell = tell
        self._jitter = jitter or random.SystemRandom().random
        self._lock = threading.Lock()
        self._heard: tuple[datetime, datetime] | None = None
        self._next: datetime | None = None
        self._looked_at: datetime | None = None
        self._reading_since: datetime | None = None
        self._failures = 0
        self._reads: deque[datetime] = deque()
        self._outline: Json = {}
        self._tabs: tuple[Tab, ...] = ()
        self._outline_at: datetime | None = None
        self._looks_at: datetime | None = None
        self._cells = ""
        self._book: Workbook | None = None
        self._unusable: TableError | None = None

    @property
    def name(self) -> str:
        title = self._outline.get("properties", {}).get("title")
        return f'Google sheet "{title}"' if title else "Google sheet"

    def announced(self) -> None:
        """Note that somebody has changed it; it is read once the editing pauses."""
        now = self._clock.now()
        with self._lock:
            self._heard = (self._heard[0] if self._heard else now, now)

    def look(self) -> object:
        """Return the version read last, None while there is none; reads when it is time to."""
        now = self._clock.now()
        set_back = self._looked_at is not None and now < self._looked_at
        self._looked_at = now
        if self._next is None or set_back or now >= self._due():
            self._attempt(now)
        if self._unusable is not None:
            return str(self._unusable)
        return self._book.version if self._book else None

    def read(self) -> Workbook:
        """Return what `look` read last. Raises TableError when that is nothing, or unusable."""
        if self._book is None and self._unusable is None and not self.trouble:
            self.look()
        if self._unusable is not None:
            raise self._unusable
        if self._book is None:
            raise TableError(self.trouble)
        return self._book

    def standing(self) -> str:
        """Say when it was read last, and what is wrong now."""
        if self.read_at is None:
            return self.trouble or "not read yet"
        age = max(timedelta(0), self._clock.now() - self.read_at) / self._pace
        read = f"read {duration_text(age)} ago" if age >= _MINUTE else f"read {age.seconds} s ago"
        return f"{read}; since then: {self.trouble}" if self.trouble else read

    def fault(self) -> str:
        """Say why the roster is not ready, "" when it was read lately."""
        since, now = self._reading_since, self._clock.now()
        if since is not None and now - since > STALE * self._pace:
            lasts = duration_text((now - since) / self._pace)
            return f"the sheet cannot be read: a read has lasted {lasts}. Restart the bot."
        stale = self.read_at is None or now - self.read_at > STALE * self._pace
        return f"the sheet cannot be read: {self.standing()}" if stale and self.trouble else ""

    def close(self) -> None:
        self.sheets.close()

    def _due(self) -> datetime:
        with self._lock:
            heard = self._heard
        due = self._next or self._clock.now()
        if heard and not self._failures:
            due = min(due, heard[1] + QUIET * self._pace, heard[0] + LONGEST_QUIET * self._pace)
        return due

    def _attempt(self, now: datetime) -> None:
        heard = self._take_heard()
        self._reading_since = now
        try:
            self._read(now, whole=heard is not None)
        except SheetFaultError as fault:
            self._put_back(heard)
            self._failed(now, fault)
            return
        except TableError as error:
            self._unusable = error
        else:
            self._unusable = None
        finally:
            self._reading_since = None
        if self.trouble:
            self._tell("")
        self.trouble, self._failures = "", 0
        self.read_at, self._next = now, now + self._every

    def _take_heard(self) -> tuple[datetime, datetime] | None:
        with self._lock:
            heard, self._heard = self._heard, None
        return heard

    def _put_back(self, heard: tuple[datetime, datetime] | None) -> None:
        with self._lock:
            if self._heard is None:
                self._heard = heard

    def _failed(self, now: datetime, fault: SheetFaultError) -> None:
        if str(fault) != self.trouble:
            self._tell(str(fault))
        self.trouble = str(fault)
        self._failures += 1
        wait = min(_FIRST_WAIT * 2 ** min(self._failures, 10), _LONGEST_WAIT)
        if not fault.later:
            wait = max(wait, self._every / self._pace)
        wait = max(wait * (0.5 + self._jitter() / 2), fault.after or timedelta(0))
        self._next = now + wait * self._pace

    def _read(self, now: datetime, *, whole: bool) -> None:
        """Read values, and what else may have changed; the version is of all of it together."""
        if whole or _is_old(self._outline_at, now, _OUTLINE_EVERY * self._pace):
            self._read_outline(now)
        try:
            values = self._values(now)
        except SheetFaultError as fault:
            if not fault.tabs:
                raise
            self._read_outline(now)  # a tab was renamed, removed or made smaller
            values = self._values(now)
        cells = fingerprint(self._outline, values)
        if cells == self._cells and not whole and self._looks_are_new(now):
            return
        self._count(now)
        looks = self.sheets.looks(self.sheet_id)
        self._book = workbook(self._outline, self._tabs, values, looks, self.sheet_id)
        self._cells, self._looks_at = cells, now

    def _looks_are_new(self, now: datetime) -> bool:
        return not _is_old(self._looks_at, now, _LOOKS_EVERY * self._pace)

    def _read_outline(self, now: datetime) -> None:
        self._count(now)
        # what the bot writes there itself is no new version
        outline = without_tabs(self.sheets.outline(self.sheet_id), is_status)
        self._tabs = tabs_of(outline)
        self._outline, self._outline_at = outline, now

    def _values(self, now: datetime) -> list[Json]:
        self._count(now)
        return list(self.sheets.values(self.sheet_id, [tab.range for tab in self._tabs]))

    def _count(self, now: datetime) -> None:
        """Keep within the quota of a minute. Raises SheetFaultError when it is spent."""
        minute = _MINUTE * self._pace
        while self._reads and self._reads[0] <= now - minute:
            self._reads.popleft()
        if len(self._reads) >= READS_A_MINUTE:
            wait = (self._reads[0] + minute - now) / self._pace
            raise later("the sheet was read too often in this minute.", wait)
        self._reads.append(now)


def _is_old(at: datetime | None, now: datetime, limit: timedelta) -> bool:
    return at is None or now - at >= limit
