"""A picture of the blast radius: once, only when many are hit, and never before a page."""

from dataclasses import replace

from structlog.testing import capture_logs

from bot.ports.delivering import GiveUpError
from bot.ports.jobs import Job, JobPriority
from rules.matching.matcher import parse_matchers
from rules.rulebook import RuleBook
from rules.silence import Silence
from rules.weighing.priority_rules import DEFAULT_PRIORITY_RULES
from tests.bot.picture.samples import lineage
from tests.stories.conftest import Tell
from tests.stories.story import MONDAY_03, Story, alert, rulebook

LABELS = {"product": "orders", "unique_id": "m.fct"}


def hitting(dashboards: int, products: int) -> RuleBook:
    known = lineage(dashboards, products)
    return rulebook(catalogue=known.catalogue, lineage=known, priority_rules=DEFAULT_PRIORITY_RULES)


async def fails(story: Story, key: str = "fct_orders", node: str = "m.fct") -> None:
    labels = {**LABELS, "unique_id": node}
    await story.hears(alert(key, story.clock.now(), labels=labels, source="dbt", group_key="run 1"))


async def test_it_comes_once_however_often_the_incident_changes(tell: Tell) -> None:
    story = tell(hitting(dashboards=3, products=4))
    await fails(story)
    assert story.sent("picture") == []
    await story.after(minutes=1)
    [job] = story.sent("picture")
    assert job.priority is JobPriority.PICTURE
    assert job.priority == max(JobPriority)
    await story.does("ana", "acked")
    await story.does("ana", "unacked")
    await fails(story)
    await story.recovers("fct_orders", labels=LABELS, source="dbt", group_key="run 1")
    await story.after(hours=1)
    assert len(story.sent("picture")) == 1


async def test_three_consumers_need_no_picture(tell: Tell) -> None:
    story = tell(hitting(dashboards=1, products=2))
    await fails(story)
    await story.after(hours=1)
    assert story.sent("picture") == []


async def test_four_do(tell: Tell) -> None:
    story = tell(hitting(dashboards=2, products=2))
    await fails(story)
    await story.after(minutes=1)
    assert len(story.sent("picture")) == 1


async def test_what_is_silenced_is_drawn_only_when_it_is_shown(tell: Tell) -> None:
    matchers, _ = parse_matchers("product=orders")
    end = MONDAY_03.replace(hour=4)
    quiet = Silence("s1", matchers, MONDAY_03, end, "ana", "moving house")
    story = tell(replace(hitting(3, 4)))
    async with story.store.store.begin() as tx:
        tx.save_silence(quiet)
    await fails(story)
    await story.until(end)
    assert story.sent("picture") == []
    await story.after(minutes=1)
    assert len(story.sent("picture")) == 1


async def test_a_picture_that_cannot_be_shared_is_missed_quietly(tell: Tell) -> None:
    story = tell(hitting(dashboards=3, products=4))

    def refused(job: Job) -> None:
        if job.kind == "picture":
            raise GiveUpError("the Slack app lacks a scope")

    story.slack.fault = refused
    with capture_logs() as logs:
        await fails(story)
        await story.after(hours=1)
    given_up = [one for one in logs if one.get("action") == "give_up"]
    assert [one["log_level"] for one in given_up] == ["info"]
    told = await story.store.reader.timeline((await story.incident()).id, 100)
    said = [entry.sentence.render(str) for entry in told if entry.what == "GivenUp"]
    assert said == [
        "The picture of the blast radius was given up: the Slack app lacks a scope",
    ]
    assert story.said() == []


async def test_a_worse_alert_about_something_else_is_another_picture(tell: Tell) -> None:
    story = tell(hitting(dashboards=5, products=8))
    await fails(story, "other", node="m.p0")
    await story.after(minutes=1)
    assert story.sent("picture") == []
    await fails(story)
    await story.after(minutes=1)
    keys = [job.key for job in story.sent("picture")]
    assert len(keys) == 1
    assert keys[0].endswith(":picture:m.fct")
