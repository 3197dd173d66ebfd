"""What has come to a stop is found within a minute, goes on, and is told of once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta

from sqlalchemy import text

from bot.engine.auditing import Auditor, AuditorParts
from bot.ports.delivering import Delivered, GiveUpError
from bot.ports.jobs import Job
from bot.wire import sentence_from_json
from rules.audit import Fault, Finding
from rules.hours import Hours
from rules.incident import State
from rules.sentence import plain
from tests.stories.conftest import Tell
from tests.stories.story import PRIMARY, SECONDARY, Story, alert, page, policy, rulebook

NOWHERE = Hours(time(9), time(17), "No/Such_Zone")


@dataclass
class Audited:
    """A story with an auditor that looks when the test says, as its own clock would."""

    story: Story
    counted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.auditor = Auditor(
            AuditorParts(
                store=self.story.store.store,
                reads=self.story.store.audits,
                clock=self.story.clock,
                engine=self.story.engine,
                book=self.story.rules.book,
                channel="data-alerts",
                observe=self.counted.append,
                forget=self.story.store.queue.forget,
            )
        )

    async def looks(self, *, settle: bool = True) -> list[Fault]:
        found: Sequence[Finding] = await self.auditor.run_due()
        if settle:
            await self.story.settle()
        return [one.fault for one in found]

    async def breaks(self, statement: str) -> None:
        async with self.story.store.database.write() as connection:
            await connection.execute(text(statement))

    async def hears_without_sending(self) -> None:
        """Let an alert be decided, while nothing leaves the outbox."""
        await self.story.hears(alert("orders", self.story.clock.now()), settle=False)
        await self.story.engine.run_due()

    def alarms(self) -> list[tuple[str, list[str]]]:
        """Return where each alarm went, and what it said."""
        return [
            (
                str(job.payload.get("person") or job.payload.get("channel")),
                [sentence_from_json(one).render(plain) for one in job.payload["sentences"]],
            )
            for job in self.story.sent("alarm")
        ]

    async def lines(self) -> list[str]:
        incident = await self.story.incident()
        entries = await self.story.store.reader.timeline(incident.id, 50)
        return [e.sentence.render(plain) for e in entries if e.what == "Resumed"]


async def test_a_whole_night_gives_the_auditor_nothing_to_say(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await story.fires()
    for _ in range(60):
        await story.after(minutes=1)
        assert await audited.looks() == []
    await story.does("ana", "acked")
    await story.after(hours=3)
    assert await audited.looks() == []
    assert audited.alarms() == []


async def test_a_clock_that_is_set_back_shuts_no_lane_until_it_has_come_round(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await story.fires("orders")
    await story.after(minutes=1)
    story.pages("ana")
    assert await audited.looks() == []
    story.clock.set(story.clock.now() - timedelta(hours=1))
    await story.fires("customers")
    assert await audited.looks() == [], "it waits for the old hour no longer"
    story.pages()
    await story.after(minutes=2, seconds=1)
    assert set(await audited.looks()) == {Fault.LANE_FROZEN}
    story.pages("ana")


async def test_a_timer_that_is_gone_is_set_again(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await story.fires()
    await story.after(minutes=1)
    story.pages("ana")
    await audited.breaks("UPDATE incident SET wake_at = NULL")
    assert await audited.looks() == [Fault.TIMER_LOST]
    await story.after(minutes=4, seconds=2)
    story.pages("bo")
    assert await audited.lines() == ["#1 orders failed: its timer was not the one it asked for."]
    assert await audited.looks() == []
    assert audited.counted == [Fault.TIMER_LOST]


async def test_an_incident_with_nothing_due_takes_its_next_step_at_once(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await story.fires()
    await story.after(minutes=1)
    story.pages("ana")
    async with story.store.store.begin() as tx:
        incident = await tx.incident_numbered(1)
        assert incident is not None
        tx.save(incident.but(step_due_at=None))
    assert await audited.looks() == [Fault.UNWATCHED]
    story.pages("bo")
    assert audited.alarms() == [
        ("data-alerts", ["#1 orders failed: nothing was due and nobody had it."]),
        ("dee", ["#1 orders failed: nothing was due and nobody had it."]),
    ]


async def test_a_page_that_is_gone_is_sent_again(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await audited.hears_without_sending()
    await audited.breaks("DELETE FROM job WHERE kind = 'page'")
    await story.after(seconds=30)
    story.pages()
    assert await audited.looks() == [Fault.PAGE_LOST]
    story.pages("ana")
    await story.after(minutes=1)
    assert await audited.looks() == [], "once"
    story.pages()
    await story.after(minutes=4)
    story.pages("bo")


async def test_a_frozen_lane_is_opened(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await audited.hears_without_sending()
    far = story.clock.now() + timedelta(days=300)
    async with story.store.database.write() as connection:
        # the type of the column is each database's own
        micros = int(far.timestamp()) * 1_000_000
        value = str(micros) if story.store.database.is_sqlite else f"'{far.isoformat()}'"
        await connection.execute(text(f"UPDATE lane SET held_until = {value}"))
    await story.outbox.run_due()
    story.pages()
    story.clock.advance(minutes=3)
    found = await audited.looks(settle=False)
    assert set(found) == {Fault.LANE_FROZEN}
    await story.outbox.run_due()
    story.pages("ana")


async def test_a_lane_without_a_clock_is_given_one(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await audited.hears_without_sending()
    await audited.breaks("DELETE FROM lane")
    await story.outbox.run_due()
    story.pages()
    story.clock.advance(minutes=3)
    assert set(await audited.looks(settle=False)) == {Fault.LANE_FROZEN}
    await story.outbox.run_due()
    story.pages("ana")


async def test_a_lease_that_nobody_keeps_is_ended(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await audited.hears_without_sending()
    claimed = await story.store.queue.claim(story.clock.now(), 10)
    page_job = next(job for job in claimed if job.kind == "page")
    story.clock.advance(minutes=3)
    await story.outbox.run_due()
    story.pages()  # this process believes that it is at it
    assert set(await audited.looks(settle=False)) == {Fault.LEASE_LAPSED}
    await story.outbox.run_due()
    story.pages("ana")
    assert next(j for j in story.sent("page")).unsure, "it may have gone out before"
    async with story.store.store.begin() as tx:
        assert not await tx.finish_job(page_job, Delivered(), story.clock.now()), "fenced"


async def test_what_cannot_be_decided_goes_to_the_fallback(tell: Tell) -> None:
    book = rulebook(steps=policy(page(PRIMARY), page(SECONDARY, only_during=NOWHERE)))
    audited = Audited(tell(book))
    story = audited.story
    await story.fires()
    await story.after(seconds=2)
    story.pages("ana")
    story.clock.advance(minutes=5)
    await story.engine.wake_due()
    assert await audited.looks(settle=False) == [], "it is tried again first"
    story.clock.advance(minutes=2, seconds=1)
    await story.engine.wake_due()
    assert await audited.looks() == [Fault.WAKE_UP_FAULTY]
    await story.after(seconds=2)
    story.pages("dee")
    assert story.engine.faulty == ()
    await story.after(minutes=31)
    story.pages("dee")
    assert await audited.looks() == []


async def test_a_page_that_was_given_up_is_told_of(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story

    def closed(job: Job) -> None:
        if job.kind == "page" and job.payload["person"] == "ana":
            raise GiveUpError("the person's Slack account is closed")

    story.slack.fault = closed
    await story.fires()
    await story.after(minutes=1)
    assert await audited.looks() == [Fault.PAGE_GIVEN_UP]
    await story.after(minutes=1)
    assert await audited.looks() == [Fault.PAGE_GIVEN_UP], "it stands"
    assert len(audited.alarms()) == 2, "and is told once, in the channel and to the fallback"
    await story.does("bo", "acked")
    await story.after(minutes=1)
    assert await audited.looks() == []
    assert await story.state() is State.ACKNOWLEDGED


async def test_a_delivery_put_off_too_far_is_looked_at_now(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await story.hears(alert("orders", story.clock.now()), settle=False)
    async with story.store.store.begin() as tx:
        (taken,) = await tx.take_deliveries(1, story.clock.now())
        tx.postpone_delivery(taken.id, story.clock.now() + timedelta(days=9), "a fault")
    story.clock.advance(minutes=4)
    assert await audited.looks() == [Fault.DELIVERY_UNDECIDED]
    await story.after(seconds=1)
    story.pages("ana")


async def test_an_engine_that_does_not_run_is_told_of_and_changes_nothing(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await story.fires()
    await story.after(seconds=2)
    story.clock.advance(minutes=8)
    before = await story.incident()
    assert await audited.looks(settle=False) == [], "it may only just be back"
    story.clock.advance(minutes=2)
    assert await audited.looks(settle=False) == [Fault.WAKE_UP_OVERDUE]
    assert await story.incident() == before


async def test_replicas_take_turns_by_the_stored_clock(tell: Tell) -> None:
    first = Audited(tell())
    second = Audited(first.story)
    await first.story.fires()
    await first.breaks("UPDATE incident SET wake_at = NULL")
    assert await first.looks() == [Fault.TIMER_LOST]
    await first.breaks("UPDATE incident SET wake_at = NULL")
    assert await second.looks() == [], "a minute has not passed"
    await first.story.after(minutes=1)
    assert await second.looks() == [Fault.TIMER_LOST]
    done_at = await first.story.store.audits.errand_done_at("audit")
    assert done_at == first.story.clock.now()
    assert len(first.alarms()) == 2, "told once within an hour"


async def test_an_incident_that_cannot_be_read_is_told_of_and_stops_nothing(tell: Tell) -> None:
    audited = Audited(tell())
    story = audited.story
    await story.fires("broken")
    await story.fires("sound")
    await story.after(minutes=1)
    await audited.breaks("UPDATE incident SET wake_at = NULL")
    await audited.breaks("""UPDATE incident SET body = '{"pages": true}' WHERE number = 1""")
    assert sorted(await audited.looks(settle=False)) == [Fault.TIMER_LOST, Fault.UNREADABLE]
