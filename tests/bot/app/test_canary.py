"""The canary's day as a timetable: real HTTP to the door and to the bells, on a clock of ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

import aiohttp

from bot.app.bell import Bell
from bot.app.canary import Canary, CanaryParts
from bot.config.sentinels import CanarySpec
from bot.metrics import Metrics
from bot.ports.audits import AuditReads, JobStanding
from bot.ports.inbox import NotStoredError
from bot.webhook import WebhookTarget
from tests.fakes.bells import Receiver, receiver
from tests.fakes.clock import FakeClock

SPEC = CanarySpec.model_validate(
    {"channel": "canary", "every": "15m", "within": "2m", "alarm": [{"webhook": "phone"}]}
)


class RunningClock(FakeClock):
    """A clock that goes on by itself whenever somebody waits for it."""

    async def sleep_until(self, when: datetime) -> None:
        if when > self.now():
            self.set(when)


@dataclass
class FakeJobs:
    """What the store knows of the canary's job, and whether it can be asked."""

    standing: JobStanding | None = field(default_factory=lambda: JobStanding("done", ""))
    away: bool = False

    async def job_standing(self, key: str) -> JobStanding | None:
        assert key.startswith("canary:")
        if self.away:
            raise NotStoredError("connection refused")
        return self.standing


@dataclass
class Aviary:
    canary: Canary
    clock: RunningClock
    jobs: FakeJobs
    door: Receiver
    phone: Receiver
    pager: Receiver
    metrics: Metrics

    async def flies(self, **delta: float) -> list[str]:
        """Let time pass with the canary flying when it is due; returns when the phone rang."""
        began, heard = self.clock.now(), len(self.phone.heard)
        until = began + timedelta(**delta)
        while self.canary.flights.fly_at <= until:
            await self.clock.sleep_until(self.canary.flights.fly_at)
            await self.canary.fly()
        await self.clock.sleep_until(until)
        return [str(one.body["state"]) for one in self.phone.heard[heard:]]

    def number(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(name)


@asynccontextmanager
async def aviary(door: str | None = None, *, both: bool = False) -> AsyncIterator[Aviary]:
    clock, jobs, metrics = RunningClock(), FakeJobs(), Metrics()
    async with (
        receiver() as ours,
        receiver() as phone,
        receiver() as pager,
        aiohttp.ClientSession() as session,
    ):
        ours.status = 202
        targets = {"phone": WebhookTarget(phone.url, "s3cret")}
        if both:
            targets["pager"] = WebhookTarget(pager.url, "s3cret")
        canary = Canary(
            CanaryParts(
                spec=SPEC,
                reads=cast("AuditReads", jobs),
                clock=clock,
                session=session,
                bell=Bell(session, targets, clock),
                metrics=metrics,
                door=lambda: ours.url if door is None else door,
                secret="k3y",
                host="bot-1",
            )
        )
        yield Aviary(canary, clock, jobs, ours, phone, pager, metrics)


async def test_while_it_comes_back_nobody_hears_of_it() -> None:
    async with aviary() as at:
        assert await at.flies(hours=3) == []
        assert len(at.door.heard) == 12, "every quarter of an hour"
        knock = at.door.heard[0]
        assert knock.path == "/hooks/canary"
        assert knock.headers["Authorization"] == "Bearer k3y"
        assert at.number("watchbill_canary_alarm") == 0
        assert at.number("watchbill_canary_last_success_timestamp_seconds")
        assert await at.canary.standing() == ""


async def test_a_lost_canary_is_told_again_with_growing_pauses_and_then_all_is_clear() -> None:
    async with aviary() as at:
        await at.flies(minutes=10)
        at.jobs.standing = None
        assert await at.flies(minutes=8) == ["alarm"], "two minutes after the next flight"
        (said,) = at.phone.texts
        assert "on bot-1 may not be able to page anybody" in said
        assert "within 2 min: the engine has not decided it." in said
        assert at.phone.heard[0].headers["X-Watchbill-Signature"].startswith("sha256=")
        assert at.number("watchbill_canary_alarm") == 1
        assert await at.flies(minutes=20) == ["alarm", "alarm"]
        assert len(await at.flies(hours=5)) in {5, 6}, "about once an hour from then on"
        at.jobs.standing = JobStanding("done", "")
        assert await at.flies(minutes=5) == ["clear"]
        assert "is back after" in at.phone.texts[-1]
        assert at.number("watchbill_canary_alarm") == 0
        assert await at.flies(hours=2) == []


async def test_the_alarm_says_how_far_it_came() -> None:
    async with aviary() as at:
        for standing, words in (
            (JobStanding("todo", "cannot reach Slack"), "Slack has not taken it: cannot reach"),
            (JobStanding("todo", ""), "the outbox has not sent it"),
            (JobStanding("dead", "no such channel"), "it was given up: no such channel"),
        ):
            at.jobs.standing = standing
            assert words in await at.canary.fly()
        at.jobs.away = True
        assert "the database cannot be read" in await at.canary.fly()
        assert "database" in await at.canary.standing()


async def test_a_door_that_refuses_is_knocked_at_until_the_time_is_up() -> None:
    async with aviary() as at:
        at.door.status = 503
        assert await at.canary.fly() == "our own door answered 503"
        assert len(at.door.heard) == 25, "every five seconds for two minutes"


async def test_a_door_that_is_shut_or_not_there_yet_is_told_of() -> None:
    async with aviary("http://127.0.0.1:1") as at:
        assert "our own door does not answer" in await at.canary.fly()
        assert at.phone.texts, "the phone needs no door"
    async with aviary("") as at:
        assert await at.canary.fly() == "the door is not open yet"


async def test_a_phone_that_does_not_answer_is_tried_again_soon() -> None:
    async with aviary() as at:
        at.jobs.standing, at.phone.status = None, 500
        await at.flies(minutes=3)
        assert len(at.phone.heard) == 3, "three tries"
        assert not at.canary.flights.heard
        at.phone.status = 200
        assert await at.flies(minutes=4) == ["alarm"], "with the next flight, without a pause"


async def test_an_all_clear_that_was_not_taken_is_owed() -> None:
    async with aviary() as at:
        at.jobs.standing = None
        assert await at.flies(minutes=3) == ["alarm"]
        at.jobs.standing, at.phone.status = JobStanding("done", ""), 302
        assert set(await at.flies(minutes=2)) == {"clear"}
        at.phone.status = 204
        assert await at.flies(minutes=2) == ["clear"]
        assert await at.flies(hours=1) == []


async def test_whoever_has_heard_the_all_clear_does_not_hear_it_again_for_another() -> None:
    async with aviary(both=True) as at:
        at.jobs.standing = None
        assert await at.flies(minutes=3) == ["alarm"]
        at.jobs.standing, at.pager.status = JobStanding("done", ""), 500
        assert await at.flies(minutes=5) == ["clear"]
        at.pager.status, owed = 200, len(at.pager.heard)
        assert await at.flies(minutes=5) == []
        assert [one.body["state"] for one in at.pager.heard[owed:]] == ["clear"]


async def test_who_never_heard_the_alarm_needs_no_all_clear() -> None:
    async with aviary(both=True) as at:
        at.jobs.standing, at.pager.status = None, 404
        assert await at.flies(minutes=3) == ["alarm"]
        at.jobs.standing = JobStanding("done", "")
        assert await at.flies(hours=1) == ["clear"]
        assert {one.body["state"] for one in at.pager.heard} == {"alarm"}
        assert at.number("watchbill_canary_alarm") == 0


async def test_a_loss_that_nobody_heard_of_needs_no_all_clear() -> None:
    async with aviary() as at:
        at.jobs.standing, at.phone.status = None, 500
        await at.flies(minutes=3)
        at.jobs.standing, at.phone.status = JobStanding("done", ""), 200
        assert await at.flies(minutes=30) == []
