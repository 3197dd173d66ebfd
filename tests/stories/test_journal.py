"""The journal after the fire: asked for, reminded of, written, and shown the next time."""

from dataclasses import replace
from datetime import time, timedelta

from bot.acts.journal import AddToJournal, WaiveJournal, WriteJournal
from bot.acts.runbooks import TickStep
from bot.journal_jobs import ask_job
from rules.access.ledger import Entry, Happening
from rules.hours import Hours
from rules.incident import State
from rules.journal.entry import Told
from rules.journal.facts import facts_of
from rules.journal.prompt import PromptState
from rules.journal.similarity import subject_of
from rules.journal.telling import seen_sentence
from rules.journal.template import JournalRules
from rules.journal.words import SameWords
from rules.matching.matcher import conditions_of
from rules.priority import Priority
from rules.runbooks.runbook import StepOutcome
from rules.verification import Verdict, Verification
from tests.stories.conftest import Tell
from tests.stories.story import Story, rulebook
from tests.stories.test_runbooks import LATE, ORDERS
from tests.stories.test_runbooks import book as with_runbook

ASKING = JournalRules(ask=frozenset(Priority), skip=(conditions_of(['title="Test page"'], ""),))
REFRESH = Told(symptom="Old revenue", cause_class="source_late", fix="A full refresh of orders")


def asking(**changes: object) -> JournalRules:
    return replace(ASKING, **changes)  # type: ignore[arg-type]


async def resolved(story: Story, who: str = "bo", key: str = "orders") -> None:
    await story.fires(key)
    number = max(i.number for i in await story.store.reader.incidents(states=list(State), limit=9))
    await story.does(who, "acked", number)
    await story.does(who, "resolved", number)
    await story.after(minutes=1)


async def prompt(story: Story, number: int = 1) -> PromptState | None:
    found = await story.store.journal.prompt_of((await story.incident(number)).id)
    return found.state if found else None


async def home(story: Story, person: str) -> list[int]:
    return [one.number for one in await story.store.journal.open_prompts(person)]


async def test_asked_at_the_resolve_reminded_twice_and_then_left_alone(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    assert [job.payload["person"] for job in story.sent("journal_ask")] == ["bo"]
    assert await home(story, "bo") == [1]
    assert await home(story, "ana") == []
    await story.after(hours=19)
    assert story.sent("journal_remind") == []
    await story.after(hours=2)
    assert len(story.sent("journal_remind")) == 1
    await story.after(days=4)
    assert len(story.sent("journal_remind")) == 2
    assert await prompt(story) is PromptState.OPEN
    await story.after(days=4)
    assert await prompt(story) is PromptState.ENDED
    assert await home(story, "bo") == []
    await story.after(days=30)
    assert not [job for job in story.sent("journal_remind")[2:] if not job.payload["ends"]]


async def test_what_is_written_ends_the_reminders_and_is_shown_the_next_time(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    assert await prompt(story) is PromptState.WRITTEN
    await story.after(minutes=1)
    assert len(story.sent("journal_shown")) == 1
    await story.after(days=10)
    assert story.sent("journal_remind") == []

    await story.fires("orders")
    again = await story.incident(2)
    seen = await story.store.journal.seen(subject_of(facts_of(again), 2), SameWords())
    sentence = seen_sentence(seen)
    assert sentence is not None
    told = sentence.render(lambda value: getattr(value, "key", None) or str(value))
    assert told.startswith("Seen once before (#1, ")
    assert told.endswith("bo fixed it: “A full refresh of orders”")


async def test_a_fix_that_did_not_hold_is_nobody_else_s_and_is_asked_about_anew(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    await story.after(hours=2)
    await story.does("cy", "reopened")
    await story.does("cy", "resolved")
    await story.after(minutes=1)
    entry = await story.store.journal.entry_of(1)
    assert entry is not None
    assert entry.facts.resolved_by == "bo", "cy did something else than bo wrote"
    assert [job.payload["person"] for job in story.sent("journal_ask")] == ["bo", "cy"]
    assert await home(story, "cy") == [1]
    await story.asks(AddToJournal(by="ana", number=1, text="see the other ticket"))
    assert await home(story, "cy") == [1], "a message alone tells no fix"
    await story.after(hours=21)
    assert len(story.sent("journal_remind")) == 1
    await story.asks(WriteJournal(by="cy", number=1, told=Told(fix="mended the join")))
    assert await prompt(story) is PromptState.WRITTEN
    entry = await story.store.journal.entry_of(1)
    assert entry is not None
    assert (entry.facts.resolved_by, entry.told.fix) == ("cy", "mended the join")
    await story.after(days=10)
    assert len(story.sent("journal_remind")) == 1


async def test_what_still_holds_is_said_with_a_reason(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    await story.asks(WaiveJournal(by="bo", number=1, why="written already"))
    assert story.said()[-1] == "#1 has its entry already."
    await story.after(hours=2)
    await story.does("cy", "reopened")
    await story.does("cy", "resolved")
    await story.asks(WaiveJournal(by="cy", number=1, why="the same helped again"))
    assert await prompt(story) is PromptState.WAIVED
    await story.after(days=10)
    assert story.sent("journal_remind") == []


async def test_what_came_back_and_went_by_itself_asks_nobody_again(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    await story.after(hours=2)
    await story.does("cy", "reopened")
    await story.recovers("orders")
    await story.after(days=5)
    assert await prompt(story) is PromptState.WRITTEN
    assert story.sent("journal_remind") == []


async def test_the_bot_fills_in_what_it_knows(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WriteJournal(by="cy", number=1, told=REFRESH))
    entry = await story.store.journal.entry_of(1)
    assert entry is not None
    assert (entry.by, entry.facts.resolved_by, entry.facts.acked_by) == ("cy", "bo", "bo")
    assert entry.facts.paged == ("ana",)
    assert entry.facts.opened_at == (await story.incident()).opened_at
    assert entry.facts.resolved_at is not None


async def test_no_entry_needed_needs_a_reason_and_ends_it(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WaiveJournal(by="bo", number=1, why=" "))
    assert await prompt(story) is PromptState.OPEN
    assert "Say why no entry is needed." in story.said()
    await story.asks(WaiveJournal(by="bo", number=1, why="A drill"))
    assert await prompt(story) is PromptState.WAIVED
    await story.after(days=10)
    assert story.sent("journal_remind") == []


async def test_killed_at_any_moment_it_goes_on_where_it_was(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.down(hours=30)
    assert len(story.sent("journal_remind")) == 1
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    await story.down(days=9)
    assert len(story.sent("journal_remind")) == 1
    assert (await story.store.journal.search("refresh")).entries[0].number == 1


async def test_reminders_keep_quiet_hours(tell: Tell) -> None:
    story = tell(rulebook(journal=asking(remind=(timedelta(hours=20),))))
    story.quiet = lambda _person: Hours(time(20), time(9), "Europe/Berlin")
    story.restart()
    await resolved(story)
    await story.after(days=3)
    sent = [job for job in story.sent("journal_remind") if not job.payload["ends"]]
    assert [f"{job.due_at:%a %H:%M}" for job in sent] == ["Tue 08:00"]


async def test_the_night_is_not_asked_and_the_morning_is_asked_once(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    story.quiet = lambda _person: Hours(time(20), time(9), "Europe/Berlin")
    story.restart()
    await resolved(story)
    assert story.sent("journal_ask") == []
    await story.after(hours=6)
    assert [f"{job.due_at:%a %H:%M}" for job in story.sent("journal_ask")] == ["Mon 08:00"]
    assert await home(story, "bo") == [1]


async def proved(story: Story) -> None:
    incident = await story.incident()
    async with story.store.store.begin() as tx:
        now = story.clock.now()
        tx.enqueue(ask_job(incident.id, incident.channel, "ana", "proof", now, proved=True))
    await story.after(minutes=1)


async def test_a_proof_soon_after_the_question_asks_nobody_again(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    incident = await story.incident()
    before = await story.store.journal.prompt_of(incident.id)
    await proved(story)
    assert await story.store.journal.prompt_of(incident.id) == before
    assert story.sent("journal_remind") == []
    await story.after(hours=20)
    assert [job.payload["person"] for job in story.sent("journal_remind")] == ["bo"]


async def test_a_later_proof_asks_again_and_that_is_the_first_reminder(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.after(hours=5)
    await proved(story)
    assert [job.payload["person"] for job in story.sent("journal_remind")] == ["bo"]
    await story.after(hours=20)
    assert len(story.sent("journal_remind")) == 1


async def test_opened_again_nobody_is_reminded_and_asked_anew_at_the_end(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.does("ana", "reopened")
    assert await home(story, "bo") == []
    await story.does("ana", "acked")
    await story.after(days=2)
    assert story.sent("journal_remind") == []
    await story.does("ana", "resolved")
    await story.after(minutes=1)
    assert [job.payload["person"] for job in story.sent("journal_ask")] == ["bo", "ana"]
    assert await home(story, "ana") == [1]
    await story.after(hours=21)
    assert [job.payload["person"] for job in story.sent("journal_remind")] == ["ana"]


async def test_nobody_writes_about_what_troubled_nobody(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING, pages=frozenset()))
    await story.fires("orders")
    await story.recovers("orders")
    assert story.sent("journal_ask") == []
    await story.fires("x", title="Test page")
    await story.does("bo", "resolved", 2)
    assert story.sent("journal_ask") == []


async def test_a_message_is_added_with_and_without_an_incident(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await story.fires("orders")
    note = AddToJournal(by="ana", number=1, text="It was the CRM export", author="bo")
    await story.asks(note, note, AddToJournal(by="ana", text="How to read the quota page\nmore"))
    entry = await story.store.journal.entry_of(1)
    assert entry is not None
    assert ([one.text for one in entry.notes], entry.is_written) == (
        ["It was the CRM export"],
        False,
    )
    alone = (await story.store.journal.search("quota")).entries
    assert [(one.number, one.facts.title) for one in alone] == [
        (None, "How to read the quota page")
    ]
    await story.does("bo", "resolved")
    await story.after(minutes=1)
    assert await home(story, "bo") == [1], "notes alone are no entry"
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    entry = await story.store.journal.entry_of(1)
    assert entry is not None
    assert len(entry.notes) == 1


async def test_two_people_writing_at_once_lose_nothing(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    await story.asks(WriteJournal(by="ana", number=1, told=Told(fix="Waited"), seen_version=0))
    incident = await story.incident()
    versions = await story.store.journal.versions(incident.id)
    assert [(one.by, one.entry.told.fix) for one in versions] == [
        ("bo", "A full refresh of orders"),
        ("ana", "Waited"),
    ]
    assert "kept as version 1" in story.said()[-1]


async def test_what_a_form_did_not_ask_stays_as_it_was(tell: Tell) -> None:
    """Another template fits once the category is corrected, and asks for less."""
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    whole = Told(symptom="old numbers", cause_class="source_late", cause="late file",
                 fix="waited", needed=False, needed_why="at night", follow_up="ask them")  # fmt: skip
    await story.asks(WriteJournal(by="bo", number=1, told=whole))
    less = WriteJournal(
        by="bo", number=1, told=Told(symptom="", fix="waited, then loaded it"), seen_version=1,
        unasked=("cause_class", "cause", "needed", "needed_why", "follow_up"),
    )  # fmt: skip
    await story.asks(less)
    entry = await story.store.journal.entry_of(1)
    assert entry is not None
    assert entry.told == replace(whole, symptom="", fix="waited, then loaded it")


async def test_who_writes_again_from_an_older_form_hears_of_nobody_else(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    await story.asks(WriteJournal(by="bo", number=1, told=Told(fix="Waited"), seen_version=0))
    assert story.said()[-1] == "#1 is in the journal. Thank you."


async def test_an_unknown_number_is_refused(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await story.asks(WriteJournal(by="bo", number=7, told=REFRESH))
    assert story.said() == ["There is no incident #7. `/oncall list all` shows them."]


async def test_the_entry_tells_which_steps_were_tried(tell: Tell) -> None:
    story = tell(replace(with_runbook(LATE), journal=ASKING))
    await story.fires(labels=ORDERS)
    await story.after(seconds=10)
    await story.asks(TickStep(by="ana", number=1, step=0, outcome=StepOutcome.DID_NOT_HELP))
    await story.does("ana", "resolved")
    await story.asks(WriteJournal(by="ana", number=1, told=REFRESH))
    entry = await story.store.journal.entry_of(1)
    assert entry is not None
    assert entry.facts.steps == ("Look at the log: did not help",)


async def test_what_is_proved_later_stands_in_the_entry(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await resolved(story)
    await story.asks(WriteJournal(by="bo", number=1, told=REFRESH))
    async with story.store.store.begin() as tx:
        incident = await tx.incident_numbered(1)
        assert incident is not None
        proof = Verification(verdict=Verdict.PASSED, claimed_at=story.clock.now(),
                             ended_at=story.clock.now(), evidence="run 7 went through")  # fmt: skip
        tx.save(incident.but(verification=proof))
        tx.enqueue(ask_job(incident.id, incident.channel, "bo", "proved", story.clock.now()))
    await story.after(minutes=1)
    entry = await story.store.journal.entry_of(1)
    assert entry is not None
    assert entry.facts.verification == "proved: run 7 went through"
    assert (entry.facts.verified_at, entry.version) == (story.clock.now() - timedelta(minutes=1), 1)
    assert await prompt(story) is PromptState.WRITTEN


async def test_access_that_ended_before_anybody_wrote_stands_in_the_entry(tell: Tell) -> None:
    story = tell(rulebook(journal=ASKING))
    await story.fires()
    await story.does("ana", "resolved")
    async with story.store.store.begin() as tx:
        for what, group, number in (
            (Happening.GRANT_SEEN, "warehouse-admin", 1),
            (Happening.REVOCATION_SEEN, "warehouse-admin", 1),
            (Happening.REFUSED, "prod", 1),
            (Happening.GRANT_SEEN, "elsewhere", 2),
            (Happening.GRANT_SEEN, "by-rotation", 0),
        ):
            line = Entry(
                at=story.clock.now(), what=what, group=group, person="ana", incident=number
            )
            tx.access.note(line)
    await story.asks(WriteJournal(by="ana", number=1, told=Told(fix="Promoted the standby")))
    written = await story.store.journal.entry_of(1)
    assert written is not None
    assert written.facts.grants == ("warehouse-admin",)
