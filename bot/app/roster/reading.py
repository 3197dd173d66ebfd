"""The roster of a running bot: its first reading, who may announce a change, how it stands."""

from functools import partial

from bot.app.roster.source import sheet_id
from bot.config.settings import Config
from bot.roster.google_sheet import GoogleSheet
from bot.roster.roster import RosterFile
from bot.roster.workbook import RosterSource
from bot.web.hooks import RosterHook
from bot.web.roster_gate import roster_gate


def roster_hook(config: Config, roster: RosterFile | None) -> RosterHook | None:
    """Return the door for announcements; None when there is nothing or nobody to announce."""
    secret, local = config.roster_secret.get_secret_value(), config.slack.mode == "local"
    if roster is None or not (secret or local):
        return None
    gate = roster_gate(secret, sheet_id(config), open_on_loopback=local)
    return RosterHook(gate=gate, changed=partial(_announced, roster.source))


def roster_fault(roster: RosterFile | None) -> str:
    """Say why nobody can rely on the roster, "" when all is well."""
    if roster is None:
        return ""
    if isinstance(roster.source, GoogleSheet) and (fault := roster.source.fault()):
        return fault
    if roster.loaded.is_empty:
        return "the roster has no rows: nobody is on call"
    if roster.loaded.refused:
        return f"refused: {', '.join(roster.loaded.refused)}; run watchbill roster check"
    return ""


async def roster_standing(roster: RosterFile) -> str:
    """Say which version is in force, and of a sheet how old that knowledge is."""
    version = f"version {roster.loaded.version or 'unknown'}"
    if isinstance(roster.source, GoogleSheet):
        return f"{version}, {roster.source.standing()}"
    return version


async def _announced(source: RosterSource) -> None:
    """Have a sheet read soon; files are looked at every second anyway."""
    if isinstance(source, GoogleSheet):
        source.announced()
