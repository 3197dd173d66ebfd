"""People: one key each, and the names others write them by."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from rules.plain_line import seen

_MENTION = re.compile(r"<@([A-Z0-9]+)(?:\|[^<>]*)?>")
_ADDRESS = re.compile(r"\w[\w.+'&/=~-]*@[\w-]+(?:\.[\w-]+)*")


@dataclass(frozen=True, slots=True)
class Person:
    """One person. `key` is their e-mail in lower case, or `slack:U...` when no e-mail is known.

    `phone` is as `+491701234567`, `webhook` the name of a configured one, and `contact` the order
    of methods where the person has one of their own.
    """

    key: str
    name: str
    email: str = ""
    slack: str = ""
    zone: str = "UTC"
    phone: str = field(default="", repr=False)
    pushover: str = field(default="", repr=False)
    ntfy: str = field(default="", repr=False)
    webhook: str = ""
    contact: str = ""


class UnknownPersonError(ValueError):
    """Nobody is called that; the text names the nearest."""


class AmbiguousPersonError(ValueError):
    """Several people are called that; the text names them."""


class People:
    """Everyone the configuration names; a text that means one of those who `left` means nobody."""

    def __init__(self, people: Iterable[Person] = (), *, left: Iterable[Person] = ()) -> None:
        self._people = tuple(people)
        self._left = tuple(left)
        self._by_key = {person.key: person for person in self._people}

    def __iter__(self) -> Iterator[Person]:
        return iter(self._people)

    @property
    def everyone(self) -> tuple[Person, ...]:
        """Return all of them; the same object as long as nobody has changed."""
        return self._people

    def by_key(self, key: str) -> Person:
        """Return the person, or a bare one made from the key when they are not listed."""
        return self._by_key.get(key) or Person(key, key.removeprefix("slack:"))

    def by_slack(self, user_id: str) -> Person | None:
        """Return whose Slack user id this is; "" is nobody's, however many have none."""
        return next((p for p in self._people if user_id and p.slack == user_id), None)

    def find(self, written: str) -> Person:
        """Find whom a text means: `<@U1>`, @handle, e-mail, exact name, or a unique beginning.

        An e-mail nobody has is a new person: their address is all it takes to page them. Raises
        UnknownPersonError or AmbiguousPersonError, whose texts are for the one who wrote it.
        """
        text = seen(written)
        folded = _fold(text)
        if mention := _MENTION.fullmatch(text):
            user_id = mention[1]
            self._refuse_left(text, _fold(user_id))
            return self.by_slack(user_id) or Person(f"slack:{user_id}", user_id, slack=user_id)
        if found := self._exactly(text, folded):
            return found
        self._refuse_left(text, folded)
        if _ADDRESS.fullmatch(text):
            return Person(text.lower(), text.split("@")[0], email=text.lower())
        starts = [p for p in self._people if folded and _fold(p.name).startswith(folded)]
        if len(starts) == 1:
            return starts[0]
        if starts:
            raise _ambiguous(text, [p.name for p in starts])
        raise UnknownPersonError(f'nobody is called "{text}".{self._nearest(folded)}')

    def _exactly(self, text: str, folded: str) -> Person | None:
        """Find by what is surely one person's before what several may have."""
        for tier in _TIERS:
            found = [p for p in self._people if folded in tier(p)]
            if len(found) == 1:
                return found[0]
            if found:
                raise _ambiguous(text, [p.email or p.slack or p.key for p in found])
        return None

    def _refuse_left(self, text: str, folded: str) -> None:
        gone = next((p for p in self._left if any(folded in tier(p) for tier in _TIERS)), None)
        if gone is not None:
            words = "is marked as not active in People. Write somebody else, or mark them active."
            raise UnknownPersonError(
                f'"{text}" {words}' if text == gone.name else f'"{text}" ({gone.name}) {words}'
            )

    def _nearest(self, folded: str) -> str:
        names = {_fold(p.name): p.name for p in self._people}
        hit = difflib.get_close_matches(folded, names, n=1, cutoff=0.4)
        return (
            f' Nearest: "{names[hit[0]]}".'
            if hit
            else " Write their e-mail, or add them to people."
        )


def _own(person: Person) -> set[str]:
    slack = person.slack.lstrip("@")
    written = (person.key, person.email, slack, f"@{slack}" if slack else "")
    return {_fold(w) for w in written if w}


def _name(person: Person) -> set[str]:
    return {_fold(person.name)} - {""}


def _mailbox(person: Person) -> set[str]:
    name = person.email.split("@")[0]
    return {_fold(f"@{name}")} if name else set()


_TIERS = (_own, _name, _mailbox)


def _ambiguous(text: str, fits: Sequence[str]) -> AmbiguousPersonError:
    return AmbiguousPersonError(f'"{text}" fits {" and ".join(fits)}. Write the e-mail or @handle.')


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", " ".join(text.casefold().split()))
    return "".join(c for c in decomposed if not unicodedata.combining(c))
