"""Clicks on what is not so any more: another has it, it is over, or the form was sent before."""

import pytest

from bot.acts.act import OnIncident
from bot.slack.desk import Desk
from bot.slack.listeners import Listening
from bot.workspace.state import Workspace
from rules.incident import Incident
from tests.bot.slack.samples import ANA, BO, NOW, incident
from tests.bot.slack.test_delivery import carry_out, job
from tests.bot.slack.test_listeners import acts, modal, submit
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

BOS = incident().ack(BO, NOW, None)


async def answered(
    desk: Desk, reader: FakeReader, workspace: Workspace, now: Incident, word: str
) -> str:
    """What stands in place of "Still on it?" when Ana clicks after things went on."""
    reader.put(incident().ack(ANA, NOW, None))
    await carry_out(desk, reader, job("ask_acker", payload={"person": ANA}))
    (asked,) = workspace.messages("ana")
    reader.put(now)
    await workspace.click("ana", workspace.dm("ana").id, asked.ts, word)
    await workspace.until(lambda: "Still on" not in workspace.messages("ana")[0].text)
    assert "still:" not in str(workspace.messages("ana")[0].blocks)
    return workspace.messages("ana")[0].text


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (BOS, "*Acknowledged* by Bo"),
        (incident(), "*Triggered.*"),
        (incident().resolve(BO, NOW), "*Resolved* by Bo"),
    ],
)
async def test_who_says_they_are_on_it_hears_that_they_are_not(
    line: Listening, desk: Desk, reader: FakeReader, workspace: Workspace, inbox: FakeInbox,
    now: Incident, said: str,
) -> None:  # fmt: skip
    text = await answered(desk, reader, workspace, now, "ack_confirm")
    assert text.startswith("You do not have *P2 #42* daily_orders.load failed now.")
    assert said in text


async def test_the_question_hands_back_its_own_acknowledgement_alone(
    line: Listening, desk: Desk, reader: FakeReader, workspace: Workspace, inbox: FakeInbox
) -> None:
    assert "Acknowledged* by Bo" in await answered(desk, reader, workspace, BOS, "unack")
    assert acts(inbox)[0].act == OnIncident(number=42, event="unacked", by=ANA, person=ANA)


@pytest.mark.parametrize(
    ("button", "first", "second"),
    [
        ("home_page", {"title": "x", "person": "U0BO0001"}, {"title": "x", "person": "U0CY0001"}),
        ("home_take", {"from": "now", "to": "2h"}, {"from": "now", "to": "4h"}),
    ],
)
async def test_another_answer_in_a_form_that_slack_left_open_is_another_wish(
    line: Listening, workspace: Workspace, inbox: FakeInbox, clock: FakeClock, button: str,
    first: dict[str, str], second: dict[str, str],
) -> None:  # fmt: skip
    await workspace.open_home("ana")
    await workspace.until(lambda: "U0ANA001" in workspace.homes)
    await workspace.click_view(workspace.homes["U0ANA001"].id, button)
    view = await modal(workspace, {"home_page": "open_by_hand", "home_take": "override"}[button])
    for answer in (first, first, second):
        assert (await submit(workspace, view, answer)).acked
        clock.advance(seconds=4)
        workspace.views[view.id], workspace.stacks["U0ANA001"] = view, [view.id]
    assert len(acts(inbox)) == 2


async def test_handing_back_is_answered_in_place(
    line: Listening, desk: Desk, reader: FakeReader, workspace: Workspace, inbox: FakeInbox
) -> None:
    mine = incident().ack(ANA, NOW, None)
    said = await answered(desk, reader, workspace, mine, "unack")
    assert said == "You hand #42 back: it pages again."
