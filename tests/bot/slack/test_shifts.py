"""Shifts told as timetables: reminders, corrections, warnings, questions, hand-offs, each once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.acts.act import act_from_json
from bot.acts.duties import LeaveNote
from bot.app.duties import Duties, DutyParts
from bot.config.duties import NoticesSpec
from bot.duty_jobs import FOLLOW, late_note_job
from bot.outbox import Outbox, OutboxSettings
from bot.ports.access import GroupStanding
from bot.ports.delivering import Delivered, Deliverer, Outcome
from bot.ports.duties import HandoffNote
from bot.ports.jobs import Job
from bot.ports.store import StoredOverride, Transaction
from bot.slack.desk import Desk
from bot.slack.duty.duties import DutyDesk
from bot.slack.duty.followers import Follow, FollowParts
from bot.slack.duty.places import Surroundings
from bot.slack.duty.readiness import ready_for
from bot.slack.listeners import Listening
from bot.store.opening import OpenedStore
from bot.workspace.blockkit import problems
from bot.workspace.model import Message
from bot.workspace.state import Workspace
from rules.access.group import AccessGroup, AccessRules, Duty
from rules.matching.matcher import parse_matchers
from rules.rotation import OnCall, Span
from rules.schedule.following import Follower, FollowerKind
from rules.schedule.reminders import Notice, NoticeKind
from rules.silence import Silence
from tests.bot.slack.samples import incident
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

ANA, BO, CY = (f"{name}@example.com" for name in ("ana", "bo", "cy"))
SUNDAY = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
"""Too late for a reminder a day ahead of Monday at nine."""
NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
GROUP = Follower(kind=FollowerKind.USER_GROUP, place="data-oncall")
EVERY = ("ana", "bo", "cy")


def span(start: datetime, end: datetime, *people: str, role: str = "primary") -> Span:
    return Span(start, end, "data", role, people)


DAYS = (
    span(NINE - DAY, NINE, ANA),
    span(NINE, NINE + DAY, BO),
    span(NINE + DAY, NINE + 2 * DAY, CY),
    span(NINE + 2 * DAY, NINE + 60 * DAY, ANA),
)


class Days:
    """Days of a roster: time passes, everything that is due goes out to the workspace."""

    def __init__(
        self, desk: Desk, workspace: Workspace, store: OpenedStore, clock: FakeClock
    ) -> None:
        self.spans: Sequence[Span] = DAYS
        self.on_call = OnCall(DAYS)
        self.clock, self.workspace, self.store = clock, workspace, store
        self.spec = NoticesSpec()
        self.editors: tuple[str, ...] = ()
        self.has_roster = True
        self.followers: dict[str, Follower] = {}
        self.facts = FakeReader()
        self.desk = replace(desk, clock=clock, on_call=lambda: self.on_call, reader=_Facts(self))
        self.duties, self.outbox = self.replica()

    def replica(self) -> tuple[Duties, Outbox]:
        duties = Duties(
            DutyParts(
                on_call=lambda: self.on_call,
                fallback=tuple,
                store=self.store.store,
                reader=self.store.reader,
                states=self.store.followers,
                clock=self.clock,
                followers=self.followers,
                repair_every=3 * MINUTE,
                notices=self.spec,
                channel="others",
                editors=self.editors,
                has_roster=self.has_roster,
                zone_of=self.desk.directory.zone_of_key,
            )
        )
        return duties, self._outbox()

    def restart(self) -> None:
        """Forget everything that was in memory."""
        self.duties, self.outbox = self.replica()

    def writes(self, *spans: Span) -> None:
        """Accept another roster."""
        self.spans, self.on_call = spans, OnCall(spans)

    async def until(self, when: datetime, step: timedelta = 30 * MINUTE) -> None:
        while self.clock.now() < when:
            await self.looks()
            self.clock.set(min(self.clock.now() + step, when))
        await self.looks()

    async def looks(self) -> None:
        await self.duties.tick()
        for _ in range(8):
            if not await self.outbox.run_due():
                break
            self.clock.advance(seconds=1)

    async def down(self, until: datetime) -> None:
        self.clock.set(until)
        self.restart()
        await self.looks()

    def got(self, name: str) -> list[str]:
        """Return what a person got by direct message, or what the channel got."""
        return [message.text for message in self.messages(name)]

    def messages(self, name: str) -> list[Message]:
        where = self.workspace.dm(name).id if name in EVERY else name
        found = self.workspace.messages(where)
        for message in found:
            body = {"text": message.text, "blocks": message.blocks}
            assert problems(body, surface="message") == []
        return found

    def _outbox(self) -> Outbox:
        around = Surroundings(desk=self.desk, group_api=self.desk.api)
        follow = FollowParts(
            around=around,
            followers=self.followers,
            states=self.store.followers,
            store=self.store.store,
            channel="others",
        )
        duty = DutyDesk(desk=self.desk, store=self.store.store, channel="others")
        deliverers: dict[str, Deliverer] = {**duty.deliverers, FOLLOW: Follow(follow)}
        return Outbox(
            queue=self.store.queue,
            store=self.store.store,
            deliverers=deliverers,
            clock=self.clock,
            on_finished=_nothing_more,
            settings=OutboxSettings(random=lambda: 0.5),
        )


class _Facts(FakeReader):
    """Answers about shifts from the database, about incidents from what a test holds."""

    def __init__(self, days: Days) -> None:
        super().__init__()
        self._days = days

    async def notes(self, rotation: str, boundary_at: datetime) -> Sequence[HandoffNote]:
        return await self._days.store.reader.notes(rotation, boundary_at)


async def _nothing_more(_tx: Transaction, _job: Job, outcome: Outcome, _now: datetime) -> None:
    assert isinstance(outcome, Delivered), outcome


@pytest.fixture
async def days(
    desk: Desk, workspace: Workspace, opened_store: OpenedStore, clock: FakeClock
) -> Days:
    clock.set(SUNDAY)
    made = Days(desk, workspace, opened_store, clock)
    await made.desk.directory.warm()
    return made


async def test_a_shift_is_announced_with_its_readiness_and_a_test_page(days: Days) -> None:
    await days.until(NINE - HOUR + MINUTE)
    day_before, *rest = days.messages("bo")
    assert len(rest) == 0, "the day before was missed; it is told an hour before"
    assert day_before.text.startswith("⏰ You are primary of data from ")
    assert "in 1 h" in day_before.text or "in 59 min" in day_before.text
    shown = str(day_before.blocks)
    assert "You are linked and reachable" in shown
    assert "Send me a test page" in shown
    await days.until(NINE + 2 * HOUR)
    assert len(days.messages("bo")) == 1


async def test_the_access_that_comes_with_a_shift_is_told_before_it(desk: Desk) -> None:
    follows = (Duty("data", "primary"),)
    groups = {
        "warehouse-admins": AccessGroup(name="warehouse-admins", follows=follows),
        "cluster": AccessGroup(name="cluster", follows=(Duty("data"),)),
        "payments": AccessGroup(name="payments", follows=(Duty("payments"),)),
    }

    class Standings:
        async def standings(self) -> tuple[GroupStanding, ...]:
            return (GroupStanding(name="cluster", trouble="its token was refused"),)

    book = replace(desk.rulebook(), access=AccessRules(groups=groups))
    seen = replace(desk, access=Standings(), rulebook=lambda: book)  # type: ignore[arg-type] # only asked for standings
    notice = Notice(key="k", kind=NoticeKind.REMINDER, start=NINE, end=NINE + DAY,
                    person="bo@example.com", rotation="data", role="primary")  # fmt: skip
    linked, ready, late = await ready_for(seen, notice)
    assert "You are linked and reachable" in linked
    assert ready == "✅ With the shift you get warehouse-admins."
    assert late.startswith("⚠️ cluster will not open for you: its token was refused. Tell its owner")
    nobodys = replace(notice, role="secondary")
    barred = AccessRules(groups=groups, barred={"bo@example.com": "a guest"})
    told = await ready_for(replace(seen, rulebook=lambda: replace(book, access=barred)), nobodys)
    assert "cluster will not open for you: a guest" in str(told[1])
    assert len(told) == 2


async def test_who_cannot_be_paged_is_told_to_the_others_before_the_shift(days: Days) -> None:
    days.writes(DAYS[0], span(NINE, NINE + DAY, "nobody@example.com"))
    await days.until(NINE - 30 * MINUTE)
    told = [text for text in days.got("others") if "cannot be paged" in text]
    assert len(told) == 1
    assert "nobody@example.com has no Slack account here" in told[0]


async def test_a_closed_account_is_found_before_the_shift(days: Days) -> None:
    days.workspace.person("bo").deleted = True
    await days.until(NINE - 30 * MINUTE)
    assert any("cannot be paged" in text and "closed" in text for text in days.got("others"))


async def test_the_hand_off_names_who_comes_and_what_they_find(days: Days) -> None:
    facts = days.desk.reader
    assert isinstance(facts, _Facts)
    facts.put(incident())
    matchers, _ = parse_matchers("team=finance")
    facts.muting += [
        Silence("a1", matchers, SUNDAY, NINE + 3 * HOUR, ANA, "known"),
        Silence("a2", matchers, SUNDAY, NINE + 3 * DAY, ANA, "later"),
    ]
    facts.laid_over.append(
        StoredOverride(id="1", rotation="data", role="primary", person=CY, by=BO,
                       starts_at=NINE + HOUR, ends_at=NINE + 2 * HOUR, created_at=SUNDAY)
    )  # fmt: skip
    async with days.store.store.begin() as tx:
        tx.save_note(
            HandoffNote(rotation="data", boundary_at=NINE, person=ANA,
                        note="Watch <!channel> orders", noted_at=SUNDAY)
        )  # fmt: skip
    await days.until(NINE - MINUTE)
    assert days.got("others") == []
    await days.until(NINE, step=30 * timedelta(seconds=1))
    (message,) = days.messages("others")
    shown = str(message.blocks)
    assert message.text == "🔁 *data*: primary Ana → <@U0BO0001>"
    assert "#42" in shown
    assert "team=finance" in shown.replace("∗", "*")
    assert "known" in shown
    assert "later" not in shown
    assert "Cy is primary from" in shown
    assert "Ana: Watch &lt;!channel&gt; orders" in shown
    await days.until(NINE + 2 * HOUR)
    assert len(days.got("others")) == 1


async def test_a_restart_neither_loses_nor_repeats(days: Days) -> None:
    moments = [NINE - HOUR, NINE - 30 * MINUTE, NINE, NINE + MINUTE]
    for moment in moments:
        await days.until(moment)
        days.restart()
        await days.looks()
        days.restart()
        await days.looks()
    assert len(days.got("bo")) == 1
    assert len(days.got("ana")) == 1, "asked for a note once"
    assert len(days.got("others")) == 1


@pytest.mark.parametrize(("late", "told"), [(20, 1), (59, 1), (61, 0), (600, 0)])
async def test_after_a_downtime_the_hand_off_comes_late_once_or_not_at_all(
    days: Days, late: int, told: int
) -> None:
    await days.until(NINE - 10 * MINUTE)
    await days.down(NINE + late * MINUTE)
    await days.until(days.clock.now() + HOUR)
    found = [text for text in days.got("others") if text.startswith("🔁")]
    assert len(found) == told
    if told:
        assert "late" in str(days.messages("others")[-1].blocks)


async def test_a_take_over_is_handed_over_at_once(days: Days) -> None:
    await days.until(SUNDAY + HOUR)
    now = days.clock.now()
    days.writes(span(NINE - DAY, now, ANA), span(now, NINE, CY), *DAYS[1:])
    await days.looks()
    assert days.got("others") == ["🔁 *data*: primary Ana → <@U0CY0001>"]


async def test_a_shift_that_moves_is_corrected_once_it_is_settled(days: Days) -> None:
    days.clock.set(NINE)
    await days.until(NINE + 2 * HOUR)
    assert len(days.got("cy")) == 1, "a day before"
    moved = (
        *DAYS[:1], span(NINE, NINE + DAY + 3 * HOUR, BO),
        span(NINE + DAY + 3 * HOUR, NINE + 2 * DAY, CY), DAYS[3],
    )  # fmt: skip
    days.writes(*moved)
    await days.looks()
    assert len(days.got("cy")) == 1, "somebody may still be typing"
    days.writes(*DAYS)
    await days.until(days.clock.now() + 5 * MINUTE, step=MINUTE)
    assert len(days.got("cy")) == 1, "and took it back"
    days.writes(*moved)
    await days.until(days.clock.now() + 5 * MINUTE, step=MINUTE)
    assert days.got("cy")[1].startswith("🔀 Your shift has changed: you are primary of data from")
    days.writes(*DAYS[:2], span(NINE + DAY, NINE + 60 * DAY, ANA))
    await days.until(days.clock.now() + 5 * MINUTE, step=MINUTE)
    assert "You are not primary of data" in days.got("cy")[2]
    days.restart()
    await days.until(days.clock.now() + 2 * HOUR)
    assert len(days.got("cy")) == 3


async def test_gaps_and_double_bookings_are_warned_of_once_in_one_message(days: Days) -> None:
    days.writes(
        DAYS[0],
        span(NINE + 3 * HOUR, NINE + 60 * DAY, BO),
        span(NINE - DAY, NINE + DAY, CY, role="secondary"),
        span(NINE + 20 * HOUR, NINE + 22 * HOUR, CY),
        span(NINE + DAY, NINE + 60 * DAY, BO, role="secondary"),
    )
    await days.until(SUNDAY + 10 * MINUTE, step=MINUTE)
    (told,) = days.got("others")
    first, second, third = told.split("\n")
    assert first.startswith("⚠️ Nobody is primary of data from")
    assert "Cy is" in second
    assert "Bo is" in third
    days.restart()
    await days.until(SUNDAY + 4 * HOUR)
    assert len(days.got("others")) == 1


async def test_the_rosters_editors_hear_of_gaps_where_there_are_any(days: Days) -> None:
    days.editors = (CY,)
    days.restart()
    days.writes(DAYS[0])
    await days.until(SUNDAY + 5 * MINUTE, step=MINUTE)
    assert "Add rows to the roster" in days.got("cy")[0]
    assert days.got("others") == []


async def test_a_roster_of_which_no_row_can_be_used_is_told_of_each_day_until_it_is_mended(
    days: Days,
) -> None:
    days.writes()
    await days.until(SUNDAY + 5 * HOUR)
    (told,) = days.got("others")
    assert told.startswith("⚠️ Nobody is on call")
    assert "watchbill roster check" in told
    await days.until(SUNDAY + DAY)
    assert len(days.got("others")) == 2
    days.writes(span(SUNDAY, SUNDAY + 90 * DAY, ANA))
    await days.until(SUNDAY + 3 * DAY)
    assert [told for told in days.got("others") if "Nobody" in told] == [told, told]


async def test_without_a_roster_nobody_is_missed(days: Days) -> None:
    days.has_roster = False
    days.restart()
    days.writes()
    await days.until(SUNDAY + DAY)
    assert days.got("others") == []


async def test_everything_can_be_switched_off(days: Days) -> None:
    days.spec = NoticesSpec(
        reminders=(), handoffs=False, ask_before=None, gaps=False, double_bookings=False
    )
    days.restart()
    days.writes(DAYS[0], span(NINE + HOUR, NINE + DAY, BO))
    await days.until(NINE + 2 * HOUR)
    days.writes()
    await days.until(NINE + DAY)
    assert [len(days.got(name)) for name in (*EVERY, "others")] == [0, 0, 0, 0]


async def test_two_replicas_tell_everything_once(days: Days) -> None:
    days.followers[GROUP.name] = GROUP
    days.restart()
    other, outbox = days.replica()
    now = NINE - 70 * MINUTE
    while now <= NINE + 20 * MINUTE:
        days.clock.set(now)
        async with asyncio.TaskGroup() as group:
            group.create_task(days.duties.tick())
            group.create_task(other.tick())
        for _ in range(4):
            async with asyncio.TaskGroup() as group:
                group.create_task(days.outbox.run_due())
                group.create_task(outbox.run_due())
            days.clock.advance(seconds=1)
        now += 5 * MINUTE
    assert (len(days.got("bo")), len(days.got("ana")), len(days.got("others"))) == (1, 1, 1)
    writes = [c for c in days.workspace.calls if c.method == "usergroups.users.update"]
    assert len(writes) == 1
    (shown,) = days.workspace.groups.values()
    assert shown.users == ["U0BO0001"]


async def test_the_group_follows_a_boundary_and_a_change_within_seconds(days: Days) -> None:
    days.followers[GROUP.name] = GROUP
    days.restart()
    (group,) = days.workspace.groups.values()
    await days.until(NINE - timedelta(seconds=2), step=10 * MINUTE)
    assert group.users == ["U0ANA001"]
    await days.until(NINE, step=timedelta(seconds=1))
    assert group.users == ["U0BO0001"]
    days.writes(
        span(NINE - DAY, NINE + timedelta(seconds=9), BO),
        span(NINE + timedelta(seconds=9), NINE + DAY, CY),
    )
    await days.until(NINE + timedelta(seconds=12), step=timedelta(seconds=1))
    assert group.users == ["U0CY0001"]
    state = await days.store.followers.follower(GROUP.name)
    assert state.lag(days.clock.now()) == 0.0


async def test_a_clock_that_is_set_back_over_a_boundary_is_noticed(days: Days) -> None:
    days.followers[GROUP.name] = GROUP
    days.restart()
    for now, wanted in ((NINE + 10 * MINUTE, BO), (NINE - 50 * MINUTE, ANA)):
        days.clock.set(now)
        assert await days.duties.tick()
        assert (await days.store.followers.follower(GROUP.name)).wanted == wanted
    days.clock.advance(seconds=1)
    assert not await days.duties.tick(), "and it is looked no more often than before"


@pytest.mark.parametrize("kind", ["ratelimited", "http_503", "drop_after_commit", "html"])
async def test_a_reminder_and_a_hand_off_survive_slacks_trouble_and_come_once(
    days: Days, kind: str
) -> None:
    days.workspace.faults.add(method="chat.postMessage", kind=kind, times=2)  # type: ignore[arg-type]
    days.workspace.faults.add(method="conversations.open", kind=kind)  # type: ignore[arg-type]
    await days.until(NINE - 2 * HOUR)
    await days.until(NINE + 10 * MINUTE, step=MINUTE)
    assert [len(days.got(name)) for name in ("ana", "bo", "others")] == [1, 1, 1]


async def test_who_goes_leaves_a_note_with_two_clicks(
    days: Days, line: Listening, inbox: FakeInbox
) -> None:
    assert line.app is not None
    await days.until(NINE - 29 * MINUTE)
    (asked,) = days.messages("ana")
    assert asked.text.startswith("You hand data over to Bo at ")
    channel = days.workspace.dm("ana").id
    clicked = await days.workspace.click("ana", channel, asked.ts, "leave_note")
    assert clicked.acked
    user = days.workspace.person("ana").id
    view = await days.workspace.until(lambda: days.workspace.top_view(user))
    inbox.broken = True
    refused = await days.workspace.submit(view.id, {"note": {"note": "Orders is late"}})
    assert "could not save" in refused.field_errors["note"]
    inbox.broken = False
    sent = await days.workspace.submit(view.id, {"note": {"note": " Orders is late \ud83d"}})
    assert sent.field_errors == {}
    (stored,) = inbox.deliveries
    act = act_from_json(stored.body).act
    assert act == LeaveNote(by=ANA, rotation="data", boundary_at=NINE, note="Orders is late ?")


async def test_a_test_page_is_one_click(days: Days, line: Listening, inbox: FakeInbox) -> None:
    assert line.app is not None
    await days.until(NINE - HOUR + MINUTE)
    (reminder,) = days.messages("bo")
    channel = days.workspace.dm("bo").id
    assert (await days.workspace.click("bo", channel, reminder.ts, "test_page")).acked
    (stored,) = inbox.deliveries
    act = act_from_json(stored.body).act
    assert (act.kind, act.by, getattr(act, "person", "")) == ("open_by_hand", BO, BO)


async def test_a_note_after_the_hand_off_is_told_by_itself(days: Days) -> None:
    await days.until(NINE + 5 * MINUTE)
    note = HandoffNote(
        rotation="data", boundary_at=NINE, person=ANA, note="Forgot: <@U1>", noted_at=SUNDAY
    )
    async with days.store.store.begin() as tx:
        tx.save_note(note)
        tx.enqueue(late_note_job("data", NINE, ANA, days.clock.now()))
    await days.looks()
    assert days.got("others")[-1].startswith("📝 Ana adds to the hand-off of data")
    assert "&lt;@U1&gt;" in days.got("others")[-1]
