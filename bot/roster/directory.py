"""The people everybody looks up: those of the configuration, and those the roster adds."""

from collections.abc import Iterable

from rules.people import People, Person


class KnownPeople(People):
    """People that change with the roster; whoever holds them sees the same ones."""

    def __init__(self, people: Iterable[Person] = ()) -> None:
        super().__init__(people)
        self.configured = People(self)

    def know(self, people: Iterable[Person]) -> None:
        """Make these everybody there is, in one step; the same ones are no news."""
        known = tuple(people)
        if known == self._people:
            return
        self._by_key = {person.key: person for person in known}
        self._people = known
