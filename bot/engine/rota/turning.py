"""The rotation while one transaction changes it: who is on call by what was changed so far."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.engine.rota import jobs
from bot.engine.work import PAST, Work
from bot.ports.changes import RosterChange
from rules.rotation import OnCall
from rules.schedule.held import Slot, cautions, held_text
from rules.schedule.roster import Away, Change
from rules.sentence import Sentence

SLACK = "slack"
"""Where these changes come from, in the audit."""


@dataclass(slots=True)
class Turning:
    """The transaction's work, and the changes in force; `away` is everybody's absences."""

    work: Work
    changes: tuple[Change, ...]
    away: Sequence[Away]

    @property
    def now(self) -> datetime:
        return self.work.now

    @property
    def on_call(self) -> OnCall:
        return self.work.book.on_call

    def lay(self, *changes: Change, without: Sequence[str] = ()) -> None:
        """Put changes in force, each in the place of what has its id; `without` are taken away."""
        gone = {change.id for change in changes} | set(without)
        kept = (one for one in self.changes if one.id not in gone)
        self.changes = (*kept, *changes)
        self.work.book = replace(self.work.book, on_call=self.would_be())

    def would_be(self, *changes: Change) -> OnCall:
        """Return who would be on call with these changes as well."""
        return self.work.resolver.on_call((*self.changes, *changes), self.now)

    def cautions(self, before: OnCall, *slots: Slot, after: OnCall | None = None) -> list[Sentence]:
        now = self.on_call if after is None else after
        found: list[Sentence] = []
        for slot in slots:
            found += [c for c in cautions(before, now, slot, self.away) if c not in found]
        return found

    def note(
        self, what: str, by: str, subject: str, slot: Slot, before: OnCall, why: str = ""
    ) -> None:
        """Write a line of the audit: who had the slot before, and who has it now."""
        self.work.tx.roster.note_change(
            RosterChange(
                id=self.work.new_id(),
                at=self.now,
                by=by,
                origin=SLACK,
                what=what,
                subject=subject,
                slot=slot,
                before=held_text(before, slot),
                after=held_text(self.on_call, slot),
                why=why,
            )
        )

    def tell(
        self, person: str, sentence: Sentence, *, undo: str = "", back_to: tuple[str, ...] = ()
    ) -> None:
        """Send a person a direct message, with a button that ends an override."""
        job = jobs.tell_person(self.work.new_id(), person, sentence, self.now, undo, back_to)
        self.work.tx.enqueue(job)


async def turning(work: Work) -> Turning:
    """Read what is in force once the changes are locked, and let pages follow it."""
    changes = tuple(await work.tx.roster.changes(work.now - PAST))
    away = work.resolver.schedule(changes).absences
    on_call = work.resolver.on_call(changes, work.now)
    work.book = replace(work.book, on_call=on_call)
    return Turning(work, changes, away)
