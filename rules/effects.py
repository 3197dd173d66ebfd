"""Everything the bot can be told to do, in the imperative."""

from dataclasses import dataclass
from datetime import timedelta

from rules.contacting.method import Method
from rules.sentence import Sentence


@dataclass(frozen=True, slots=True)
class ShowIncident:
    """Make the channel message show the incident as it now is.

    `at_once` is for what a person did or must see; what machines did is shown a little later,
    many changes in one edit.
    """

    at_once: bool = False


@dataclass(frozen=True, slots=True)
class ShowPage:
    """Make the direct message that paged `person` show the incident as it now is."""

    person: str


@dataclass(frozen=True, slots=True)
class ShowConsequences:
    """Make the thread's list of consequences show those the incident now has."""


@dataclass(frozen=True, slots=True)
class ShowRunbook:
    """Make the thread's checklist show the runbook, and what was tried of it so far."""


@dataclass(frozen=True, slots=True)
class ShowTasks:
    """Make the thread's list of tasks show what is left to do after the incident."""


BY_HAND = ":by-hand."
"""Follows the incident's id in the key of a page that a person asked for."""


@dataclass(frozen=True, slots=True)
class Page:
    """Page one person; `key` is unique for (incident, generation, round, step, person).

    With `force` it goes out even when somebody has acknowledged: a person asked for it.
    """

    person: str
    key: str
    reason: Sentence
    force: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """Reach a paged person by another method, `after` the page, unless somebody answers before.

    `key` is that of the page; `step` counts its methods, from 1.
    """

    person: str
    key: str
    step: int
    method: Method
    after: timedelta
    reason: Sentence
    force: bool = False


@dataclass(frozen=True, slots=True)
class PageUserGroup:
    """Mention a Slack user group in the incident's thread, also shown in the channel."""

    group: str
    key: str


@dataclass(frozen=True, slots=True)
class PageChannel:
    """Post the incident into another channel."""

    channel: str
    key: str


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """POST the incident as JSON to a URL of the configuration, named there."""

    webhook: str
    key: str


@dataclass(frozen=True, slots=True)
class AskAcker:
    """Ask in a direct message whether the acker is still on it."""

    person: str
    key: str


@dataclass(frozen=True, slots=True)
class ShowPicture:
    """Draw the blast radius as it now is, and put it into the incident's thread."""

    key: str


@dataclass(frozen=True, slots=True)
class TriggerRun:
    """Start the run that would prove the fix, where its source's orchestrator is known."""

    key: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Say a sentence in the incident's thread; `loud` shows it in the channel too."""

    sentence: Sentence
    key: str
    loud: bool = False


@dataclass(frozen=True, slots=True)
class AskJournal:
    """Ask `person` for the journal entry; with `proved` because the fix was, after the resolving."""

    person: str
    key: str
    proved: bool = False


Effect = (
    AskJournal
    | ShowIncident
    | ShowPage
    | ShowConsequences
    | ShowPicture
    | ShowRunbook
    | ShowTasks
    | Page
    | Contact
    | PageUserGroup
    | PageChannel
    | CallWebhook
    | AskAcker
    | Tell
    | TriggerRun
)
