"""The clock moves, the priority rises, another route answers: to the minute."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from bot.acts.act import MakeSilence
from rules.alert import Severity
from rules.catalogue import Catalogue, Product, Promises
from rules.incident import State
from rules.matching.matcher import parse_matchers
from rules.policy import Policy
from rules.priority import Priority
from rules.rulebook import Route, RuleBook
from rules.sla import FreshBy
from tests.stories.conftest import Tell
from tests.stories.story import PRIMARY, SECONDARY, Story, alert, page, rulebook

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
LABELS = {"product": "orders"}


def book(tier: int = 2) -> RuleBook:
    """By day Ana, then Bo; from P2 on, Bo at once, then Ana."""
    product = Product(
        id="orders",
        name="Orders",
        tier=tier,
        promises=Promises(fresh_by=FreshBy(time(15), "UTC")),
    )
    asked = parse_matchers("priority in [P1, P2]")[0]
    night = Route("night", "urgent", "elsewhere", "data", asked)
    made = rulebook(catalogue=Catalogue([product]))
    urgent = Policy("urgent", (page(SECONDARY, wait=3), page(PRIMARY, wait=3)))
    return replace(made, routes=(night, *made.routes), policies={**made.policies, "urgent": urgent})


async def fails(story: Story, hour: int) -> None:
    story.clock.set(MONDAY.replace(hour=hour))
    await story.hears(alert("orders", story.clock.now(), labels=LABELS))


async def test_medium_becomes_high_and_the_night_route_pages(tell: Tell) -> None:
    story = tell(book())
    await fails(story, 10)
    story.pages()
    assert (await story.incident()).priority is Priority.P4
    await story.until(MONDAY.replace(hour=10, minute=19, second=59))
    story.pages()
    await story.until(MONDAY.replace(hour=10, minute=20))
    at = await story.incident()
    assert (at.priority, at.route, at.channel) == (Priority.P3, "default", "data-alerts")
    story.pages("ana")
    await story.does("ana", "acked")
    await story.until(MONDAY.replace(hour=13, minute=20))
    at = await story.incident()
    assert (at.priority, at.route, at.policy.name) == (Priority.P2, "night", "urgent")
    assert (at.state, at.acked_by, at.channel) == (State.ACKNOWLEDGED, "ana", "data-alerts")
    story.pages()
    await story.does("ana", "unacked")
    story.pages("bo")
    await story.after(minutes=3)
    story.pages("ana")


async def test_nobody_has_it_and_the_new_policy_begins_at_its_first_step(tell: Tell) -> None:
    story = tell(book())
    await fails(story, 13)
    story.pages("ana")
    await story.after(minutes=5)
    story.pages("bo")
    await story.after(minutes=10)
    story.pages("dee")
    await story.until(MONDAY.replace(hour=13, minute=19, second=59))
    story.pages()
    await story.until(MONDAY.replace(hour=13, minute=20))
    story.pages("bo")
    why = [e.sentence for e in await story.store.reader.timeline((await story.incident()).id, 50)]
    assert "Priority is P2 now: route night, policy urgent." in [str(s.render(str)) for s in why]
    await story.after(minutes=3)
    story.pages("ana")
    await story.after(minutes=3)
    story.pages("dee")


async def test_a_worse_alert_takes_the_other_route(tell: Tell) -> None:
    story = tell(book())
    await story.fires(severity=Severity.UNKNOWN)
    story.pages("ana")
    await story.fires(severity=Severity.CRITICAL)
    story.pages("bo")
    await story.does("bo", "acked")
    await story.after(hours=1)
    story.pages()
    assert (await story.incident()).route == "night"


async def test_a_silence_by_product_quiets_what_is_open_and_what_comes(tell: Tell) -> None:
    story = tell(book())
    await fails(story, 13)
    story.pages("ana")
    until = MONDAY.replace(hour=14)
    asked = "product in [orders, sales] priority like P*"
    silence = MakeSilence(by="ana", matchers=asked, until=until, why="deploy")
    await story.asks(silence)
    assert story.said()[-1].startswith("Silence ")
    assert "; 1 open incidents are covered." in story.said()[-1]
    await story.hears(alert("stock", story.clock.now(), labels={"product": "sales"}))
    await story.until(MONDAY.replace(hour=13, minute=59))
    story.pages()
    await story.until(until + timedelta(seconds=5))
    story.pages("bo", "bo")


async def test_a_restart_in_between_neither_loses_nor_repeats_it(tell: Tell) -> None:
    story = tell(book())
    await fails(story, 13)
    story.pages("ana")
    await story.down(hours=1)
    at = await story.incident()
    assert at.route == "night"
    story.pages("bo")
    await story.recovers("orders", labels=LABELS)
    await story.until(MONDAY.replace(hour=20))
    story.pages()
    assert await story.state() is State.RESOLVED
