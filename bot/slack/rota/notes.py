"""What the roster's editors are told of a version they wrote, and the button that confirms it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.ports.delivering import Delivered, GiveUpError
from bot.ports.inbox import NotStoredError
from bot.ports.jobs import Job
from bot.slack import blocks as kit
from bot.slack.api import SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.intake import NOT_STORED, Ack, Intake
from bot.slack.text import Mrkdwn, join, link, md, safe_url
from bot.slack.views.answers import said

ROSTER_NOTE = "roster_note"
CONFIRM_ROSTER = "roster_confirm"
_MARKS = {"error": "🔴", "warning": "🟡"}

ConfirmRoster = Callable[[str, str], Awaitable[None]]
"""Store that a version is meant, and who says so. Raises NotStoredError."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell: `severity` is error or warning, `link` leads to the cell if it can."""

    severity: str
    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class RosterNote:
    """What one person is told of one version; `more` findings are left out."""

    person: str
    name: str
    version: str
    findings: tuple[Finding, ...]
    more: int = 0
    held: tuple[str, ...] = ()


async def roster_note(desk: Desk, job: Job) -> Delivered:
    """Tell an editor of the roster, in a direct message."""
    note = note_of(job)
    user = await desk.directory.user(note.person)
    try:
        channel = await desk.places.messages_with(user)
    except SlackRefusedError as refused:
        raise GiveUpError(f"{note.person}: {refused}") from refused
    await desk.post(job, channel, roster_message(note))
    return Delivered()


def roster_message(note: RosterNote) -> Json:
    """Say what is wrong, cell by cell, and let a held version be confirmed."""
    lead = _lead(note)
    lines = [_line(finding) for finding in note.findings]
    blocks = [kit.section(lead), *(kit.section(line) for line in lines)]
    if note.more:
        more = md("{n} more: run `watchbill roster check --all`.", n=note.more)
        blocks += kit.context(more)
    if note.held:
        button = kit.button("Confirm this version", CONFIRM_ROSTER, note.version, style="danger")
        blocks.append(kit.actions("roster", button))
    return kit.message(join("\n", [lead, *lines]), blocks)


def note_payload(note: RosterNote) -> dict[str, Any]:
    """Return the note as a job carries it."""
    return {
        "person": note.person,
        "name": note.name,
        "version": note.version,
        "findings": [[one.severity, one.text, one.link] for one in note.findings],
        "more": note.more,
        "held": list(note.held),
    }


def note_of(job: Job) -> RosterNote:
    """Read the note of a job."""
    told = job.payload
    return RosterNote(
        person=str(told["person"]),
        name=str(told["name"]),
        version=str(told["version"]),
        findings=tuple(Finding(*map(str, one)) for one in told["findings"]),
        more=int(told["more"]),
        held=tuple(map(str, told["held"])),
    )


class RosterClicks:
    """Handles the button under a held version."""

    def __init__(self, intake: Intake, confirm: ConfirmRoster | None) -> None:
        self._intake = intake
        self._confirm = confirm

    async def confirm(self, ack: Ack, body: Json) -> None:
        """Store who confirmed which version before Slack is answered."""
        caller = self._intake.caller(body)
        version = str(body["actions"][0].get("value") or "")[:64]
        if self._confirm is None or not version:
            await ack()
            return
        try:
            await self._confirm(version, caller.key)
        except NotStoredError:
            await ack()
            await self._intake.whisper(caller, said(md(NOT_STORED)))
            return
        await ack()
        text = md(
            "Version {version} is confirmed. It takes effect within seconds, unless the roster has "
            "changed since.",
            version=version,
        )
        await self._intake.whisper(caller, said(text))


def _lead(note: RosterNote) -> Mrkdwn:
    if note.held:
        return md(
            "*{name} is held.* The version you see now would leave {held} without anybody on call, "
            "so the one before it stays in force. Repair it, or confirm that it is meant.",
            name=note.name,
            held=", ".join(note.held),
        )
    errors = sum(finding.severity == "error" for finding in note.findings)
    if errors:
        return md(
            "*{name} has cells that cannot be read.* What is not named here is in force.",
            name=note.name,
        )
    return md("*{name} is in force.* Please look at these cells.", name=note.name)


def _line(finding: Finding) -> Mrkdwn:
    mark = Mrkdwn(_MARKS.get(finding.severity, "•"))
    opened = link(finding.link, "Open the cell") if safe_url(finding.link) else Mrkdwn()
    return join(" ", [md("{mark} {text}", mark=mark, text=finding.text), opened])
