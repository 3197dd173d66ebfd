"""What a story is made of: its beats, what people do in them, and what they wait for."""

from dataclasses import dataclass

PRIMARY, SECONDARY = "primary", "secondary"
LATER = "later"
"""Who is first on call in the last night."""


@dataclass(frozen=True, slots=True)
class Send:
    """A tool of this kind sends this body of bot/demo/payloads.py."""

    kind: str
    body: str


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody presses a button on their page about an incident."""

    who: str
    about: str
    button: str = "ack"


@dataclass(frozen=True, slots=True)
class SplitOff:
    """Somebody presses "Split off" in an incident's thread, beside the alert of these words."""

    who: str
    about: str
    alert: str


@dataclass(frozen=True, slots=True)
class Type:
    """Somebody types a command in the channel; `about` names the incident it is for, if any."""

    who: str
    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody presses a button in an incident's thread; `beside` is a part of its block's id."""

    who: str
    about: str
    button: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Fill:
    """Somebody opens a form with a button in an incident's thread, fills it in and submits it."""

    who: str
    about: str
    button: str
    answers: tuple[tuple[str, str], ...]


Deed = Send | Click | SplitOff | Type | Press | Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """What the story waits for: a page, a sign on the message of an incident, or an answer.

    `page` is who is paged: primary or secondary; `thread` what comes into the thread: PICTURE, or
    a message with buttons of this action; `says` words of its message or thread; `told` words of a
    message about no incident.
    """

    about: str = ""
    page: str = ""
    sign: str = ""
    thread: str = ""
    says: str = ""
    answer: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One moment: `minute` of a night, what is told, what is done, what it leads to.

    Text may use {primary}, {secondary}, and {late} and the like for "#1"; `opens` names the
    incident that the deed opens, by words of its title. `only_while` is the sign that the
    incident must still have: otherwise a viewer was faster, and nothing is done. `night` counts
    from the first, 0.
    """

    minute: float
    text: str
    deed: Deed | None = None
    opens: tuple[str, str] | None = None
    only_while: tuple[str, str] | None = None
    until: tuple[Until, ...] = ()
    mark: str = ""
    night: int = 0


LATE, DOUBLE, DATABASE, STORM, AGAIN = "late", "double", "database", "storm", "again"
RETRIES, SILENCED, FOLDED = "retries", "silenced", "folded"
PICTURE = "picture"
KEYS = "warehouse-admin"
BREAK_GLASS = f"/oncall access {KEYS} 1h {{database}} promote the standby by hand"
GLASS_BROKEN, HAS_KEYS = "Break-glass: ", f"You are in {KEYS} since"
GLASS_WHOLE = "break-glass · ended"
STEP_TICKED = "worked, "
TO_BE_PROVED, SO_FAR, PROVED = "To be proved", "So far:", "✅ Proved"
ASKED, WROTE, TASK_DONE = "What should the next person know", "wrote the journal", "done, "
SEEN_BEFORE, REMINDED = "📓 Seen", "no journal entry yet"
FIRING, ACKED, RESOLVED = "🔴", "🟡", "🟢"
