"""The journal in Slack: asked for, written, added to, found; against the local workspace."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.acts.journal import AddToJournal, WaiveJournal, WriteJournal
from bot.journal_jobs import JOURNAL_ASK, JOURNAL_REMIND, JOURNAL_SHOWN
from bot.ports.journal import CauseCount, JournalFilter, JournalPage, NoJournal
from bot.slack.desk import Desk
from bot.slack.intake import Caller, Intake, Running
from bot.slack.journal import delivery
from bot.slack.journal.forms import JournalForms, journal_form
from bot.slack.listeners import Identity, Listening, build_listeners
from bot.slack.recall import Recall, Recalled
from bot.slack.replies import render_home
from bot.slack.text import Mrkdwn
from bot.slack.views import journal as views
from bot.slack.views.incident import page_message, root_message
from bot.workspace.blockkit import problems
from bot.workspace.model import Message
from bot.workspace.state import Workspace
from rules.incident import State
from rules.journal.entry import Facts, JournalEntry, Note, Told
from rules.journal.prompt import JournalPrompt, PromptState
from rules.journal.similarity import SeenBefore, Subject
from rules.journal.template import Question, Template
from rules.journal.words import SameWords
from tests.bot.slack.samples import ANA, BO, BOOK, HOSTILE, NOW, FakeNames, incident, scene
from tests.bot.slack.test_delivery import carry_out, job
from tests.bot.slack.test_listeners import WHERE, acts, modal, root, submit, typed
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

__all__ = ["root"]

CAUSES = {"source_change": "The source changed", "unknown": "Unknown"}
RESOLVED = incident(state=State.RESOLVED, resolved_by=BO, resolved_at=NOW, note="Restarted it")
OLD = JournalEntry(
    id="i31",
    number=31,
    at=NOW - timedelta(days=9),
    changed_at=NOW,
    changed_by=BO,
    by=BO,
    told=Told(symptom=HOSTILE, cause_class="source_change", fix="A full refresh", needed=False,
              needed_why="It was a drill"),
    facts=Facts(title=HOSTILE, product="orders", resolved_by=BO, paged=(ANA,), steps=(HOSTILE,),
                opened_at=NOW, resolved_at=NOW + timedelta(hours=1)),
    notes=(Note(text=HOSTILE, by=ANA, at=NOW, author=HOSTILE, link="javascript:alert(1)"),),
)  # fmt: skip
PROMPT = JournalPrompt(incident_id="i42", number=42, person=ANA, title=HOSTILE, key="k",
                       asked_at=NOW, changed_at=NOW)  # fmt: skip


class FakeJournal(NoJournal):
    """Holds what a test puts in."""

    def __init__(self) -> None:
        self.entries: dict[str, JournalEntry] = {}
        self.prompts: list[JournalPrompt] = []
        self.looked = 0

    async def search(
        self,
        query: str = "",
        *,
        filters: JournalFilter | None = None,
        page: int = 0,
        size: int = 25,
    ) -> JournalPage:
        return JournalPage([e for e in self.entries.values() if query in e.told.fix], more=True)

    async def entry(self, entry_id: str) -> JournalEntry | None:
        return self.entries.get(entry_id)

    async def entry_of(self, number: int) -> JournalEntry | None:
        return next((e for e in self.entries.values() if e.number == number), None)

    async def seen(self, subject: Subject, same: SameWords, limit: int = 3) -> SeenBefore:
        self.looked += 1
        return SeenBefore(3, OLD) if OLD.id in self.entries else SeenBefore()

    async def open_prompts(self, person: str, limit: int = 10) -> Sequence[JournalPrompt]:
        return [one for one in self.prompts if one.person == person]

    async def prompt_of(self, incident_id: str) -> JournalPrompt | None:
        return next((one for one in self.prompts if one.incident_id == incident_id), None)

    async def incident_at(self, channel: str, ts: str) -> int | None:
        return 42

    async def trends(self, since_month: str) -> Sequence[CauseCount]:
        return [
            CauseCount("2026-11", "source_change", HOSTILE, 2),
            CauseCount("2026-10", "", "", 1),
        ]


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal()


@pytest.fixture
def desk(desk: Desk, journal: FakeJournal) -> Desk:
    return replace(desk, recall=Recall(journal, lambda: BOOK))


@pytest.fixture
def listening(desk: Desk, inbox: FakeInbox, workspace: Workspace) -> Listening:
    me = Identity(bot_user=workspace.bot_user_id, bot=workspace.bot_id, team=workspace.team_id)
    return build_listeners(desk, inbox, token=workspace.bot_token, identity=lambda: me,
                           signing_secret=workspace.signing_secret)  # fmt: skip


async def asked(desk: Desk, reader: FakeReader, workspace: Workspace) -> Message:
    """Let the bot ask in the thread of #42, which is resolved; return its question."""
    reader.put(RESOLVED)
    await carry_out(desk, reader, job(JOURNAL_ASK, payload={"person": ANA}))
    return workspace.messages(WHERE)[-1]


async def test_the_question_opens_the_form_and_the_form_is_stored(
    line: Listening, root: Message, desk: Desk, reader: FakeReader, workspace: Workspace,
    inbox: FakeInbox,
) -> None:  # fmt: skip
    said = await asked(desk, reader, workspace)
    assert said.thread_ts == root.ts
    assert (await workspace.click("ana", WHERE, said.ts, "journal")).acked
    view = await modal(workspace, "journal")
    assert (await submit(workspace, view, {"fix": " ", "symptom": ""})).field_errors
    await submit(workspace, view, {"fix": "Waited", "cause_class": "unknown", "needed_yes": "no"})
    (sent,) = acts(inbox)
    assert sent.act == WriteJournal(
        by=ANA, number=42, told=Told(fix="Waited", cause_class="unknown", needed=False)
    )


async def test_no_entry_needed_asks_why(
    line: Listening, root: Message, desk: Desk, reader: FakeReader, workspace: Workspace,
    inbox: FakeInbox,
) -> None:  # fmt: skip
    said = await asked(desk, reader, workspace)
    await workspace.click("ana", WHERE, said.ts, "journal_waive")
    view = await modal(workspace, "journal_waive")
    assert (await submit(workspace, view, {"why": " "})).field_errors
    await submit(workspace, view, {"why": "A drill"})
    assert acts(inbox)[0].act == WaiveJournal(by=ANA, number=42, why="A drill")


async def test_a_form_that_could_not_be_stored_keeps_what_was_typed(
    line: Listening, root: Message, desk: Desk, reader: FakeReader, workspace: Workspace,
    inbox: FakeInbox,
) -> None:  # fmt: skip
    said = await asked(desk, reader, workspace)
    await workspace.click("ana", WHERE, said.ts, "journal")
    view = await modal(workspace, "journal")
    inbox.broken = True
    outcome = await submit(workspace, view, {"fix": "Waited"})
    assert "could not save" in "".join(outcome.field_errors.values())


async def test_a_message_is_added_to_the_incident_of_its_thread(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    said = workspace.type_text("bo", WHERE, "It was the <CRM> export & late")
    assert (await workspace.shortcut("ana", "add_to_journal", said)).acked
    view = await modal(workspace, "journal_add")
    wrong = await submit(workspace, view, {"number": "the last one"})
    assert "number" in wrong.field_errors
    await submit(workspace, view, {"number": "#42"})
    (sent,) = acts(inbox)
    act = sent.act
    assert isinstance(act, AddToJournal)
    assert (act.number, act.by, act.author) == (42, ANA, BO)
    assert act.text == "It was the <CRM> export & late"
    assert act.link.endswith(said.ts.replace(".", ""))


async def test_a_form_sent_again_with_other_words_is_not_taken_for_the_same(
    desk: Desk, inbox: FakeInbox
) -> None:
    """Slack keeps a form open whose answer came late: it may be changed and sent once more."""

    async def ack(**_said: object) -> None:
        return None

    forms = JournalForms(Intake(inbox, desk, Running()))
    for fix in ("Waited", "Waited", "Waited, then loaded it again"):
        state = {"values": {"fix": {"fix": {"value": fix}}}}
        view = {"id": "V1", "private_metadata": '{"n": 42}', "blocks": [], "state": state}
        await forms.written(ack, {"user": {"id": "U0ANA001"}, "view": view})
    told = [one.act.told.fix for one in acts(inbox) if isinstance(one.act, WriteJournal)]
    assert told == ["Waited", "Waited, then loaded it again"]


async def test_what_a_form_does_not_ask_is_left_as_it_is(
    line: Listening, root: Message, desk: Desk, reader: FakeReader, workspace: Workspace,
    inbox: FakeInbox, journal: FakeJournal,
) -> None:  # fmt: skip
    few = Template("few", {"fix": Question("How?", required=True)})
    book = replace(BOOK, journal=replace(BOOK.journal, templates=(few,)))
    brief = replace(desk, rulebook=lambda: book)
    view = await journal_form(brief, "journal", RESOLVED, Caller(user="U0ANA001", key=ANA))

    async def ack(**_said: object) -> None:
        return None

    sent = {**view, "id": "V2", "state": {"values": {"fix": {"fix": {"value": "Waited"}}}}}
    forms = JournalForms(Intake(inbox, desk, Running()))
    await forms.written(ack, {"user": {"id": "U0ANA001"}, "view": sent})
    (told,) = acts(inbox)
    assert isinstance(told.act, WriteJournal)
    assert set(told.act.unasked) == {
        "symptom", "cause_class", "cause", "needed", "needed_why", "follow_up"
    }  # fmt: skip


def test_a_kind_of_cause_that_the_rulebook_no_longer_has_stays_chosen() -> None:
    old = replace(OLD, told=replace(OLD.told, cause_class="solar_flare"))
    view = views.write_modal(RESOLVED, old, BOOK.journal.template(None), CAUSES, "{}")
    (menu,) = [b["element"] for b in view["blocks"] if b.get("block_id") == "cause_class"]
    assert menu["initial_option"]["value"] == "solar_flare"
    assert menu["initial_option"]["text"]["text"] == "solar flare"
    assert problems(view, surface="modal") == []
    bare = views.write_modal(RESOLVED, None, BOOK.journal.template(None), {}, "{}")
    assert problems(bare, surface="modal") == []  # Slack takes no menu without a choice


async def test_words_find_entries_and_show_them(
    line: Listening, workspace: Workspace, journal: FakeJournal
) -> None:
    journal.entries["i31"] = OLD
    assert "*#31*" in await typed(workspace, "journal refresh")
    assert "*#31*" in await typed(workspace, "journal search full refresh")
    assert "No journal entry has" in await typed(workspace, "journal nothing")
    assert "Page needed*: no: It was a drill" in await typed(workspace, "journal 31")
    assert "has no journal entry yet" in await typed(workspace, "journal 42")
    assert "There is no incident #7." in await typed(workspace, "journal 7")
    assert "Root causes by month" in await typed(workspace, "journal trends")


async def test_home_lists_what_is_still_to_be_written(desk: Desk, journal: FakeJournal) -> None:
    journal.prompts.append(PROMPT)
    home = await render_home(desk, "U0ANA001")
    assert problems(home, surface="home") == []
    assert "Journal to write" in json.dumps(home)
    assert "Journal to write" not in json.dumps(await render_home(desk, "U0BO0001"))


async def test_questions_are_not_asked_twice_or_too_late(
    desk: Desk, root: Message, reader: FakeReader, journal: FakeJournal, workspace: Workspace
) -> None:
    asking = job(JOURNAL_ASK, payload={"person": ANA})
    assert (await delivery.ask(desk, asking)).messages == (), "it is still open"
    reader.put(replace(RESOLVED, resolved_by=""))
    assert (await delivery.ask(desk, asking)).messages == (), "it resolved itself"
    reader.put(RESOLVED)
    journal.entries["i42"] = replace(OLD, id="i42", number=42)
    assert (await delivery.ask(desk, asking)).messages == (), "it is written"
    journal.entries.clear()
    journal.prompts.append(replace(PROMPT, state=PromptState.WAIVED))
    assert (await delivery.ask(desk, asking)).messages == (), "none is needed"


async def test_after_a_storm_one_reminder_names_them_all(
    desk: Desk, reader: FakeReader, journal: FakeJournal, root: Message, workspace: Workspace
) -> None:
    reader.put(RESOLVED)
    payload = {"person": ANA, "prompt": "k", "sent": 1, "ends": False}
    journal.prompts = [
        replace(PROMPT, number=42 + n, incident_id=f"i{42 + n}") for n in (8, 3, 0, 1, 2, 5, 6)
    ]
    (sent,) = (await delivery.remind(desk, job(JOURNAL_REMIND, payload=payload))).messages
    said = workspace.message(sent.channel, sent.ts).text
    assert "Nor have #43, #44, #45, #47, #48 and 1 more: App Home lists them." in said
    journal.prompts.append(replace(PROMPT, number=41, incident_id="i41"))
    again = await delivery.remind(desk, job(JOURNAL_REMIND, payload=payload))
    assert again.messages == (), "the oldest one's reminder has named it"


async def test_a_reminder_goes_to_one_person_while_it_is_needed(
    desk: Desk, root: Message, reader: FakeReader, journal: FakeJournal, workspace: Workspace
) -> None:
    reader.put(RESOLVED)
    journal.prompts.append(PROMPT)
    payload = {"person": ANA, "prompt": "k", "sent": 1, "ends": False}
    sent = await delivery.remind(desk, job(JOURNAL_REMIND, payload=payload))
    assert [(one.role, one.person) for one in sent.messages] == [("journal", ANA)]
    assert "no journal entry yet" in workspace.messages("ana")[-1].text
    for other in ({"prompt": "older"}, {"ends": True}):
        late = job(JOURNAL_REMIND, payload={**payload, **other})
        assert (await delivery.remind(desk, late)).messages == ()


async def test_what_was_resolved_again_is_asked_about_as_what_it_is(
    desk: Desk, root: Message, reader: FakeReader, journal: FakeJournal, workspace: Workspace
) -> None:
    """The entry tells of a fix that did not hold."""
    own = replace(OLD.facts, resolved_at=NOW - timedelta(hours=2))
    journal.entries["i42"] = replace(OLD, id="i42", number=42, facts=own)
    journal.prompts.append(PROMPT)
    reader.put(RESOLVED)
    await carry_out(desk, reader, job(JOURNAL_ASK, payload={"person": ANA}))
    said = workspace.messages(WHERE)[-1]
    assert "#42 was resolved again after Bo wrote its journal entry" in said.text
    assert "A full refresh" in said.text
    payload = {"person": ANA, "prompt": "k", "sent": 1, "ends": False}
    (sent,) = (await delivery.remind(desk, job(JOURNAL_REMIND, payload=payload))).messages
    assert "was resolved again after" in workspace.message(sent.channel, sent.ts).text
    journal.prompts[0] = replace(PROMPT, state=PromptState.WAIVED, by=BO, why="same")
    await delivery.shown(desk, job(JOURNAL_SHOWN))
    assert "Bo wrote the journal entry of #42" in workspace.messages(WHERE)[-1].text


async def test_what_was_asked_shows_how_it_ended(
    line: Listening, root: Message, desk: Desk, reader: FakeReader, workspace: Workspace,
    journal: FakeJournal,
) -> None:  # fmt: skip
    await asked(desk, reader, workspace)
    journal.entries["i42"] = replace(OLD, id="i42", number=42)
    await delivery.shown(desk, job(JOURNAL_SHOWN))
    assert "Bo wrote the journal entry of #42" in workspace.messages(WHERE)[-1].text


async def test_the_form_starts_with_what_is_known(desk: Desk, journal: FakeJournal) -> None:
    caller = Caller(user="U0ANA001", key=ANA)
    view = await journal_form(desk, "journal", RESOLVED, caller)
    assert "Restarted it" in json.dumps(view)
    journal.entries["i42"] = replace(OLD, id="i42", number=42, version=3)
    view = await journal_form(desk, "journal", RESOLVED, caller)
    assert json.loads(view["private_metadata"])["v"] == 3
    assert "A full refresh" in json.dumps(view)
    assert len([b for b in view["blocks"] if b.get("block_id") in views_fields()]) <= 5


def views_fields() -> set[str]:
    return {"symptom", "cause", "fix", "needed", "follow_up"}


async def test_the_past_is_looked_up_once_a_minute(journal: FakeJournal, clock: FakeClock) -> None:
    journal.entries["i31"] = OLD
    recall = Recall(journal, lambda: BOOK)
    for _ in range(3):
        assert (await recall.of(incident(), clock)).seen.times == 3
    assert journal.looked == 1
    clock.advance(minutes=2)
    await recall.of(incident(), clock)
    assert journal.looked == 2


def test_the_message_tells_what_helped_the_last_time() -> None:
    known = scene(recalled=Recalled(SeenBefore(3, OLD)))
    for message in (root_message(known), page_message(known, ANA, None)):
        told = json.dumps(message, ensure_ascii=False)
        assert "Seen 3 times; last time (#31, " in told
        assert "Bo fixed it: “A full refresh”" in told
        assert problems(message, surface="message") == []
    written = scene(RESOLVED, recalled=Recalled(entry=OLD))
    assert "Bo wrote the journal" in json.dumps(root_message(written))


@pytest.mark.parametrize("what", ["answer", "list", "question", "waived", "reminder", "again",
                                  "trends",
                                  "root", "add", "write"])  # fmt: skip
def test_hostile_text_stays_text(what: str) -> None:
    bad = replace(OLD, told=replace(OLD.told, fix=HOSTILE), by=BO)
    waived = replace(PROMPT, state=PromptState.WAIVED, why=HOSTILE, by=HOSTILE)
    names, hostile = FakeNames(), incident(title=HOSTILE)
    template = BOOK.journal.template(None)
    made = {
        "answer": lambda: views.entry_answer(bad, CAUSES, names, NOW),
        "list": lambda: views.list_answer(Mrkdwn("Found"), [bad], NOW, more=True),
        "question": lambda: views.question(hostile, PROMPT, None, names),
        "waived": lambda: views.question(hostile, waived, None, names),
        "reminder": lambda: views.reminder(PROMPT, (), is_last=True, behind=None, names=names),
        "again": lambda: views.reminder(PROMPT, (), is_last=False, behind=bad, names=names),
        "trends": lambda: views.trends_answer([CauseCount("2026-11", HOSTILE, HOSTILE, 1)], CAUSES),
        "root": lambda: root_message(scene(recalled=Recalled(SeenBefore(2, bad)))),
        "add": lambda: views.add_modal(HOSTILE, 4, "{}"),
        "write": lambda: views.write_modal(hostile, bad, template, CAUSES, "{}"),
    }[what]()
    assert problems(made, surface="modal" if what in {"add", "write"} else "message") == []
    ours = re.compile(r"!date\^|https://(team\.slack|airflow|w)\.example")
    for text in _mrkdwn(made):
        assert all(ours.match(token) for token in re.findall(r"<([^>|]*)", text)), text
    json.dumps(made).encode()


def _mrkdwn(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [str(part["text"])] if part.get("type") == "mrkdwn" else []
        return own + [one for value in part.values() for one in _mrkdwn(value)]
    if isinstance(part, list):
        return [one for value in part for one in _mrkdwn(value)]
    return []
