"""The journal is asked once for what goes out side by side."""

import asyncio

from bot.slack.recall import Recall
from rules.journal.similarity import SeenBefore, Subject
from rules.journal.words import SameWords
from tests.bot.slack.samples import BOOK, incident
from tests.bot.slack.test_journal import FakeJournal
from tests.fakes.clock import FakeClock


class SlowJournal(FakeJournal):
    """Answers when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()

    async def seen(self, subject: Subject, same: SameWords, limit: int = 3) -> SeenBefore:
        found = await super().seen(subject, same, limit)
        await self.answers.wait()
        return found


async def test_a_page_and_a_message_ask_the_journal_once(clock: FakeClock) -> None:
    journal = SlowJournal()
    recall = Recall(journal, lambda: BOOK)
    async with asyncio.TaskGroup() as group:
        both = [group.create_task(recall.of(incident(), clock)) for _ in range(2)]
        while not journal.looked:
            await asyncio.sleep(0)  # noqa: TID251 - gives way, takes no time
        journal.answers.set()
    assert both[0].result() == both[1].result()
    assert journal.looked == 1


async def test_who_gives_up_asking_holds_up_nobody_else(clock: FakeClock) -> None:
    journal = SlowJournal()
    recall = Recall(journal, lambda: BOOK)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(recall.of(incident(), clock))
        second = group.create_task(recall.of(incident(), clock))
        while not journal.looked:
            await asyncio.sleep(0)  # noqa: TID251 - gives way, takes no time
        first.cancel()
        journal.answers.set()
    assert second.result().seen == SeenBefore()
    assert journal.looked == 2
