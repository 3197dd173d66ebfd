"""What people can wish for, and who wishes: the values between typed words, modals and acts."""

from dataclasses import dataclass
from datetime import datetime

from bot.acts.act import Act
from bot.acts.roster import MakeOverride
from bot.slack.typed_text import QUOTES
from rules.matching.matcher import parse_matchers
from rules.people import People
from rules.rotation import OnCall
from rules.schedule.roster import OverrideKind
from rules.schedule.who import find_rotation
from rules.spoken_time import Moment

ENDS = ",.:;!"
"""What people put behind a name, a number or a word, and do not mean."""


class CommandError(ValueError):
    """What was typed cannot be done: `problem` may quote it, `hint` is ours and says what to write."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem} {hint}")
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True, slots=True)
class AskWho:
    rotation: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AskNext:
    count: int = 3
    rotation: str = ""


@dataclass(frozen=True, slots=True)
class AskList:
    which: str = "open"


@dataclass(frozen=True, slots=True)
class AskShow:
    number: int


@dataclass(frozen=True, slots=True)
class AskSilences:
    pass


@dataclass(frozen=True, slots=True)
class AskExplain:
    number: int


@dataclass(frozen=True, slots=True)
class AskSlo:
    product: str = ""


@dataclass(frozen=True, slots=True)
class AskCalendar:
    pass


@dataclass(frozen=True, slots=True)
class AskIssues:
    pass


@dataclass(frozen=True, slots=True)
class AskCorrect:
    number: int


@dataclass(frozen=True, slots=True)
class AskRules:
    pass


@dataclass(frozen=True, slots=True)
class AskPeople:
    """Those whose name, address or handle holds `words`; `page` counts from 1."""

    words: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class AskLoad:
    rotation: str = ""


@dataclass(frozen=True, slots=True)
class AskGrants:
    pass


@dataclass(frozen=True, slots=True)
class AskAccessForm:
    """The form for elevated access; `group` is chosen in it."""

    group: str = ""


@dataclass(frozen=True, slots=True)
class AskRunbook:
    """The runbook of an incident; 0 for which runbooks are missing or stale."""

    number: int = 0


@dataclass(frozen=True, slots=True)
class AskTasks:
    mine: bool = False


@dataclass(frozen=True, slots=True)
class AskJournalPages:
    """One entry by its incident's number, those with certain words, or the trends; else the newest."""

    number: int | None = None
    query: str = ""
    trends: bool = False


@dataclass(frozen=True, slots=True)
class AskHelp:
    pass


Question = (
    AskWho
    | AskNext
    | AskList
    | AskShow
    | AskSilences
    | AskExplain
    | AskSlo
    | AskIssues
    | AskCorrect
    | AskRules
    | AskPeople
    | AskLoad
    | AskGrants
    | AskRunbook
    | AskTasks
    | AskJournalPages
    | AskHelp
)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was asked for; `note` tells the person how a time was read."""

    wish: Question | AskCalendar | AskAccessForm | Act
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typist:
    """Who types, and what their words mean to them."""

    by: str
    now: datetime
    zone: str
    people: People
    on_call: OnCall


def find_role(on_call: OnCall, rotation: str, written: str) -> str:
    """Return the role meant, the first one by none; raises ValueError."""
    roles = on_call.roles(rotation)
    role = written.lower() or next(iter(roles), "primary")
    if roles and role not in roles:
        raise ValueError(f'Rotation {rotation} has no role "{role}": there is {_these(roles)}.')
    return role


def override(
    typist: Typist,
    person: str,
    place: str,
    start: datetime,
    end: datetime,
    *,
    how: OverrideKind = OverrideKind.COVER,
    instead_of: str = "",
) -> MakeOverride:
    """Build an override of `place`, a rotation or rotation/role; raises ValueError."""
    written, _, role = place.partition("/")
    rotation = find_rotation(typist.on_call, written, person=instead_of or person)
    role = find_role(typist.on_call, rotation, role)
    if end <= start:
        raise ValueError("It must end after it starts.")
    if end <= typist.now:
        raise ValueError("That is over already.")
    return MakeOverride(
        by=typist.by,
        person=person,
        rotation=rotation,
        role=role,
        starts_at=start,
        ends_at=end,
        how=how,
        instead_of=instead_of,
    )


def first_of(words: list[str]) -> tuple[str, list[str]]:
    """Take the first word, or all words between quotes, without the colon that ends an address."""
    text = " ".join(words)
    if text.startswith('"') and '"' in text[1:]:
        quoted, _, rest = text[1:].partition('"')
        return quoted.strip(), rest.lstrip(ENDS).split()
    return (words[0].rstrip(ENDS), words[1:]) if words else ("", [])


def bare(word: str) -> str:
    """Return a keyword as it is meant: without case, and without what a phone puts behind it."""
    return word.lower().rstrip(f"{ENDS}?")


def person_of(written: str, typist: Typist) -> str:
    """Return the key of whom a name means, `me` too; raises ValueError."""
    return typist.by if written.lower() == "me" else typist.people.find(written).key


def matchers_of(written: str) -> str:
    """Check matchers and write them the one way; raises ValueError."""
    found, rest = parse_matchers(written.translate(QUOTES))
    if not found:
        raise ValueError("Name at least one label, such as team=finance.")
    if rest:
        raise ValueError(f'I cannot read "{rest[:60]}" as label=value.')
    return " ".join(map(str, found))


def ahead_of(moment: Moment, now: datetime) -> Moment:
    """Refuse a moment that has passed; raises ValueError."""
    if moment.at <= now:
        raise ValueError("That time has passed.")
    return moment


def _these(names: tuple[str, ...]) -> str:
    return ", ".join(names[:10]) + (" and others" if len(names) > 10 else "")
