"""Answers to `/oncall journal`: one entry, a search, what is still to be written, trends."""

from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.text import md, outside
from bot.slack.views import journal as views
from bot.slack.views.answers import said
from bot.slack.wishes import AskJournalPages
from bot.slack.wording.incident import no_incident


async def answer_journal(desk: Desk, asked: AskJournalPages, user: str) -> Json:
    """Answer from what is stored; people's names are those known already."""
    if asked.trends:
        return await _trends(desk)
    if asked.number is not None:
        return await _one(desk, asked.number)
    now, journal = desk.clock.now(), desk.recall.journal
    if asked.query:
        found = await journal.search(asked.query)
        if not found.entries:
            return said(md("No journal entry has {words}. Try fewer words.",
                           words=outside(f"“{asked.query}”", 100)))  # fmt: skip
        head = md("Journal: {words}", words=outside(asked.query, 100))
        return views.list_answer(head, found.entries, now, more=found.more)
    prompts = await journal.open_prompts(desk.directory.key_of(user))
    latest = await journal.search()
    if not latest.entries:
        answer = said(md("The journal is empty. After an incident you are asked to write."))
    else:
        answer = views.list_answer(md("Journal, newest first"), latest.entries, now)
    return {**answer, "blocks": [*views.prompt_blocks(prompts, now), *answer["blocks"]]}


async def _one(desk: Desk, number: int) -> Json:
    entry = await desk.recall.journal.entry_of(number)
    if entry is not None:
        causes = desk.rulebook().journal.causes
        return views.entry_answer(entry, causes, desk.directory, desk.clock.now())
    incident = await desk.reader.incident_numbered(number)
    if incident is None:
        return said(no_incident(number))
    return views.write_answer(incident)


async def _trends(desk: Desk) -> Json:
    now = desk.clock.now()
    since = f"{now.year - 1}-{now.month:02}"
    counts = await desk.recall.journal.trends(since)
    return views.trends_answer(counts, desk.rulebook().journal.causes)
