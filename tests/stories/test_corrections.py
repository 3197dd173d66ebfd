"""A correction at night, and the next night that has learned from it."""

from sqlalchemy import update

from bot.acts.act import EndRule, SaveRule
from bot.app.learned_rules import LearnedRules
from bot.store.tables.core import LEARNED_RULE
from rules.category import Category
from rules.incident import State
from rules.priority import Impact, Priority
from rules.sentence import plain
from rules.teaching.correction import Remedy, breadths, rule_name
from tests.stories.conftest import Tell
from tests.stories.story import MONDAY_03, Story

LABELS = {"test": "singular_orders", "model": "fct_orders", "product": "orders"}
COMPLETENESS = Remedy(category=Category.COMPLETENESS)


async def fails(story: Story, **more: object) -> None:
    await story.fires("orders", source="dbt", labels=LABELS, title="orders is stale", **more)


async def learns(story: Story) -> LearnedRules:
    """Let this replica read the learned rules, as it does every two seconds."""
    learned = LearnedRules(story.store.lessons)
    await learned.refresh()
    story.rules.the_book = learned.on(story.rules.the_book)
    return learned


async def saves(story: Story, remedy: Remedy, breadth: int = 0, number: int = 1) -> str:
    incident = await story.incident(number)
    name = rule_name(incident, breadths(incident)[breadth], remedy)
    await story.asks(
        SaveRule(by="ana", number=number, breadth=breadth, name=name, why="rows were missing",
                 category=remedy.category, impact=remedy.impact, actionable=remedy.actionable)
    )  # fmt: skip
    return name


async def reasons(story: Story, number: int) -> list[str]:
    incident = await story.incident(number)
    entries = await story.store.reader.timeline(incident.id, 50)
    return [entry.sentence.render(plain) for entry in entries]


async def test_what_was_corrected_at_night_is_right_the_next_night(tell: Tell) -> None:
    story = tell()
    story.clock.set(MONDAY_03.replace(hour=5, minute=21))
    await fails(story)
    story.pages("ana")
    wrong = (await story.incident()).category
    assert wrong is not Category.COMPLETENESS
    await story.until(MONDAY_03.replace(hour=5, minute=25))
    await story.does("ana", "corrected", category=Category.COMPLETENESS, note="rows were missing")
    at = await story.incident()
    assert (at.category, at.state) == (Category.COMPLETENESS, State.TRIGGERED)
    assert any(
        "ana corrected it: the category is completeness" in r for r in await reasons(story, 1)
    )
    name = await saves(story, COMPLETENESS)
    assert "Saved rule" in story.said()[-1]
    await learns(story)
    await story.does("ana", "resolved")
    await story.after(days=1)
    await fails(story)
    tonight = await story.incident(2)
    assert tonight.category is Category.COMPLETENESS
    assert f"Completeness: learned rule {name}, by ana." in await reasons(story, 2)


async def test_what_is_called_not_actionable_stops_paging_at_once_and_next_time(tell: Tell) -> None:
    story = tell()
    await fails(story)
    story.pages("ana")
    await story.does("ana", "corrected", actionable=False)
    await story.after(hours=8)
    story.pages()
    await saves(story, Remedy(actionable=False))
    learned = await learns(story)
    await story.does("ana", "resolved")
    await fails(story)
    await story.after(hours=8)
    story.pages()
    assert (await story.incident(2)).quiet_rule
    (rule,) = await story.store.lessons.learned_rules()
    await story.asks(EndRule(by="bo", rule_id=rule.id))
    assert await learned.refresh()


async def test_a_page_that_waits_in_the_outbox_is_called_off(tell: Tell) -> None:
    story = tell()
    await fails(story)
    story.pages("ana")
    await story.does("bo", "corrected", impact=Impact.MINOR)
    assert (await story.incident()).priority is Priority.P4
    await story.after(hours=2)
    story.pages()


async def test_a_rule_other_than_the_one_tried_is_not_saved(tell: Tell) -> None:
    story = tell()
    await fails(story)
    await story.asks(
        SaveRule(by="ana", number=1, breadth=1, name="something else", category=Category.ACCESS),
        SaveRule(by="ana", number=1, breadth=99, name="", category=Category.ACCESS),
        SaveRule(by="ana", number=9, breadth=0, name="", category=Category.ACCESS),
    )
    await saves(story, COMPLETENESS)
    await saves(story, COMPLETENESS)
    told = story.said()
    assert ["has changed" in one for one in told[:2]] == [True, True]
    assert "no incident #9" in told[2]
    assert "in force already" in told[4]
    assert len(await story.store.lessons.learned_rules()) == 1


async def test_a_broken_stored_rule_is_left_out_and_said(tell: Tell) -> None:
    story = tell()
    await fails(story)
    await saves(story, COMPLETENESS)
    (rule,) = await story.store.lessons.learned_rules()
    async with story.store.database.write() as connection:
        await connection.execute(update(LEARNED_RULE).values(yaml="categories: {rules: [}"))
    learned = await learns(story)
    assert list(learned.broken) == [rule.id]
    await story.does("ana", "resolved")
    await fails(story)
    await story.after(minutes=1)
    story.pages("ana", "ana")
