"""A step of a page is carried out once, by whoever has its lease."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest

from bot.contact.answering import Answering
from bot.contact.delivery import ContactDeliverer, Means
from bot.contact.links import Links
from bot.contact.wording import text_message
from bot.contact_jobs import contact_job
from bot.ports.contact import Attempt, Backend, Result, Sent, Summons
from bot.ports.delivering import GiveUpError, LeaseLostError
from bot.ports.jobs import Job
from rules.contacting.method import Method
from rules.effects import Contact
from rules.hours import Hours
from rules.incident import Stakes
from rules.people import People, Person
from rules.priority import Impact, Urgency
from rules.sentence import Who, say
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.reader import FakeReader

ANA = Person("ana", "Ana", "ana@example.com", phone="+4917012345678")
DEADLINE = datetime(2026, 11, 23, 6, tzinfo=UTC)
STAKES = Stakes(name="Orders", impact=Impact.MODERATE, urgency=Urgency.HIGH, deadline=DEADLINE)
OFFICE = Hours(time(8), time(18), "Europe/Berlin")
WHY = say("you were asked at {at} by {who}", at=DEADLINE, who=Who("ana"))


class Refuses:
    """A service that repeats in its refusal whom it was to reach."""

    async def send(self, summons: Summons) -> Sent:
        raise GiveUpError(f"it answered 400 (The 'To' {summons.address} is not valid [21211])")


class Takes:
    """A service that takes everything."""

    def __init__(self) -> None:
        self.sent: list[Summons] = []

    async def send(self, summons: Summons) -> Sent:
        self.sent.append(summons)
        return Sent("SM1")


class Ledger:
    """What is written down of two steps of the page by the same method, and of others."""

    def __init__(self, clock: FakeClock) -> None:
        usual = Attempt(incident_id="i1", page="i1:0.0.0:ana", person="ana", method=Method.SMS,
                        step=1, attempt=1, at=clock.now(), changed_at=clock.now(),
                        result=Result.SENT, provider_id="SM0")  # fmt: skip
        self._held = [
            replace(usual, method=Method.SLACK, step=0, provider_id="1.0"),
            replace(usual, result=Result.TROUBLE, provider_id="", error="503"),
            usual,
            replace(usual, person="bo", provider_id="SM9"),
        ]

    async def attempts(self, incident_id: str) -> Sequence[Attempt]:
        return [one for one in self._held if one.incident_id == incident_id]


def deliverer(
    clock: FakeClock, service: Backend, method: Method, stakes: Stakes = STAKES
) -> ContactDeliverer:
    people = People([ANA])
    reader = FakeReader(incident(42, clock.now(), id="i1", paged=("ana",), stakes=stakes))
    answering = Answering(FakeInbox(), reader, clock, lambda key: people.by_key(key).name)
    means = Means(
        backends={method: service},
        people=people,
        zone_of={"ana": "Europe/Berlin"}.__getitem__,
        reader=reader,
        contacts=Ledger(clock),
        links=Links("secret", "https://watchbill.example", clock),
        answering=answering,
        clock=clock,
    )
    return ContactDeliverer(means)


def job(clock: FakeClock, method: Method) -> Job:
    now = clock.now()
    effect = Contact("ana", "i1:0.0.0:ana", 1, method, now - now, WHY)
    new = contact_job(effect, "i1", now, now)
    return Job(
        id="j1", key=new.key, kind=new.kind, lane=new.lane, priority=new.priority,
        payload=new.payload, incident_id="i1", due_at=now, created_at=now, first_attempt_at=now,
        attempts=1, lease=1, leased_until=now, revision=0, unsure=False,
    )  # fmt: skip


@pytest.mark.parametrize("method", [Method.EMAIL, Method.SMS, Method.VOICE])
async def test_whoever_is_reached_reads_times_in_their_own_zone(
    clock: FakeClock, method: Method
) -> None:
    service = Takes()
    await deliverer(clock, service, method).deliver(job(clock, method))
    told = dict(service.sent[0].details)
    assert told["Promised by"] == "Mon 2026-11-23 07:00 CET"
    assert told["Since"].endswith(" CET")
    assert service.sent[0].why == "you were asked at Mon 2026-11-23 07:00 CET by Ana"


@pytest.mark.parametrize(
    ("stakes", "hours", "told"),
    [
        ({}, 0, ("Promised by", "Mon 2026-11-23 07:00 CET")),
        ({"promised": "Revenue"}, 0, ("Promised by", "Mon 2026-11-23 07:00 CET for Revenue")),
        ({}, 4, ("Promised by", "Mon 2026-11-23 07:00 CET, missed")),
        ({"consumers": OFFICE}, 0, ("Wrong data", "read again from Mon 2026-11-23 07:00 CET")),
        ({"consumers": OFFICE}, 4, ("Wrong data", "its readers are there now")),
        (
            {"consumers": OFFICE, "promised": "Sales"},
            4,
            ("Wrong data", "in Sales, its readers are there now"),
        ),
    ],
)
async def test_whoever_is_reached_hears_by_when_and_for_whom(
    clock: FakeClock, stakes: dict[str, Any], hours: int, told: tuple[str, str]
) -> None:
    service = Takes()
    at_stake = replace(STAKES, product="orders_daily", **stakes)
    contact = deliverer(clock, service, Method.SMS, at_stake)
    mine = job(clock, Method.SMS)
    clock.advance(hours=hours)
    await contact.deliver(mine)
    assert told in service.sent[0].details
    assert ("Product", "Orders") in service.sent[0].details
    assert told[1] in text_message(service.sent[0])


async def test_the_channel_does_not_read_a_persons_number(clock: FakeClock) -> None:
    with pytest.raises(GiveUpError) as caught:
        await deliverer(clock, Refuses(), Method.SMS).deliver(job(clock, Method.SMS))
    assert str(caught.value) == "it answered 400 (The 'To' [hidden] is not valid [21211])"
    with pytest.raises(GiveUpError, match=r"ana@example\.com"):
        await deliverer(clock, Refuses(), Method.EMAIL).deliver(job(clock, Method.EMAIL))


@pytest.mark.parametrize("method", [Method.EMAIL, Method.SMS, Method.VOICE])
async def test_what_another_has_taken_over_is_not_sent(clock: FakeClock, method: Method) -> None:
    async def gone() -> bool:
        return False

    service = Takes()
    mine = job(clock, method)
    with pytest.raises(LeaseLostError):
        await deliverer(clock, service, method).deliver(replace(mine, still_ours=gone))
    assert service.sent == []
    await deliverer(clock, service, method).deliver(mine)
    assert len(service.sent) == 1


async def test_what_went_by_the_same_method_before_is_not_taken_for_what_may_have_gone(
    clock: FakeClock,
) -> None:
    service = Takes()
    mine = job(clock, Method.SMS)
    await deliverer(clock, service, Method.SMS).deliver(replace(mine, unsure=True))
    assert service.sent[0].unsure
    assert service.sent[0].recorded == {"SM0"}
