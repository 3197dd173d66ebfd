"""Clicks on what is not so any more: another has it, it is over, or the form was sent before."""

from dataclasses import replace

import pytest

from bot.acts.act import OnIncident
from bot.ports.inbox import NotStoredError
from bot.slack.clicks import Clicks
from bot.slack.desk import Desk
from bot.slack.intake import Intake, Running
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


class AwayReader(FakeReader):
    """A database that has just gone."""

    async def incident_numbered(self, number: int) -> Incident | None:
        raise NotStoredError(f"#{number} cannot be read")


async def test_a_click_that_is_stored_is_no_failure_though_its_answer_is(
    desk: Desk, inbox: FakeInbox
) -> None:
    async def ack() -> None:
        assert len(acts(inbox)) == 1

    click = {"action_id": "ack_confirm", "block_id": "still:42", "value": "42", "action_ts": "1.0"}
    body = {"user": {"id": "U0ANA001"}, "response_url": "http://127.0.0.1:9/x", "actions": [click]}
    away = Intake(inbox, replace(desk, reader=AwayReader()), Running())
    await Clicks(away).event(ack, body)
    await Clicks(Intake(inbox, desk, Running())).event(ack, body)  # nobody listens there


async def test_handing_back_is_answered_in_place(
    line: Listening, desk: Desk, reader: FakeReader, workspace: Workspace, inbox: FakeInbox
) -> None:
    mine = incident().ack(ANA, NOW, None)
    said = await answered(desk, reader, workspace, mine, "unack")
    assert said == "You hand #42 back: it pages again."
