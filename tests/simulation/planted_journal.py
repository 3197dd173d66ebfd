"""Faults in asking for journal entries that are built in on purpose."""

from dataclasses import replace
from typing import Any

from bot.journal_jobs import JOURNAL_ASK, JOURNAL_REMIND
from bot.ports.jobs import NewJob
from tests.simulation.around import Around, lose_one_in
from tests.simulation.world import Lives, Parts

_REACHED = Lives(reached=True)


def ask_some(store: Any) -> None:
    """Drop every other question between the decision and the outbox."""
    lose_one_in(store, JOURNAL_ASK, 2)


def remind_twice(store: Any) -> None:
    """Plan every reminder twice."""
    begin = store.store.begin

    def change(tx: Any) -> None:
        enqueue = tx.enqueue

        def enqueues(job: NewJob) -> None:
            enqueue(job)
            if job.kind == JOURNAL_REMIND:
                enqueue(replace(job, key=f"{job.key}:again"))

        tx.enqueue = enqueues

    store.store.begin = lambda: Around(begin(), change)


PLANTED_JOURNAL: dict[str, Parts] = {
    "asks for half of the journal entries": Parts(opened=ask_some, lives=_REACHED),
    "reminds of journal entries twice": Parts(opened=remind_twice, lives=_REACHED),
}
