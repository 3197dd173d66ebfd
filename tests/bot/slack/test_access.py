"""Elevated groups in Slack: who counts as who, what is asked, what is shown, what is refused."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.acts.access import (
    ApproveAccess,
    AskAccess,
    ExtendAccess,
    GiveBack,
    RefuseAccess,
    RevokeAccess,
    RevokeAll,
)
from bot.ports.access import ACCESS_TELL, Telling
from bot.ports.delivering import RetryLaterError
from bot.ports.jobs import Job, JobPriority
from bot.slack.commands import parse
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.slack.listeners import Listening
from bot.slack.replies import render_home
from bot.slack.text import md
from bot.slack.views import access as views
from bot.slack.vouching import APP, CLOSED, FOREIGN, GUEST, NO_ANSWER, NotVouchedError
from bot.slack.wishes import AskAccessForm, AskGrants, CommandError, Typist
from bot.wire import sentence_to_json
from bot.workspace.blockkit import problems
from bot.workspace.state import Workspace
from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup, AccessRules, Duty, Whom
from rules.priority import Priority
from rules.sentence import Who, say
from tests.bot.slack.samples import (
    ANA,
    BO,
    BOOK,
    CY,
    HOSTILE,
    NOW,
    ON_CALL,
    PEOPLE,
    FakeNames,
    scene,
)
from tests.bot.slack.samples import incident as an_incident
from tests.bot.slack.test_listeners import WHERE, acts, modal, submit, whispers
from tests.bot.slack.test_rota import harmless
from tests.fakes.grants import FakeAccess
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

NAMES = FakeNames()
HOUR = timedelta(hours=1)
TYPIST = Typist(by=ANA, now=NOW, zone="Europe/Berlin", people=PEOPLE, on_call=ON_CALL)
KEYS = AccessGroup(
    name="warehouse-admin",
    may_ask=Whom(on_call=(Duty("data"),)),
    approvers=Whom(people=(CY,)),
    break_glass=(Duty("data", "primary"),),
    owners=(CY,),
    propagation="up to 2 min",
)
READERS = AccessGroup(name="audit-readers", may_ask=Whom(people=(CY,)), longest=HOUR)
RULES = AccessRules(groups={KEYS.name: KEYS, READERS.name: READERS})
GRANT = Grant(
    id="a1b2c3", group=KEYS.name, person=ANA, account=ANA, origin=Origin.ASKED,
    state=GrantState.ACTIVE, requested_at=NOW, length=2 * HOUR, until=NOW + 2 * HOUR,
    active_since=NOW + timedelta(minutes=1), why="vacuum the orders table", incident=42,
)  # fmt: skip


@pytest.fixture
def access() -> FakeAccess:
    return FakeAccess(GRANT)


@pytest.fixture
def desk(desk: Desk, access: FakeAccess) -> Desk:
    book = replace(BOOK, access=RULES)
    return replace(desk, access=access, rulebook=lambda: book)


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("access", AskAccessForm()),
        ("access warehouse-admin", AskAccessForm("warehouse-admin")),
        ("access list", AskGrants()),
        ("access back a1b2c3", GiveBack(by=ANA, grant="a1b2c3")),
        ("access w 2h it is full", AskAccess(by=ANA, group="w", length=2 * HOUR, why="it is full")),
        ("access w 2h #42 it is full",
         AskAccess(by=ANA, group="w", length=2 * HOUR, why="it is full", incident=42)),
        ("access w #42 until 05:02 disk",
         AskAccess(by=ANA, group="w", length=HOUR, why="disk", incident=42)),
        ("access w shift to watch it", AskAccess(
            by=ANA, group="w", length=timedelta(0), why="to watch it", until_shift_ends=True)),
        ("revoke a1b2c3 not needed", RevokeAccess(by=ANA, grant="a1b2c3", why="not needed")),
        ("revoke all", RevokeAll(by=ANA)),
        ("revoke all w stolen laptop", RevokeAll(by=ANA, group="w", why="stolen laptop")),
    ],
)  # fmt: skip
def test_words_become_wishes(typed: str, wish: object) -> None:
    assert parse(typed, TYPIST).wish == wish


@pytest.mark.parametrize("typed", ["access w soon", "revoke", "access back", "access w 01:00x why"])
def test_what_cannot_be_read_says_what_to_write(typed: str) -> None:
    with pytest.raises(CommandError, match="Write `/oncall"):
        parse(typed, TYPIST)


# who counts as who


async def typed_by(desk: Desk, user: str) -> str:
    return await desk.directory.vouching.key_of(user)


async def test_an_id_of_the_configuration_or_the_checked_e_mail_is_who_they_are(
    desk: Desk, workspace: Workspace
) -> None:
    assert await typed_by(desk, "U0ANA001") == ANA
    workspace.users["U0CY0001"].email = "CY@Example.com"
    assert await typed_by(desk, "U0CY0001") == CY
    assert await typed_by(desk, "U0DEE001") == "slack:U0DEE001"


async def test_a_name_or_a_handle_makes_nobody_somebody_else(
    desk: Desk, workspace: Workspace
) -> None:
    """Cy's e-mail is not in Slack; somebody takes Cy's name and is found as Cy for pages."""
    workspace.users["U0CY0001"].email = "cy.haddad@example.com"
    eve = workspace.add_user(name="cyy", real_name="Cy", email="eve@example.com", id="U0EVE0001")
    workspace.users["U0CY0001"].real_name = workspace.users["U0CY0001"].name = "Cyrus"
    assert await desk.directory.user(CY) == eve.id
    assert desk.directory.key_of(eve.id) == CY
    assert await typed_by(desk, eve.id) == "eve@example.com"


@pytest.mark.parametrize(
    ("what", "why"),
    [({"guest": True}, GUEST), ({"is_bot": True}, APP), ({"deleted": True}, CLOSED),
     ({"team": "T0OTHER"}, FOREIGN)],
)  # fmt: skip
async def test_some_have_nothing_whoever_they_say_they_are(
    desk: Desk, workspace: Workspace, what: Mapping[str, Any], why: str
) -> None:
    for name, value in what.items():
        setattr(workspace.users["U0ANA001"], name, value)
    with pytest.raises(NotVouchedError, match=why[:20]):
        await typed_by(desk, "U0ANA001")


async def test_nothing_is_stored_while_slack_does_not_say_who_it_is(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    workspace.faults.add(method="users.info", kind="http_503", times=9)
    outcome = await workspace.command("ana", WHERE, "/oncall access warehouse-admin 1h disk")
    assert NO_ANSWER[:30] in str(outcome)
    assert inbox.deliveries == []


def forged(workspace: Workspace, user: str, **more: Any) -> AsyncBoltRequest:
    """An interaction whose every field but the id that Slack signs says that it is Cy."""
    me = {"id": user, "username": "cy", "name": "cy", "email": CY, "team_id": workspace.team_id}
    value = json.dumps({"grant": "a1b2c3", "by": CY})
    action = {"type": "button", "action_id": views.APPROVE, "block_id": "b", "value": value,
              "action_ts": "1.1", "by": CY, "user": {"id": "U0CY0001"}}  # fmt: skip
    body = {"type": "block_actions", "team": {"id": workspace.team_id}, "user": me, "by": CY,
            "user_id": "U0CY0001", "api_app_id": "A", "token": "t", "actions": [action],
            "state": {"values": {"by": {"by": {"value": CY}}}}, **more}  # fmt: skip
    return AsyncBoltRequest(body=json.dumps(body), mode="socket_mode")


async def test_only_the_signed_id_says_who_clicked(
    listening: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    await listening.app.async_dispatch(forged(workspace, "U0BO0001"))
    (stored,) = acts(inbox)
    assert isinstance(stored.act, ApproveAccess)
    assert stored.act.by == BO


async def test_a_form_says_nothing_of_who_sent_it(
    listening: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    values = {
        "group": {"group": {"selected_option": {"value": KEYS.name}}},
        "for": {"for": {"selected_option": {"value": "2h"}}},
        "why": {"why": {"value": "mine"}},
        "by": {"by": {"selected_user": "U0CY0001"}},
    }
    view = {"id": "V1", "type": "modal", "callback_id": views.FORM, "state": {"values": values},
            "private_metadata": json.dumps({"n": 42, "by": CY, "user": "U0CY0001"})}  # fmt: skip
    request = forged(workspace, "U0BO0001", type="view_submission", view=view, actions=[])
    await listening.app.async_dispatch(request)
    (stored,) = acts(inbox)
    assert stored.act == AskAccess(by=BO, group=KEYS.name, length=2 * HOUR, why="mine", incident=42)


async def test_an_incident_no_database_can_number_is_none(
    listening: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    chosen = {"group": KEYS.name, "for": "2h", "incident": "9" * 75}
    values: dict[str, Any] = {
        name: {name: {"selected_option": {"value": one}}} for name, one in chosen.items()
    }
    values["why"] = {"why": {"value": "mine"}}
    view = {"id": "V1", "type": "modal", "callback_id": views.FORM, "state": {"values": values}}
    request = forged(workspace, "U0BO0001", type="view_submission", view=view, actions=[])
    await listening.app.async_dispatch(request)
    (stored,) = acts(inbox)
    assert stored.act == AskAccess(by=BO, group=KEYS.name, length=2 * HOUR, why="mine", incident=0)


# asking


async def test_what_is_typed_is_stored_as_whom_slack_vouches_for(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    await workspace.command("bo", WHERE, "/oncall access warehouse-admin 2h disk is full")
    (stored,) = acts(inbox)
    assert stored.act == AskAccess(by=BO, group=KEYS.name, length=2 * HOUR, why="disk is full")


async def test_until_the_shift_ends_asks_for_the_longest(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    await workspace.command("bo", WHERE, "/oncall access warehouse-admin shift disk is full")
    (stored,) = acts(inbox)
    assert isinstance(stored.act, AskAccess)
    assert (stored.act.length, stored.act.until_shift_ends) == (KEYS.longest, True)


async def test_the_form_offers_what_one_may_have_and_explains_the_rest(
    line: Listening, desk: Desk, workspace: Workspace, inbox: FakeInbox, reader: FakeReader
) -> None:
    await workspace.command("bo", WHERE, "/oncall access")
    form = await modal(workspace, views.FORM, "U0BO0001")
    shown = json.dumps(form.payload)
    group = next(b for b in form.payload["blocks"] if b.get("block_id") == "group")
    assert [o["value"] for o in group["element"]["options"]] == [KEYS.name]
    assert "needs approval" in shown
    assert "up to 2 min" in shown
    assert "Only 1 named people may ask for audit-readers" in shown
    missing = await submit(workspace, form, {"why": " "})
    assert missing.field_errors == {"why": "Say why."}
    assert (await submit(workspace, form, {"why": "disk", "for": "2h"})).acked
    (stored,) = acts(inbox)
    assert stored.act == AskAccess(by=BO, group=KEYS.name, length=2 * HOUR, why="disk", incident=0)


async def test_the_button_of_a_grave_incident_opens_the_form_for_it(
    line: Listening, desk: Desk, reader: FakeReader, workspace: Workspace, inbox: FakeInbox,
    access: FakeAccess,
) -> None:  # fmt: skip
    access.held.clear()
    from tests.bot.slack.test_delivery import carry_out
    from tests.bot.slack.test_delivery import job as showing

    reader.put(an_incident().ack(ANA, NOW, None))
    await carry_out(desk, reader, showing("show"))
    (root,) = workspace.messages(WHERE)
    assert (await workspace.click("ana", WHERE, root.ts, views.ASK)).acked
    form = await modal(workspace, views.FORM)
    shown = json.dumps(form.payload)
    assert "no approval needed now: break-glass" in shown
    assert (await submit(workspace, form, {"why": "disk"})).acked
    (stored,) = acts(inbox)
    assert isinstance(stored.act, AskAccess)
    assert stored.act.incident == 42


def test_only_grave_incidents_that_somebody_has_offer_access_and_only_where_there_are_groups() -> (
    None
):
    from bot.slack.views.incident import root_message

    def offered(held: bool = True, **fields: Any) -> bool:
        book = replace(BOOK, access=fields.pop("access", RULES))
        at = an_incident(**fields)
        made = root_message(scene(at.ack(ANA, NOW, None) if held else at, book=book))
        (buttons,) = (b for b in made["blocks"] if b["type"] == "actions")
        assert sum(e["type"] == "button" for e in buttons["elements"]) <= 2
        assert problems(made, surface="message") == []
        return views.ASK in json.dumps(made)

    assert offered()
    assert not offered(held=False)
    assert not offered(priority=Priority.P3)
    assert not offered(access=AccessRules())


async def test_a_guest_gets_a_word_and_no_form(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    workspace.users["U0BO0001"].guest = True
    await workspace.command("bo", WHERE, "/oncall access")
    view = await modal(workspace, "trouble", "U0BO0001")
    assert GUEST in json.dumps(view.payload)
    await workspace.command("bo", WHERE, "/oncall access warehouse-admin 2h disk")
    assert inbox.deliveries == []


@pytest.mark.parametrize(
    ("action", "act"),
    [
        (views.APPROVE, ApproveAccess(by=CY, grant="a1b2c3")),
        (views.REFUSE, RefuseAccess(by=CY, grant="a1b2c3")),
        (views.EXTEND, ExtendAccess(by=CY, grant="a1b2c3")),
        (views.GIVE_BACK, GiveBack(by=CY, grant="a1b2c3")),
        (views.REVOKE, RevokeAccess(by=CY, grant="a1b2c3")),
    ],
)
async def test_a_click_is_stored_before_slack_is_told(
    line: Listening, desk: Desk, workspace: Workspace, inbox: FakeInbox, action: str, act: object
) -> None:
    button = {"type": "actions", "elements": [{"type": "button", "action_id": action,
              "value": "a1b2c3", "text": {"type": "plain_text", "text": "x"}}]}  # fmt: skip
    channel = workspace.conversation(WHERE).id
    _, ts = await desk.api.post(channel, {"text": "x", "blocks": [button]}, "k")
    assert (await workspace.click("cy", WHERE, ts, action)).acked
    assert [p.act for p in acts(inbox)] == [act]
    inbox.broken = True
    await workspace.click("cy", WHERE, ts, action)
    await workspace.until(lambda: whispers(workspace, "cy"))
    assert "could not save" in whispers(workspace, "cy")[-1]


async def test_who_has_what_is_listed_with_ones_own_to_give_back(
    line: Listening, workspace: Workspace
) -> None:
    for person, has_button in (("ana", True), ("bo", False)):
        outcome = await workspace.command(person, WHERE, "/oncall access list")
        assert (views.GIVE_BACK in str(workspace.messages(WHERE, viewer=person))) is has_button
        assert outcome.error is None or not outcome.error


# what is told


def telling(what: Telling, text: str, *, person: str = "", key: str = "1", unsure: bool = False,
            grant: str = "a1b2c3") -> Job:  # fmt: skip
    return Job(
        id="j", key=f"access:{grant}:{what}:{person}:{key}", kind=ACCESS_TELL, lane="",
        priority=JobPriority.PERSON, incident_id=f"access:{grant}",
        payload={"what": what.value, "grant": grant, "group": KEYS.name, "person": person,
                 "channel": "" if person else WHERE,
                 "sentence": sentence_to_json(say(text, who=Who(ANA)))},
        due_at=NOW, created_at=NOW, first_attempt_at=NOW if unsure else None,
        attempts=1, lease=1, leased_until=NOW + HOUR, revision=0, unsure=unsure,
    )  # fmt: skip


class Teller:
    """Delivers and remembers where messages stand, as the outbox does."""

    def __init__(self, desk: Desk, reader: FakeReader) -> None:
        self.desk, self.reader = desk, reader

    async def tell(self, what: Telling, text: str, **more: Any) -> None:
        job = telling(what, text, **more)
        done = await deliverers(self.desk)[ACCESS_TELL].deliver(job)
        self.reader.placed[job.incident_id].extend(done.messages)


@pytest.fixture
def teller(desk: Desk, reader: FakeReader) -> Teller:
    return Teller(desk, reader)


async def test_a_grant_is_told_with_its_times_and_buttons_and_older_messages_follow(
    teller: Teller, workspace: Workspace, access: FakeAccess
) -> None:
    access.put(GRANT.but(state=GrantState.GRANTING, active_since=None))
    await teller.tell(Telling.GRANTING, "You are being put into it.", person=ANA)
    access.put(GRANT)
    await teller.tell(Telling.ACTIVE, "It works.", person=ANA)
    first, second = workspace.messages("ana")
    assert views.GIVE_BACK not in json.dumps(first.blocks)
    assert views.GIVE_BACK in json.dumps(second.blocks)
    shown = json.dumps(second.blocks, ensure_ascii=False)
    assert all(word in shown for word in ("requested", "active since", "until", "up to 2 min"))
    await teller.tell(Telling.WARNING, "It ends in ten minutes.", person=ANA)
    third = workspace.messages("ana")[2]
    assert "Extend by 1 h" in json.dumps(third.blocks)
    access.put(GRANT.but(state=GrantState.ENDED, gone_since=NOW + 2 * HOUR))
    await teller.tell(Telling.ENDED, "You are out.", person=ANA)
    everything = workspace.messages("ana")
    assert all("access_" not in json.dumps(m.blocks) for m in everything)
    assert "gone since" in json.dumps(everything[3].blocks)
    assert all("ended" in m.text for m in everything[:3])


async def test_a_crash_between_post_and_commit_does_not_say_it_twice(
    teller: Teller, workspace: Workspace
) -> None:
    await teller.tell(Telling.ACTIVE, "It works.", person=ANA)
    teller.reader.placed.clear()
    await teller.tell(Telling.ACTIVE, "It works.", person=ANA, unsure=True)
    assert len(workspace.messages("ana")) == 1


async def test_an_edit_that_fails_after_the_post_does_not_say_it_twice(
    teller: Teller, workspace: Workspace
) -> None:
    await teller.tell(Telling.GRANTING, "You are being put into it.", person=ANA)
    workspace.faults.add(method="chat.update", kind="ratelimited")
    with pytest.raises(RetryLaterError) as trouble:
        await teller.tell(Telling.ACTIVE, "It works.", person=ANA)
    await teller.tell(Telling.ACTIVE, "It works.", person=ANA, unsure=trouble.value.unsure)
    assert len(workspace.messages("ana")) == 2


async def test_break_glass_stands_in_the_channel_until_it_is_over(
    teller: Teller, workspace: Workspace, access: FakeAccess
) -> None:
    access.put(GRANT.but(break_glass=True))
    await teller.tell(Telling.BREAK_GLASS, "🚨 Break-glass: {who} takes it.")
    (loud,) = workspace.messages(WHERE)
    assert loud.text == "🚨 Break-glass: Ana takes it."
    assert views.REVOKE in json.dumps(loud.blocks)
    access.put(GRANT.but(break_glass=True, state=GrantState.ENDED, gone_since=NOW + HOUR))
    await teller.tell(Telling.ENDED, "You are out.", person=ANA)
    (loud,) = workspace.messages(WHERE)
    shown = json.dumps(loud.blocks, ensure_ascii=False)
    assert loud.text.startswith("🔒 *Ana* · `warehouse-admin` for #42, break-glass · ended")
    assert "vacuum the orders table" in shown
    assert "gone since" in shown
    assert views.REVOKE not in shown


async def test_the_end_of_break_glass_is_told_once_where_it_was_told(
    teller: Teller, workspace: Workspace, access: FakeAccess
) -> None:
    access.put(GRANT.but(break_glass=True))
    await teller.tell(Telling.BREAK_GLASS, "🚨 Break-glass: {who} takes it.")
    access.put(GRANT.but(break_glass=True, state=GrantState.ENDED, gone_since=NOW + HOUR))
    await teller.tell(Telling.ENDED, "Break-glass is over: {who} is out of it.")
    (loud,) = workspace.messages(WHERE)
    assert "break-glass · ended" in loud.text
    teller.reader.placed.clear()
    await teller.tell(Telling.ENDED, "Break-glass is over: {who} is out of it.", key="unheard")
    assert [m.text for m in workspace.messages(WHERE)][1:] == [
        "🔒 Break-glass is over: Ana is out of it."
    ]


async def test_every_approver_who_was_asked_sees_who_answered(
    teller: Teller, workspace: Workspace, access: FakeAccess
) -> None:
    access.put(GRANT.but(state=GrantState.REQUESTED, asked=(BO, CY), active_since=None))
    await teller.tell(Telling.APPROVE, "{who} asks.", person=BO)
    await teller.tell(Telling.APPROVE, "{who} asks.", person=CY)
    assert views.APPROVE in json.dumps(workspace.messages("bo")[0].blocks)
    access.put(GRANT.but(state=GrantState.GRANTING, active_since=None))
    for person in (BO, CY):
        await teller.tell(Telling.ANSWERED, "Cy approved it for {who}.", person=person)
    for name in ("bo", "cy"):
        (message,) = workspace.messages(name)
        assert message.text == "Cy approved it for Ana."
        assert views.APPROVE not in json.dumps(message.blocks)
    await teller.tell(Telling.APPROVE, "{who} asks.", person=BO, key="late")
    assert len(workspace.messages("bo")) == 1


async def test_my_grants_and_what_waits_for_my_word_are_in_my_home(
    desk: Desk, access: FakeAccess
) -> None:
    waiting = GRANT.but(id="w", person=BO, state=GrantState.REQUESTED, asked=(CY, ANA))
    access.put(waiting)
    home = await render_home(desk, "U0ANA001")
    assert problems(home, surface="home") == []
    shown = json.dumps(home)
    assert "Give back now" in shown
    assert views.APPROVE in shown
    assert views.APPROVE not in json.dumps(await render_home(desk, "U0BO0001"))


@pytest.mark.parametrize("state", GrantState)
@pytest.mark.parametrize("what", Telling)
def test_every_message_is_shown_whatever_stands_in_it(what: Telling, state: GrantState) -> None:
    wild = GRANT.but(group=HOSTILE, person=HOSTILE, why=HOSTILE * 9, trouble=HOSTILE, state=state,
                     asked=(HOSTILE,), gone_since=NOW, id="x")  # fmt: skip
    group = replace(KEYS, name=HOSTILE, propagation=HOSTILE)
    harmless(views.told(what, md("{x}", x=HOSTILE), wild, group, NOW))
    harmless(views.told(what, md("{x}", x=HOSTILE), None, None, NOW))
    harmless(views.standing(what, wild, group, NAMES, NOW))
    harmless(views.grants_answer([wild] * 60, HOSTILE, NAMES, NOW))
    assert problems({"type": "home", "blocks": views.home_blocks([wild.but(id=f"x{n}") for n in range(9)], HOSTILE, NAMES, NOW)},
                    surface="home") == []  # fmt: skip


def test_the_form_keeps_slacks_limits_whatever_the_groups_are_called() -> None:
    many = [replace(KEYS, name=f"{n}{HOSTILE}") for n in range(120)]
    closed = views.Choice(replace(KEYS, name=HOSTILE), md("{x}", x=HOSTILE * 9))
    choices = [*(views.Choice(one) for one in many), *[closed] * 40]
    incidents = [an_incident(number=n, title=HOSTILE) for n in range(1, 60)]
    made = views.access_modal(choices, incidents, "{}", incident=3)
    assert problems(made, surface="modal") == []
    assert problems(views.access_modal([closed], [], "{}"), surface="modal") == []
