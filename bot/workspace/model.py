"""What a workspace is made of: people, conversations, messages, views, user groups, calls."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class SlashCommand:
    """A command the app registers; `words` are (first words, what they do) for the hints."""

    name: str
    description: str = ""
    usage: str = ""
    words: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Shortcut:
    callback_id: str
    name: str


@dataclass
class User:
    """A member; `tz` is an IANA zone name, `team` their own workspace when it is another one."""

    id: str
    name: str
    real_name: str
    email: str = ""
    tz: str = "Etc/UTC"
    is_bot: bool = False
    deleted: bool = False
    guest: bool = False
    team: str = ""


@dataclass
class Message:
    """One message; `only_for` names the single reader of an ephemeral one."""

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    metadata: Json | None = None
    edited: str | None = None
    bot_id: str | None = None
    subtype: str | None = None
    only_for: str | None = None
    username: str | None = None
    broadcast: bool = False
    pinned: bool = False
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[Json] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    reply_users: list[str] = field(default_factory=list)

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass
class Channel:
    """A channel, or a direct message when `im_user` is set."""

    id: str
    name: str
    is_private: bool = False
    is_archived: bool = False
    topic: str = ""
    purpose: str = ""
    created: int = 0
    members: list[str] = field(default_factory=list)
    im_user: str | None = None
    is_mpim: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)
    bookmarks: list[Json] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)

    @property
    def is_im(self) -> bool:
        return self.im_user is not None

    def find(self, ts: str) -> Message | None:
        return self.messages.get(ts) or self.ephemerals.get(ts)

    def timeline(self) -> list[Message]:
        """Messages of the channel itself, oldest first, without replies in threads."""
        return [m for m in self.messages.values() if not m.is_reply or m.broadcast]

    def thread(self, ts: str) -> list[Message]:
        """The root and its replies, oldest first; empty when there is no such root."""
        root = self.messages.get(ts)
        if root is None:
            return []
        return [root, *(self.messages[r] for r in root.replies if r in self.messages)]


@dataclass
class UserGroup:
    id: str
    handle: str
    name: str
    description: str = ""
    users: list[str] = field(default_factory=list)
    created: int = 0
    updated: int = 0
    updated_by: str = ""
    disabled: bool = False


@dataclass
class View:
    """An open modal or a published home; `payload` is what Slack shows back to the app."""

    id: str
    user: str
    type: str
    payload: Json
    root_id: str
    previous_id: str | None = None
    errors: dict[str, str] = field(default_factory=dict)
    values: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Trigger:
    """Permission to open one view soon after somebody did something; `at` is on the stopwatch."""

    user: str
    at: float


@dataclass
class ResponseHook:
    """Where one response_url leads; `at` is on the stopwatch."""

    user: str
    channel: str
    at: float
    message_ts: str | None = None
    uses: int = 0


@dataclass(frozen=True)
class Call:
    """One Web API call, as the log keeps it; `answer` is "ok" or Slack's error code."""

    at: datetime
    method: str
    args: Json
    answer: str
    status: int
    ms: float
    by: str = "bot"


@dataclass(frozen=True)
class Outcome:
    """What came of something a person did.

    `error` is what the person sees when the app did not answer in time or refused;
    `field_errors` are messages beside the inputs of a modal, by block_id.
    """

    acked: bool
    error: str | None = None
    payload: Json | None = None
    field_errors: dict[str, str] = field(default_factory=dict)
