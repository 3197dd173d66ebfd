"""Cover, swaps, overrides and loads in Slack: what is shown, what is stored, what is refused."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.acts.roster import (
    ApplyProposal,
    AskCover,
    AskSwap,
    DrawLoad,
    EndOverride,
    Handover,
    MakeOverride,
    OnCover,
    OnSwap,
)
from bot.ports.jobs import Job, JobPriority
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.commands import parse
from bot.slack.delivery import deliverers
from bot.slack.desk import Desk
from bot.slack.listeners import Listening
from bot.slack.reasons import why_blocks
from bot.slack.rota import loads
from bot.slack.views import rota as views_rota
from bot.slack.wishes import AskLoad, CommandError, Typist
from bot.wire import sentence_to_json
from bot.workspace.blockkit import problems
from bot.workspace.state import Workspace
from rules.people import People, Person
from rules.rotation import OnCall, Span
from rules.schedule.covering import CoverRequest, CoverState
from rules.schedule.evening_out import Move, Proposal
from rules.schedule.held import Slot
from rules.schedule.roster import (
    Away,
    Override,
    OverrideKind,
    RotationPlan,
    Schedule,
    Shift,
    plans_of,
)
from rules.schedule.swapping import SwapRequest, SwapState
from rules.sentence import Who, say
from tests.bot.slack.samples import ANA, BO, CY, HOSTILE, NOW, ON_CALL, PEOPLE, FakeNames
from tests.bot.slack.test_listeners import WHERE, acts, modal, submit, whispers
from tests.bot.slack.test_views import MARKUP, OUR_LINKS, _mrkdwn
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

NAMES = FakeNames()
DAY = timedelta(days=1)
MINE = Slot(rotation="data", role="primary", starts_at=NOW - DAY, ends_at=NOW + 4 * DAY)
THEIRS = Slot(rotation="data", role="primary", starts_at=NOW + 4 * DAY, ends_at=NOW + 9 * DAY)
TYPIST = Typist(by=ANA, now=NOW, zone="Europe/Berlin", people=PEOPLE, on_call=ON_CALL)
REQUEST = CoverRequest(
    id="c1", slot=THEIRS, person=BO, asked_at=NOW, expires_at=THEIRS.starts_at, channel=WHERE
)
SWAP = SwapRequest(
    id="s1", asker=BO, other=ANA, mine=THEIRS,
    theirs=replace(THEIRS, role="secondary"), asked_at=NOW,
)  # fmt: skip


def override(**more: object) -> MakeOverride:
    usual = MakeOverride(by=ANA, person=BO, rotation="data", role="primary", starts_at=NOW,
                         ends_at=NOW + timedelta(hours=2))  # fmt: skip
    return replace(usual, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("override add @bo now 2h data", override(how=OverrideKind.ADD)),
        ("override remove me now 2h data", override(person=ANA, how=OverrideKind.REMOVE)),
        (
            "override @bo instead of @ana now 2h",
            override(how=OverrideKind.REPLACE, instead_of=ANA),
        ),
        ("cover", AskCover(by=ANA, slot=MINE)),
        ("cover data", AskCover(by=ANA, slot=MINE)),
        (
            "cover now 2h data/primary",
            AskCover(by=ANA, slot=replace(MINE, starts_at=NOW, ends_at=NOW + DAY / 12)),
        ),
        ("swap today @bo", AskSwap(by=ANA, other=BO, mine=MINE, theirs=THEIRS)),
        ("swap 2026-11-24 for @bo 2026-11-28",
         AskSwap(by=ANA, other=BO, mine=MINE, theirs=THEIRS)),
        ("trade mon with @bo fri", AskSwap(by=ANA, other=BO, mine=MINE, theirs=THEIRS)),
        ("swap today sun the dentist calls",
         AskSwap(by=ANA, other=BO, mine=MINE, theirs=THEIRS, why="the dentist calls")),
        ("load data", AskLoad("data")),
        ("load", AskLoad()),
    ],
)  # fmt: skip
def test_words_become_wishes(typed: str, wish: object) -> None:
    assert parse(typed, TYPIST).wish == wish


@pytest.mark.parametrize(
    ("day", "names"), [("sun", ["Sunita Rao"]), ("sun", ["Sun Li", "Sunny"]), ("Sat", ["Satoshi"])]
)
def test_a_day_is_no_beginning_of_a_colleague_s_name(day: str, names: list[str]) -> None:
    others = [Person(f"{n}@example.com", name, "", f"U{n}") for n, name in enumerate(names)]
    typist = replace(TYPIST, people=People([*PEOPLE, *others]))
    wish = parse(f"swap today {day}", typist).wish
    assert wish == AskSwap(by=ANA, other=BO, mine=MINE, theirs=THEIRS)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("override add @bo instead of @ana now 2h", "Say either add or remove"),
        ("override @bo instead of", "Say who."),
        ("override @bo now now data", "must end after it starts"),
        ("cover ml", "ml"),
        ("swap next @bo", "You have no shift then."),
        ("swap today @cy", "Cy has no shift then."),
        ("swap today 2027-06-01", "Nobody else has a shift then."),
        ("load dta", 'Did you mean "data"'),
    ],
)
def test_what_cannot_be_read_says_what_to_write(typed: str, said: str) -> None:
    with pytest.raises(ValueError, match="Write `/oncall") as refused:
        parse(typed, TYPIST)
    assert said in str(refused.value)


def harmless(made: Json) -> None:
    assert problems(made, surface="message") == []
    for part in _mrkdwn(made):
        for token in MARKUP.findall(part):
            assert token.startswith(("!date^", *OUR_LINKS)), token


@pytest.mark.parametrize("state", CoverState)
def test_a_request_of_every_state_is_shown_whatever_stands_in_it(state: CoverState) -> None:
    slot = replace(THEIRS, rotation=HOSTILE, role=HOSTILE)
    shown = replace(REQUEST, slot=slot, person=HOSTILE, why=HOSTILE * 9, state=state,
                    taken_by=HOSTILE, override_id="o1")  # fmt: skip
    for now in (NOW, THEIRS.ends_at):
        harmless(views_rota.cover_message(shown, NAMES, now))
    harmless(views_rota.cover_again(shown, NAMES, NOW))
    harmless(views_rota.nobody_took_it(shown, NOW))


@pytest.mark.parametrize("state", SwapState)
@pytest.mark.parametrize("person", [ANA, BO, CY])
def test_a_swap_of_every_state_shows_each_their_own_buttons(state: SwapState, person: str) -> None:
    swap = replace(SWAP, state=state, why=HOSTILE, closed_by=BO)
    made = views_rota.swap_message(swap, person, NAMES, NOW)
    harmless(made)
    offered = {e["action_id"] for b in made["blocks"] for e in b.get("elements", ())}
    wanted: dict[tuple[SwapState, str], set[str]] = {
        (SwapState.ASKED, ANA): {"swap_accept", "swap_decline"},
        (SwapState.ASKED, BO): {"swap_withdraw"},
        (SwapState.ACCEPTED, BO): {"swap_withdraw"},
        (SwapState.ACCEPTED, CY): {"swap_approve", "swap_refuse"},
        (SwapState.APPLIED, ANA): {"swap_withdraw"},
        (SwapState.APPLIED, BO): {"swap_withdraw"},
    }
    assert offered == wanted.get((state, person), set())


def test_values_of_buttons_are_read_back_and_nothing_else_is() -> None:
    whole = replace(MINE, starts_at=NOW.replace(second=0), ends_at=NOW + DAY)
    assert views_rota.slot_of_value(views_rota.slot_value(whole)) == whole
    moves = [Move(slot=whole, giver=ANA, taker=BO, reason=say("x"))] * 60
    value = loads.proposal_value(Proposal(moves=tuple(moves), before=0.5, after=0.9))
    assert len(value) <= 2000
    act = loads.proposal_of(value, CY)
    assert act is not None
    assert act.rows[0] == Handover(slot=whole, person=BO, instead_of=ANA)
    for junk in ("", "{}", "[1]", "[[1,2]]", '["a","b",1e99,2]', None, "[]"):
        assert views_rota.slot_of_value(junk) is None
        assert loads.proposal_of(junk, CY) is None
        assert loads.asked_of(junk) is None


@pytest.mark.parametrize("text", ["cover", "cover data", "swap next @bo"])
def test_a_shift_without_an_end_is_not_given_away_whole(text: str) -> None:
    ahead = [
        Span(NOW + n * 7 * DAY, NOW + (n + 1) * 7 * DAY, "data", role, (who,))
        for n in range(1, 30)
        for role, who in (("primary", ANA), ("secondary", BO))
    ]
    endless = OnCall(ahead, known_until=NOW + 200 * DAY)
    with pytest.raises(CommandError, match="so that shift has no end"):
        parse(text, replace(TYPIST, on_call=endless))


def test_whatever_is_applied_is_shown(desk: Desk) -> None:
    reason = say("{giver} carries {high} of a fair share.", giver=Who(ANA), high="x" * 300)
    moves = tuple(
        Move(slot=replace(MINE, starts_at=NOW + n * DAY, ends_at=NOW + (n + 1) * DAY), giver=ANA,
             taker=BO, reason=reason)
        for n in range(12)
    )  # fmt: skip
    shown = loads._proposed(desk, Proposal(moves=moves, before=0.5, after=0.9), NOW)
    assert problems({"text": "x", "blocks": shown}, surface="message") == []
    assert json.dumps(shown).count("instead of") == 12
    assert "Apply 12 changes" in json.dumps(shown)


async def posted(desk: Desk, workspace: Workspace, body: Json) -> str:
    _, ts = await desk.api.post(workspace.conversation(WHERE).id, body, "k")
    return ts


@pytest.mark.parametrize(
    ("action", "act"),
    [
        ("cover_accept", OnCover(by=ANA, request_id="c1", what="accept")),
        ("cover_again", OnCover(by=ANA, request_id="c1", what="again")),
        ("cover_withdraw", OnCover(by=ANA, request_id="c1", what="withdraw")),
    ],
)
async def test_clicks_on_a_request_are_stored(
    line: Listening, desk: Desk, workspace: Workspace, inbox: FakeInbox, action: str, act: OnCover
) -> None:
    ts = await posted(desk, workspace, views_rota.cover_message(REQUEST, NAMES, NOW))
    assert (await workspace.click("ana", WHERE, ts, action)).acked
    assert [p.act for p in acts(inbox)] == [act]


@pytest.mark.parametrize("kind", ["show_swap", "remind_swap"])
@pytest.mark.parametrize(
    ("person", "state", "warned"),
    [
        (ANA, SwapState.ASKED, True),
        (BO, SwapState.ASKED, False),  # who asks has had it in the answer
        (CY, SwapState.ACCEPTED, True),
        (ANA, SwapState.ACCEPTED, False),
        (ANA, SwapState.APPLIED, False),
    ],
)
async def test_who_must_decide_a_swap_is_told_what_it_brings(
    desk: Desk, workspace: Workspace, kind: str, person: str, state: SwapState, warned: bool
) -> None:
    shifts = tuple(
        Shift(rotation="data", role=role, start=THEIRS.starts_at, end=THEIRS.ends_at, people=(who,))
        for role, who in (("primary", BO), ("secondary", ANA))
    )
    away = Away(person=BO, start=THEIRS.starts_at, end=THEIRS.ends_at - DAY)
    schedule = Schedule(plans=plans_of(shifts), away=(away,))
    reader = FakeReader()
    reader.swapping = [replace(SWAP, state=state)]
    found = replace(desk, reader=reader, schedule=schedule.with_changes)
    await deliverers(found)[kind].deliver(job(kind, {"swap": "s1", "person": person}, "swap:s1"))
    user = {ANA: "U0ANA001", BO: "U0BO0001", CY: "U0CY0001"}[person]
    channel = await desk.places.messages_with(user)
    shown = workspace.messages(channel, viewer=workspace.users[user].name)
    assert ("Beware: Bo is away" in json.dumps([m.blocks for m in shown])) is warned


async def test_clicks_on_swaps_and_overrides_are_stored(
    line: Listening, desk: Desk, workspace: Workspace, inbox: FakeInbox
) -> None:
    ts = await posted(desk, workspace, views_rota.swap_message(SWAP, ANA, NAMES, NOW))
    await workspace.click("ana", WHERE, ts, "swap_accept")
    taken = replace(REQUEST, state=CoverState.TAKEN, taken_by=CY, override_id="o1")
    ts = await posted(desk, workspace, views_rota.cover_message(taken, NAMES, NOW))
    await workspace.click("bo", WHERE, ts, "override_undo")
    assert [p.act for p in acts(inbox)] == [
        OnSwap(by=ANA, swap_id="s1", what="accept"),
        EndOverride(by=BO, override_id="o1"),
    ]


async def test_what_could_not_be_stored_is_said(
    line: Listening, desk: Desk, workspace: Workspace, inbox: FakeInbox
) -> None:
    inbox.broken = True
    ts = await posted(desk, workspace, views_rota.cover_message(REQUEST, NAMES, NOW))
    assert (await workspace.click("ana", WHERE, ts, "cover_accept")).acked
    await workspace.until(lambda: whispers(workspace))
    assert "could not save" in whispers(workspace)[-1]


async def test_a_shift_of_the_home_is_offered_for_a_swap(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    await workspace.open_home("bo")
    await workspace.until(lambda: "U0BO0001" in workspace.homes)
    home = workspace.homes["U0BO0001"]
    blocks = [b for b in home.payload["blocks"] if "home_swap" in str(b)]
    assert len(blocks) == 1
    await workspace.click_view(home.id, "home_swap", block_id=blocks[0]["block_id"])
    form = await modal(workspace, "swap", "U0BO0001")
    assert "Nobody else has a shift ahead" in json.dumps(form.payload)


async def test_a_form_for_cover_checks_its_times(
    line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    await workspace.open_home("bo")
    await workspace.until(lambda: "U0BO0001" in workspace.homes)
    home = workspace.homes["U0BO0001"]
    block = next(b for b in home.payload["blocks"] if "home_swap" in str(b))["block_id"]
    await workspace.click_view(home.id, "home_cover", block_id=block)
    form = await modal(workspace, "cover", "U0BO0001")
    assert "from" in (await submit(workspace, form, {"from": "x", "to": "y"})).field_errors
    wrong = {"from": "2026-11-28 09:00", "to": "2026-11-28 08:00"}
    assert "to" in (await submit(workspace, form, wrong)).field_errors
    wrong = {"from": "fri 9am", "to": "tomorrow 5pm"}
    assert "to" in (await submit(workspace, form, wrong)).field_errors
    inbox.broken = True
    right = {"from": "2026-11-28 09:00", "to": "2026-11-28 18:00"}
    assert "from" in (await submit(workspace, form, right)).field_errors
    inbox.broken = False
    assert (await submit(workspace, form, right)).acked
    (stored,) = acts(inbox)
    assert isinstance(stored.act, AskCover)
    assert stored.act.slot.ends_at - stored.act.slot.starts_at == timedelta(hours=9)


def job(kind: str, payload: Json, subject: str, *, unsure: bool = False) -> Job:
    return Job(
        id="j", key=f"{kind}:1", kind=kind, lane="", priority=JobPriority.PERSON, payload=payload,
        incident_id=subject, due_at=NOW, created_at=NOW, first_attempt_at=NOW if unsure else None,
        attempts=1, lease=1, leased_until=NOW + DAY, revision=0, unsure=unsure,
    )  # fmt: skip


async def test_a_request_is_posted_once_and_edited_after(
    desk: Desk, workspace: Workspace, reader: FakeReader
) -> None:
    reader.covering.append(REQUEST)
    show = deliverers(desk)["show_cover"]
    first = await show.deliver(job("show_cover", {"request": "c1"}, "cover:c1"))
    again = await show.deliver(job("show_cover", {"request": "c1"}, "cover:c1", unsure=True))
    assert [m.ts for m in again.messages] == [m.ts for m in first.messages]
    reader.placed["cover:c1"].extend(first.messages)
    reader.covering[:] = [replace(REQUEST, state=CoverState.TAKEN, taken_by=CY, override_id="o")]
    assert not (await show.deliver(job("show_cover", {"request": "c1"}, "cover:c1"))).messages
    (message,) = workspace.messages(WHERE)
    assert "Cy takes it" in message.text


async def test_a_request_nobody_took_is_told_once_and_only_then(
    desk: Desk, workspace: Workspace, reader: FakeReader
) -> None:
    over = replace(REQUEST, expires_at=NOW - DAY)
    reader.covering.append(replace(over, state=CoverState.TAKEN, taken_by=CY))
    expire = deliverers(desk)["expire_cover"]
    await expire.deliver(job("expire_cover", {"request": "c1"}, "cover:c1"))
    assert not workspace.messages("bo")
    reader.covering[:] = [over]
    await expire.deliver(job("expire_cover", {"request": "c1"}, "cover:c1"))
    assert "Nobody took your cover request" in workspace.messages("bo")[0].text


async def test_a_swap_decided_meanwhile_reminds_nobody(
    desk: Desk, workspace: Workspace, reader: FakeReader
) -> None:
    remind = deliverers(desk)["remind_swap"]
    payload = {"swap": "s1", "person": ANA}
    reader.swapping.append(replace(SWAP, state=SwapState.DECLINED, closed_by=ANA))
    await remind.deliver(job("remind_swap", payload, "swap:s1"))
    assert not workspace.messages("ana")
    reader.swapping[:] = [SWAP]
    await remind.deliver(job("remind_swap", payload, "swap:s1"))
    assert "still waits for you" in workspace.messages("ana")[0].text


def test_a_button_names_people_as_they_write_themselves() -> None:
    class Written:
        def name(self, key: str) -> str:
            return f"{key} <R&D>"

    (block,) = views_rota.undo_button({"override": "o1", "back_to": ["Ana", "Bo"]}, Written())
    assert block["elements"][0]["text"]["text"] == "Back to Ana <R&D> and Bo <R&D>"


async def test_who_is_told_of_a_change_can_undo_it(desk: Desk, workspace: Workspace) -> None:
    payload = {
        "person": BO,
        "sentence": sentence_to_json(say("{who} took over.", who=Who(CY))),
        "undo": {"override": "o1", "back_to": [BO]},
    }
    await deliverers(desk)["tell_person"].deliver(job("tell_person", payload, ""))
    (told,) = workspace.messages("bo")
    assert told.text == "Cy took over."
    assert "Back to Bo" in json.dumps(told.blocks)


async def test_the_buttons_of_a_load_are_stored(
    line: Listening, desk: Desk, workspace: Workspace, inbox: FakeInbox
) -> None:
    whole = replace(MINE, starts_at=NOW.replace(second=0), ends_at=NOW + DAY)
    move = Move(slot=whole, giver=ANA, taker=BO, reason=say("because"))
    blocks = loads._proposed(desk, Proposal(moves=(move,), before=0.5, after=0.9), NOW)
    value = json.dumps(["", int((NOW - DAY).timestamp()), int(NOW.timestamp())])
    draw = kit.actions("load", kit.button("Draw", loads.DRAW, value))
    ts = await posted(desk, workspace, {"text": "load", "blocks": [*blocks, draw]})
    await workspace.click("ana", WHERE, ts, loads.APPLY)
    await workspace.click("ana", WHERE, ts, loads.DRAW)
    applied, drawn = (p.act for p in acts(inbox))
    assert applied == ApplyProposal(by=ANA, rows=(Handover(slot=whole, person=BO, instead_of=ANA),))
    assert isinstance(drawn, DrawLoad)


async def test_who_is_answered_with_the_reasons(desk: Desk, reader: FakeReader) -> None:
    made = Override(id="o", rotation="data", role="primary", person=CY, starts_at=NOW - DAY,
                    ends_at=NOW + DAY, by=BO, created_at=NOW - DAY)  # fmt: skip
    reader.laid_over.append(made)
    base = Schedule(plans=(RotationPlan(name="data"),), people=PEOPLE)
    explained = replace(desk, schedule=base.with_changes)
    (context,) = await why_blocks(explained, "data", NOW)
    assert "primary of data" in json.dumps(context)
    assert "override by Bo" in json.dumps(context)
    assert await why_blocks(desk, "", NOW) == []
