"""Where the configured roster is read from."""

from pathlib import Path
from typing import cast

import structlog

from bot.app.roster.status import RosterStatus, WritesLines
from bot.clock import Clock, SystemClock
from bot.config.settings import GOOGLE_SHEET, Config
from bot.ports.changes import ChangeReads
from bot.roster.file_rows import FileRows
from bot.roster.file_status import StatusFile
from bot.roster.files import FileSource
from bot.roster.google_rows import GoogleRows, WritableSheets
from bot.roster.google_sheet import GoogleSheet
from bot.roster.google_status import StatusTab
from bot.roster.roster import Roster, RosterFile
from bot.roster.row_orders import RowWriter
from bot.roster.workbook import RosterSource

log = structlog.get_logger(__name__)


def roster_source(
    config: Config, clock: Clock | None = None, *, pace: float = 1.0
) -> Path | RosterSource:
    """Return where `roster` says that the roster is; `pace` is how fast the clock runs."""
    assert config.roster is not None, "asked only where there is a roster"
    sheet = sheet_id(config)
    if not sheet:
        return Path(config.roster)
    # imported here: Google's client is large, and other rosters do not need it
    from bot.roster.google_client import GoogleSheets

    tell = _nothing if clock is None else _log_trouble  # commands tell it in their own words
    assert config.google is not None, "config_checks has seen to it"
    sheets = GoogleSheets(Path(config.google.credentials), api_url=config.google.sheets_url)
    every, real = config.roster_poll, clock or SystemClock()
    return GoogleSheet(sheet, sheets, real, every=every, pace=pace, tell=tell)


def row_writer(roster: RosterFile) -> RowWriter:
    """Return what writes rows of overrides where the roster is kept."""
    source = roster.source
    if isinstance(source, GoogleSheet):
        return GoogleRows(source.sheet_id, cast("WritableSheets", source.sheets))
    assert isinstance(source, FileSource), "there are files and sheets"
    return FileRows(source.path)


def status_of(
    roster: Roster, reader: ChangeReads, clock: Clock, *, speed: float = 1.0
) -> RosterStatus:
    """Return what keeps the Status tab of a Google sheet, or the status file beside a file."""
    source = roster.file.source
    tab: WritesLines
    if isinstance(source, GoogleSheet):
        tab = StatusTab(source.sheet_id, cast("WritableSheets", source.sheets))
    else:
        assert isinstance(source, FileSource), "there are files and sheets"
        tab = StatusFile(source.path)
    return RosterStatus(roster, tab, reader, clock, speed=speed)


def sheet_id(config: Config) -> str:
    """Return the id of the Google sheet, "" when the roster is something else."""
    named = config.roster or ""
    return named.removeprefix(GOOGLE_SHEET) if named.startswith(GOOGLE_SHEET) else ""


def close_roster(roster: RosterFile | None) -> None:
    """Hang up, where there is a connection."""
    if roster is not None and isinstance(roster.source, GoogleSheet):
        roster.source.close()


def _log_trouble(trouble: str) -> None:
    if trouble:
        log.warning("roster sheet cannot be read", action="read_roster", problem=trouble)
    else:
        log.info("roster sheet is read again", action="read_roster")


def _nothing(_trouble: str) -> None:
    pass
