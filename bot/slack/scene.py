"""An incident with everything its views say about it, read at one instant."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.contact_jobs import CONTACT
from bot.ports.delivering import MessageRef
from bot.slack.plan import Planned, coming
from bot.slack.recall import Recalled
from bot.slack.text import Mrkdwn, Names, at, listed, outside
from rules.contacting.method import TITLES, Method
from rules.incident import Incident
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Who


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a view of one incident may need.

    `paged_at` tells when each person's page went out, by key. `permalink` leads to the channel
    message and `previous_link` to that of the incident before; both may be unknown, as
    may `channel_id`. `book` knows who is on call now.
    """

    incident: Incident
    now: datetime
    names: Names
    book: RuleBook
    paged_at: Mapping[str, datetime] = field(default_factory=dict)
    also_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By which methods beside Slack each person's page went out, by key."""
    permalink: str = ""
    channel_id: str = ""
    previous_link: str = ""
    public_url: str = ""
    recalled: Recalled = field(default_factory=Recalled)

    @property
    def on_call(self) -> OnCall:
        return self.book.on_call

    def who(self, key: str) -> Mrkdwn:
        return outside(self.names.name(key), 80)

    def people(self, keys: Iterable[str]) -> Mrkdwn:
        return listed([self.who(key) for key in keys])

    def when(self, instant: datetime) -> Mrkdwn:
        return at(instant, self.now)

    def coming(self) -> Planned | None:
        return coming(self.incident, self.book, self.now)


def sent_at(message: MessageRef) -> datetime | None:
    """Return when Slack took a message, which its id tells."""
    try:
        return datetime.fromtimestamp(float(message.ts), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def pages_sent(messages: Iterable[MessageRef]) -> dict[str, datetime]:
    """Return when each person was last paged, by key."""
    sent = {m.person: sent_at(m) for m in messages if m.role == "page" and m.person}
    return {person: when for person, when in sent.items() if when is not None}


def pages_otherwise(messages: Iterable[MessageRef]) -> dict[str, tuple[str, ...]]:
    """Return by which methods beside Slack each person was paged, by key, each once."""
    found: dict[str, dict[str, None]] = {}
    for message in messages:
        if message.role == CONTACT and message.person:
            title = TITLES.get(Method(message.channel), message.channel)
            found.setdefault(message.person, {})[title] = None
    return {person: tuple(titles) for person, titles in found.items()}


def permalink(workspace_url: str, message: MessageRef | None) -> str:
    """Build the address of a message; "" when the workspace's own is not known."""
    if not workspace_url or message is None:
        return ""
    base = workspace_url.rstrip("/")
    return f"{base}/archives/{message.channel}/p{message.ts.replace('.', '')}"


def root_of(messages: Iterable[MessageRef]) -> MessageRef | None:
    """Return the incident's channel message, the latest if it had to be posted again."""
    return next((m for m in reversed(list(messages)) if m.role == "root"), None)


def people_in(sentences: Iterable[Sentence]) -> list[str]:
    """List the keys of the people that sentences name."""
    return [
        value.key
        for sentence in sentences
        for value in sentence.values.values()
        if isinstance(value, Who)
    ]
