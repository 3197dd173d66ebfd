"""A night on call, told as a timetable: the real store and engine, a clock a test moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bot.acts.act import SLACK, Act, ActPayload, AnswerTo, OnIncident, act_to_json
from bot.engine.aftercare.journalling import Quiet
from bot.engine.engine import Engine
from bot.engine.parts import EngineParts
from bot.outbox import Outbox, OutboxSettings
from bot.ports.inbox import Delivery, NewDelivery, Parsed
from bot.ports.jobs import Job
from bot.store.opening import OpenedStore
from bot.wire import sentence_from_json
from rules.alert import Alert, AlertStatus, Severity
from rules.incident import Incident, State
from rules.policy import OnCallOf, Policy, Step, Target
from rules.rotation import OnCall, Span
from rules.rulebook import Route, RuleBook
from rules.run import Run
from rules.schedule.roster import Change, Schedule
from tests.fakes.clock import FakeClock
from tests.fakes.deliverer import RecordingDeliverer, Sent

MONDAY_03 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def policy(*steps: Step) -> Policy:
    return Policy("default", steps)


def page(*targets: Target, wait: float = 5, **more: Any) -> Step:
    return replace(Step(targets, timedelta(minutes=wait)), **more)


PRIMARY, SECONDARY = OnCallOf("primary"), OnCallOf("secondary")
USUAL = policy(page(PRIMARY), page(SECONDARY, wait=10))


def on_call(**roles: str) -> OnCall:
    """Return who is on call for a year around the stories: role to person."""
    start, end = MONDAY_03 - timedelta(days=40), MONDAY_03 + timedelta(days=400)
    return OnCall(Span(start, end, "data", role, (person,)) for role, person in roles.items())


def rulebook(*, steps: Policy = USUAL, **changes: Any) -> RuleBook:
    book = RuleBook(
        policies={"default": steps},
        routes=(Route("default", "default", "data-alerts", "data"),),
        fallback=("dee",),
        on_call=on_call(primary="ana", secondary="bo"),
        ack_timeout=None,
    )
    return replace(book, **changes)


class FixedRules:
    def __init__(self, book: RuleBook) -> None:
        self.the_book = book

    def book(self) -> RuleBook:
        return self.the_book

    def on_call(self, changes: Sequence[Change], now: datetime) -> OnCall:
        return self.the_book.on_call

    def schedule(self, changes: Sequence[Change]) -> Schedule:
        return Schedule()


@dataclass
class Counted:
    pages: list[str] = field(default_factory=list)

    def alert(self, source: str, status: str) -> None: ...

    def opened(self, count: int) -> None: ...

    def page(self, outcome: str, seconds: float | None) -> None:
        self.pages.append(outcome)


class Story:
    """Alerts, clicks and time go in; pages and messages come out, and are checked in order."""

    def __init__(self, opened: OpenedStore, clock: FakeClock, book: RuleBook) -> None:
        self.clock = clock
        self.rules = FixedRules(book)
        self.store = opened
        self.slack = RecordingDeliverer(clock)
        self.counted = Counted()
        self._alerts: dict[str, Sequence[Alert]] = {}
        self._runs: dict[str, Sequence[Run]] = {}
        self.quiet: Quiet = lambda _person: None
        self._told = 0
        self._numbers = count(1)
        self._build()

    def _build(self) -> None:
        numbers = self._numbers
        self.engine = Engine(
            EngineParts(
                store=self.store.store,
                reader=self.store.reader,
                clock=self.clock,
                rules=self.rules,
                read=self._read,
                unreadable=lambda delivery, why: _unreadable(delivery, why, self.clock.now()),
                observer=self.counted,
                new_id=lambda: f"{next(numbers):032x}",
                quiet=self.quiet,
            )
        )
        self.outbox = Outbox(
            queue=self.store.queue,
            store=self.store.store,
            deliverers=_EveryKind(self.slack),
            clock=self.clock,
            on_finished=self.engine.job_finished,
            settings=OutboxSettings(random=lambda: 0.5),
        )

    def restart(self) -> None:
        """Forget everything that was in memory, as a crash does."""
        self._build()

    # what happens

    async def fires(self, key: str = "orders", **more: Any) -> None:
        await self.hears(alert(key, self.clock.now(), **more))

    async def recovers(self, key: str = "orders", **more: Any) -> None:
        await self.hears(alert(key, self.clock.now(), status=AlertStatus.RESOLVED, **more))

    async def hears(self, *alerts: Alert, runs: Sequence[Run] = (), settle: bool = True) -> None:
        key = f"delivery-{next(self._numbers)}"
        self._alerts[key] = alerts
        self._runs[key] = runs
        source = alerts[0].source if alerts else runs[0].source
        await self.store.inbox.accept(NewDelivery(source=source, key=key, body=b"{}"))
        if settle:
            await self.settle()

    def knows(self, key: str, *alerts: Alert) -> None:
        """Let this replica read a delivery that another one accepted."""
        self._alerts[key] = alerts

    async def does(self, who: str, event: str, number: int = 1, **more: Any) -> None:
        await self.asks(OnIncident(number=number, event=event, by=who, **more))

    async def asks(self, *acts: Act) -> None:
        for act in acts:
            payload = ActPayload(act=act, answer_to=AnswerTo(user="U" + act.by))
            key = f"act-{next(self._numbers)}"
            await self.store.inbox.accept(
                NewDelivery(source=SLACK, key=key, body=act_to_json(payload))
            )
        await self.settle()

    async def after(self, **delta: float) -> None:
        """Let time pass, stopping wherever something becomes due."""
        target = self.clock.now() + timedelta(**delta)
        await self.until(target)

    async def until(self, target: datetime) -> None:
        while True:
            await self.settle()
            due = [d for d in await self._dues() if self.clock.now() < d < target]
            if not due:
                break
            self.clock.set(min(due))
        self.clock.set(target)
        await self.settle()

    async def down(self, **delta: float) -> None:
        """The process is dead for a while; time passes, nothing works."""
        self.clock.advance(**delta)
        self.restart()
        await self.settle()

    async def settle(self) -> None:
        """Work until nothing is due; what is sent can only make wake-ups due, not deliveries."""
        due: datetime | None = self.clock.now()
        while due is not None and due <= self.clock.now():
            while await self.engine.run_due():
                pass
            while await self.outbox.run_due():
                pass
            due = await self.store.reader.next_wake()

    async def _dues(self) -> list[datetime]:
        now = self.clock.now()
        dues = await self.store.reader.next_wake(), await self.store.queue.next_due(now)
        return [d for d in dues if d is not None]

    # what is seen

    def pages(self, *people: str) -> None:
        """Assert that exactly these people were paged since the last look, in any order."""
        new = [s.person for s in self._new("page")]
        assert sorted(new) == sorted(people), f"at {self.clock.now():%H:%M:%S}: paged {new}"

    def said(self) -> list[str]:
        """Return what was told in threads and answered, in order, all of the story."""
        sent = [s for s in self.slack.sent if s.kind in {"tell", "answer"}]
        return [sentence_from_json(s.job.payload["sentence"]).render(_word) for s in sent]

    async def incident(self, number: int = 1) -> Incident:
        found = await self.store.reader.incident_numbered(number)
        assert found is not None, f"there is no incident #{number}"
        return found

    async def state(self, number: int = 1) -> State:
        return (await self.incident(number)).state

    def sent(self, kind: str) -> list[Job]:
        return [s.job for s in self.slack.sent if s.kind == kind]

    def _new(self, kind: str) -> list[Sent]:
        new = [s for s in self.slack.sent[self._told :] if s.kind == kind]
        self._told = len(self.slack.sent)
        return new

    def _read(self, delivery: Delivery) -> Parsed:
        runs = tuple(self._runs.get(delivery.key, ()))
        return Parsed(alerts=tuple(self._alerts[delivery.key]), runs=runs)


class _EveryKind(dict[str, RecordingDeliverer]):
    """The same deliverer for every kind of job."""

    def __init__(self, deliverer: RecordingDeliverer) -> None:
        super().__init__()
        kinds = ("show", "show_page", "page", "page_user_group", "page_channel", "ask_acker")
        more = (
            "tell",
            "answer",
            "webhook",
            "trigger_run",
            "picture",
            "consequences",
            "alarm",
            "canary",
        )
        roster = ("show_cover", "expire_cover", "repeat_cover", "show_swap", "remind_swap",
                  "tell_person", "load_picture", "late_note")  # fmt: skip
        after = (
            "runbook",
            "runbook_action",
            "tasks",
            "mirror_task",
            "nudge",
            "runbook_result",
            "announce",
        )
        journal = ("journal_ask", "journal_remind", "journal_shown")
        self.update(dict.fromkeys((*kinds, *more, *journal, *roster, *after), deliverer))


def alert(key: str, now: datetime, **more: Any) -> Alert:
    usual = Alert(
        source="airflow",
        dedup_key=key,
        status=AlertStatus.FIRING,
        title=f"{key} failed",
        severity=Severity.ERROR,
        occurred_at=now,
    )
    return replace(usual, **more)


def _unreadable(delivery: Delivery, why: str, now: datetime) -> Alert:
    return alert(f"unreadable:{delivery.id}", now, unreadable=True, description=why)


def _word(value: object) -> str:
    return getattr(value, "key", None) or str(value)
