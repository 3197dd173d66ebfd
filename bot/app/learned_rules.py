"""Keeps the learned rules in force as the database has them."""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from bot.ports.lessons import Lessons
from rules.rulebook import RuleBook
from rules.teaching.learned import Lesson, read_lesson, with_lessons

log = structlog.get_logger(__name__)


class LearnedRules:
    """The lessons in force; one that is broken is left out, and said."""

    def __init__(self, lessons: Lessons) -> None:
        self._stored = lessons
        self._ids: tuple[str, ...] = ()
        self._known: dict[str, Lesson] = {}
        self._broken: dict[str, str] = {}
        self._base: tuple[object, ...] = ()
        self._laid: RuleBook | None = None

    @property
    def broken(self) -> Mapping[str, str]:
        """Return why rules are left out, by id."""
        return self._broken

    async def refresh(self) -> bool:
        """Read what is new; tell whether anything changed. Raises NotStoredError."""
        ids = tuple(await self._stored.learned_ids())
        if ids == self._ids:
            return False
        rules = await self._stored.learned_rules()
        known: dict[str, Lesson] = {}
        broken: dict[str, str] = {}
        for rule in rules:
            try:
                known[rule.id] = self._known.get(rule.id) or read_lesson(rule)
            except ValueError as error:
                broken[rule.id] = str(error)
                log.warning("learned rule left out", action="learn", rule=rule.id, why=str(error))
        self._ids = ids
        self._known, self._broken, self._laid = known, broken, None
        return True

    def on(self, book: RuleBook) -> RuleBook:
        """Return the rulebook with the lessons asked first, the newest before older ones."""
        base = (book.categories, book.impact_rules, book.not_actionable)
        if self._laid is None or any(a is not b for a, b in zip(self._base, base, strict=True)):
            self._base, self._laid = base, with_lessons(book, self._known.values())
        return replace(
            book,
            categories=self._laid.categories,
            impact_rules=self._laid.impact_rules,
            not_actionable=self._laid.not_actionable,
        )
