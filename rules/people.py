"""People: one key each, and the names others write them by."""

import difflib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field


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
    """Everyone the configuration names."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        self._people = tuple(people)
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
        text = written.strip()
        folded = _fold(text)
        if text.startswith("<@") and (user_id := text.strip("<@>").split("|")[0]):
            return self.by_slack(user_id) or Person(f"slack:{user_id}", user_id, slack=user_id)
        if found := next((p for p in self._people if folded in _exact(p)), None):
            return found
        if "@" in text.strip("<@>") and " " not in text:
            return Person(text.lower(), text.split("@")[0], email=text.lower())
        starts = [p for p in self._people if folded and _fold(p.name).startswith(folded)]
        if len(starts) == 1:
            return starts[0]
        if starts:
            names = " and ".join(p.name for p in starts)
            raise AmbiguousPersonError(f'"{text}" fits {names}. Write the e-mail or @handle.')
        raise UnknownPersonError(f'nobody is called "{text}".{self._nearest(folded)}')

    def _nearest(self, folded: str) -> str:
        names = {_fold(p.name): p.name for p in self._people}
        hit = difflib.get_close_matches(folded, names, n=1, cutoff=0.4)
        return (
            f' Nearest: "{names[hit[0]]}".'
            if hit
            else " Write their e-mail, or add them to people."
        )


def _exact(person: Person) -> set[str]:
    written = {person.key, person.email, person.name, person.slack.lstrip("@")}
    handles = {
        f"@{name}" for name in (person.slack.lstrip("@"), person.email.split("@")[0]) if name
    }
    return {_fold(w) for w in written | handles if w}


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
