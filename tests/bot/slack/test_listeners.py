import json
from datetime import timedelta

import pytest

from bot.acts.act import ActPayload, EndSilence, MakeSilence, OnIncident, OpenByHand, act_from_json
from bot.acts.roster import MakeOverride
from bot.ports.store import TimelineEntry
from bot.slack.clicks import EVENTS
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.slack.listeners import Listening
from bot.workspace.model import Message, Outcome, View
from bot.workspace.state import Workspace
from rules.matching.matcher import matcher
from rules.sentence import Who, say
from rules.silence import Silence
from tests.bot.slack.samples import ANA, BO, CY, NOW, incident
from tests.bot.slack.test_delivery import REASON, carry_out, job
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

WHERE = "data-alerts"


def acts(inbox: FakeInbox) -> list[ActPayload]:
    assert all(d.source == "@slack" for d in inbox.deliveries)
    return [act_from_json(d.body) for d in inbox.deliveries]


@pytest.fixture
async def root(desk: Desk, reader: FakeReader, workspace: Workspace) -> Message:
    await carry_out(desk, reader, job("show"))
    return workspace.messages(WHERE)[0]


async def modal(workspace: Workspace, callback: str, user: str = "U0ANA001") -> View:
    """The modal on top of what a person sees, once it is filled."""

    def found() -> list[View]:
        stack = [workspace.views[v] for v in workspace.stacks.get(user, [])]
        return [v for v in stack[-1:] if v.payload["callback_id"] == callback]

    await workspace.until(found)
    return found()[0]


def whispers(workspace: Workspace, user: str = "ana") -> list[str]:
    return [m.text for m in workspace.messages(WHERE, viewer=user) if m.only_for]


async def test_a_click_is_stored_and_acknowledged(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    outcome = await workspace.click("ana", WHERE, root.ts, "ack")
    assert outcome.acked
    (payload,) = acts(inbox)
    assert payload.act == OnIncident(number=42, event="acked", by=ANA)
    assert payload.answer_to.user == "U0ANA001"
    assert payload.answer_to.quiet
    assert payload.answer_to.response_url.startswith("http")


@pytest.mark.parametrize("word", ["escalate"])
async def test_a_menu_item_is_stored_like_a_button(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox, word: str
) -> None:
    outcome = await workspace.select_overflow("bo", WHERE, root.ts, "overflow", f"{word}:42")
    assert outcome.acked
    assert acts(inbox)[0].act == OnIncident(number=42, event=EVENTS[word], by=BO)


async def test_two_people_clicking_at_once_are_two_acts(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    await workspace.click("ana", WHERE, root.ts, "ack")
    await workspace.click("bo", WHERE, root.ts, "ack")
    assert [p.act.by for p in acts(inbox)] == [ANA, BO]


async def test_a_click_that_could_not_be_stored_says_so(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    inbox.broken = True
    assert (await workspace.click("ana", WHERE, root.ts, "ack")).acked
    await workspace.until(lambda: whispers(workspace))
    assert "could not save" in whispers(workspace)[0]


async def test_a_dead_button_answers(
    line: Listening, workspace: Workspace, desk: Desk, inbox: FakeInbox
) -> None:
    channel = workspace.conversation(WHERE).id
    old = [
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "from_last_year", "value": "1",
                 "text": {"type": "plain_text", "text": "Old"}}
            ],
        }
    ]  # fmt: skip
    _, ts = await desk.api.post(channel, {"text": "old", "blocks": old}, "old")
    assert (await workspace.click("ana", WHERE, ts, "from_last_year")).acked
    await workspace.until(lambda: whispers(workspace))
    assert "from another version" in whispers(workspace)[0]
    assert inbox.deliveries == []


async def test_still_on_it_is_thanked_in_place(
    line: Listening, desk: Desk, reader: FakeReader, workspace: Workspace, inbox: FakeInbox
) -> None:
    reader.put(incident().ack(ANA, NOW, None))
    await carry_out(desk, reader, job("ask_acker", payload={"person": ANA}))
    (asked,) = workspace.messages("ana")
    await workspace.click("ana", workspace.dm("ana").id, asked.ts, "ack_confirm")
    assert acts(inbox)[0].act == OnIncident(number=42, event="ack_confirmed", by=ANA)
    await workspace.until(lambda: workspace.messages("ana")[0].text.startswith("Thanks"))


async def submit(workspace: Workspace, view: View, values: dict[str, str]) -> Outcome:
    """Fill in the fields, which are named as their blocks, and send."""
    return await workspace.submit(view.id, {name: {name: v} for name, v in values.items()})


async def open_form(workspace: Workspace, root: Message, word: str, callback: str) -> View:
    outcome = await workspace.select_overflow("ana", WHERE, root.ts, "overflow", f"{word}:42")
    assert outcome.acked
    return await modal(workspace, callback)


async def test_snoozing_for_a_time_and_until_a_time(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    view = await open_form(workspace, root, "snooze", "snooze")
    assert (await submit(workspace, view, {"for": "4h"})).acked
    view = await open_form(workspace, root, "snooze", "snooze")
    wrong = await submit(workspace, view, {"until": "noonish"})
    assert "is not a time" in wrong.field_errors["until"]
    await submit(workspace, view, {"until": "09:00"})
    assert [p.act.until for p in acts(inbox)] == [  # type: ignore[union-attr]
        NOW + timedelta(hours=4),
        NOW.replace(hour=8, minute=0),  # 09:00 in Berlin, where Ana lives
    ]
    assert workspace.stacks == {}


async def test_reassigning_and_looping_in(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    view = await open_form(workspace, root, "reassign", "reassign")
    await submit(workspace, view, {"person": "U0BO0001"})
    timeline = await open_form(workspace, root, "timeline", "timeline")
    await workspace.click_view(timeline.id, "page")
    view = await modal(workspace, "loop_in")
    await submit(workspace, view, {"person": "U0DEE001"})
    assert [p.act for p in acts(inbox)] == [
        OnIncident(number=42, event="reassigned", by=ANA, person=BO),
        OnIncident(number=42, event="looped_in", by=ANA, person="slack:U0DEE001"),
    ]


async def test_the_timeline_tells_what_will_happen_and_leads_on(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox, reader: FakeReader
) -> None:
    view = await open_form(workspace, root, "timeline", "timeline")
    shown = json.dumps(view.payload["blocks"], ensure_ascii=False)
    assert "What happens next" in shown
    assert "Paging Bo, step 2" in shown
    assert "Paging Cy, step 3" in shown
    await workspace.click_view(view.id, "resolve_note")
    note = await modal(workspace, "resolve_note")
    await submit(workspace, note, {"note": "restarted <it>"})
    (payload,) = acts(inbox)
    assert payload.act == OnIncident(number=42, event="resolved", by=ANA, note="restarted <it>")
    assert payload.answer_to.channel == workspace.conversation(WHERE).id


async def test_a_silence_is_previewed_before_it_is_made(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox, reader: FakeReader
) -> None:
    for n in range(4):
        team = "finance" if n else "ops"
        reader.labels.append((NOW, {"team": team, "title": f"alert {n} <!here>", "source": "a"}))
    timeline = await open_form(workspace, root, "timeline", "timeline")
    await workspace.click_view(timeline.id, "silence")
    view = await modal(workspace, "silence")
    assert view.payload["blocks"][0]["element"]["initial_value"].startswith("source=airflow team=")
    await workspace.click_view(view.id, "matchers", "team=finance")

    def preview() -> str:
        return str(workspace.view(view.id).payload["blocks"][1]["text"]["text"])

    await workspace.until(lambda: "Would have caught *3* of the last 4 alerts" in preview())
    assert "<!here>" not in preview()
    bad = await submit(
        workspace, view, {"matchers": "team=~(", "until": "2h", "why": "planned work"}
    )
    assert "not a regular expression" in bad.field_errors["matchers"]
    await submit(
        workspace, view, {"matchers": "team=finance", "until": "2h", "why": "planned work"}
    )
    assert acts(inbox)[0].act == MakeSilence(
        by=ANA, matchers="team=finance", until=NOW + timedelta(hours=2), why="planned work"
    )


async def test_a_form_that_could_not_be_stored_keeps_what_was_typed(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    view = await open_form(workspace, root, "reassign", "reassign")
    inbox.broken = True
    outcome = await submit(workspace, view, {"person": "U0BO0001"})
    assert "could not save" in outcome.field_errors["person"]


async def test_a_message_becomes_an_incident(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    said = workspace.type_text("bo", WHERE, "orders < 5\nsince 02:00 & still")
    assert (await workspace.shortcut("ana", "create_incident", said)).acked
    view = await modal(workspace, "open_by_hand")
    await submit(workspace, view, {})
    assert acts(inbox)[0].act == OpenByHand(
        by=ANA, title="orders < 5", description="orders < 5\nsince 02:00 & still",
        rotation="data",
    )  # fmt: skip
    assert (await workspace.shortcut("ana", "page_someone")).acked
    view = await modal(workspace, "open_by_hand")
    await submit(workspace, view, {"title": "help", "person": "U0BO0001"})
    assert acts(inbox)[1].act == OpenByHand(by=ANA, title="help", person=BO)


@pytest.mark.parametrize("name", ["made_up", "retired"])
async def test_unknown_shortcuts_and_commands_answer(
    line: Listening, workspace: Workspace, name: str
) -> None:
    assert (await workspace.shortcut("ana", name)).acked
    await workspace.until(lambda: workspace.messages("ana"))
    assert "from another version" in workspace.messages("ana")[0].text
    assert (await workspace.command("ana", WHERE, f"/{name} now")).acked
    assert "is not one of mine" in whispers(workspace)[-1]


async def typed(workspace: Workspace, text: str, user: str = "ana") -> str:
    before = len(whispers(workspace, user))
    outcome = await workspace.command(user, WHERE, f"/oncall {text}")
    assert outcome.acked
    assert outcome.error is None
    said = whispers(workspace, user)[before:]
    blocks = [m.blocks for m in workspace.messages(WHERE, viewer=user) if m.only_for][before:]
    return "\n".join(said) + json.dumps(blocks, ensure_ascii=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "What /oncall can do"),
        ("help", "`/oncall ack &lt;n|all&gt;` you take it; paging stops"),
        ("who", "primary: Ana until"),
        ("who data at fri 09:00", "On call"),
        ("next 2", "Bo, primary of data"),
        ("list", "*P2 #42* daily_orders.load failed (triggered"),
        ("list mine", "Nothing is yours."),
        ("show 42", "Ack within 3 min or Bo is paged."),
        ("show 7", "There is no incident #7."),
        ("explain 42", "Whole timeline…"),
        ("silences", "Nothing is silenced."),
        ("ak 42", "Did you mean `/oncall ack &lt;n|all&gt;`?"),
        ("journal", "The journal is empty"),
        ("load", "Load of all rotations"),
    ],
)
async def test_questions_are_answered_at_once(
    line: Listening, workspace: Workspace, text: str, said: str
) -> None:
    assert said in await typed(workspace, text)


async def test_typed_acts_are_stored_and_answered_later(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    for text in ("ack 42", "take 2h", "test", "page @bo the disk is full", "assign 42 Cy"):
        assert await typed(workspace, text) == "[]"
    ack, take, test, page, assign = (p.act for p in acts(inbox))
    assert ack == OnIncident(number=42, event="acked", by=ANA)
    assert isinstance(take, MakeOverride)
    assert isinstance(test, OpenByHand)
    assert test.person == ANA
    assert page == OpenByHand(by=ANA, title="the disk is full", person=BO)
    assert assign == OnIncident(number=42, event="reassigned", by=ANA, person=CY)
    inbox.broken = True
    assert "could not save" in await typed(workspace, "ack 42")


async def test_direct_messages_and_mentions_know_the_same_words(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    workspace.type_text("ana", workspace.dm("ana").id, "who")
    await workspace.until(lambda: len(workspace.messages("ana")) == 2)
    assert "On call now:" in workspace.messages("ana")[-1].text
    asked = workspace.say("bo", WHERE, f"<@{workspace.bot_user_id}> ack 42")
    await workspace.until(lambda: inbox.deliveries)
    assert acts(inbox)[0].act == OnIncident(number=42, event="acked", by=BO)
    workspace.say("bo", WHERE, f"<@{workspace.bot_user_id}> whoo", asked.ts)
    await workspace.until(lambda: len(workspace.messages(WHERE)) == 3)
    reply = workspace.messages(WHERE)[-1]
    assert reply.thread_ts == asked.ts
    assert "Did you mean" in reply.text


async def test_home_opens_lists_and_acts(
    line: Listening, workspace: Workspace, inbox: FakeInbox, reader: FakeReader
) -> None:
    finance = (matcher("team", "=", "finance"),)
    reader.muting.append(Silence("s1", finance, NOW, NOW + timedelta(hours=1), BO, "work"))
    await workspace.open_home("ana")
    await workspace.until(lambda: "U0ANA001" in workspace.homes)
    home = workspace.homes["U0ANA001"]
    await workspace.click_view(home.id, "end_silence")
    assert acts(inbox)[0].act == EndSilence(by=ANA, silence_id="s1")
    for button, callback in [
        ("home_page", "open_by_hand"),
        ("home_create", "open_by_hand"),
        ("home_silence", "silence"),
        ("home_take", "override"),
        ("show", "timeline"),
    ]:
        assert (await workspace.click_view(home.id, button)).acked
        view = await modal(workspace, callback)
        await workspace.close_view(view.id)
    calls = len([c for c in workspace.calls if c.method == "views.publish"])
    await workspace.click_view(home.id, "home_refresh")
    await workspace.until(
        lambda: len([c for c in workspace.calls if c.method == "views.publish"]) > calls
    )


async def test_taking_over_from_a_form(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    await workspace.open_home("bo")
    await workspace.until(lambda: "U0BO0001" in workspace.homes)
    await workspace.click_view(workspace.homes["U0BO0001"].id, "home_take")
    view = await modal(workspace, "override", "U0BO0001")
    wrong = await submit(workspace, view, {"from": "18:00", "to": "someday"})
    assert "to" in wrong.field_errors
    await submit(workspace, view, {"from": "now", "to": "2h"})
    assert acts(inbox)[0].act == MakeOverride(
        by=BO, person=BO, rotation="data", role="primary", starts_at=NOW,
        ends_at=NOW + timedelta(hours=2),
    )  # fmt: skip


async def test_slack_refusing_a_modal_is_told_to_the_person(
    line: Listening, root: Message, workspace: Workspace
) -> None:
    workspace.faults.add(method="views.open", kind="error", error="expired_trigger_id")
    assert (await workspace.select_overflow("ana", WHERE, root.ts, "overflow", "snooze:42")).acked
    await workspace.until(lambda: whispers(workspace))
    assert "Slack waited too long: click again" in whispers(workspace)[0]


async def test_a_page_is_acknowledged_from_the_direct_message(
    line: Listening, desk: Desk, reader: FakeReader, workspace: Workspace, inbox: FakeInbox
) -> None:
    page = job("page", payload={"person": CY, "reason": REASON})
    await deliverers(desk)["page"].deliver(page)
    (message,) = workspace.messages("cy")
    await workspace.click("cy", workspace.dm("cy").id, message.ts, "ack")
    assert acts(inbox)[0].act == OnIncident(number=42, event="acked", by=CY)


async def test_no_question_waits_for_slack(
    line: Listening, workspace: Workspace, reader: FakeReader
) -> None:
    reader.put(incident().ack("slack:U0DEE001", NOW, None))
    for text in ("show 42", "explain 42", "list", "who"):
        await typed(workspace, text)
    asked = [call.args.get("user") for call in workspace.calls if call.method == "users.info"]
    assert "U0DEE001" not in asked


async def test_what_an_explanation_leaves_out_is_a_click_away(
    line: Listening, workspace: Workspace
) -> None:
    assert "What happens next" not in await typed(workspace, "explain 42")
    (answer,) = [m for m in workspace.messages(WHERE, viewer="ana") if m.only_for]
    await workspace.click("ana", answer.channel, answer.ts, "timeline")
    view = await modal(workspace, "timeline")
    assert "What happens next" in json.dumps(view.payload["blocks"])


async def test_strangers_in_a_timeline_have_names(
    line: Listening, root: Message, workspace: Workspace, reader: FakeReader
) -> None:
    took = say("{who} took it.", who=Who("slack:U0DEE001"))
    reader.lines["i42"].append(TimelineEntry(at=NOW, what="acked", sentence=took))
    view = await open_form(workspace, root, "timeline", "timeline")
    assert "Dee took it." in json.dumps(view.payload["blocks"], ensure_ascii=False)
