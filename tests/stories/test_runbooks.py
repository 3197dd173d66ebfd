"""What to try, at three in the morning: a checklist that knows what was tried, and acts once."""

from dataclasses import replace
from datetime import date, timedelta

import aiohttp
import pytest

from bot.acts.runbooks import RunAction, TickStep
from bot.app.aftercare.tending import Tending, TendingParts
from bot.ports.delivering import Deliverer
from bot.runbooks.running import Action, ActionDeliverer, RunningParts
from bot.webhook import incident_payload
from rules.catalogue import Catalogue, Product
from rules.documents.tasks_parts import task_rules
from rules.documents.tasks_spec import TaskRuleSpec
from rules.people import People, Person
from rules.rulebook import RuleBook
from rules.runbooks.choosing import Runbooks
from rules.runbooks.runbook import (
    ActionState,
    Guide,
    Matches,
    Runbook,
    RunbookStep,
    StepOutcome,
)
from rules.sentence import plain
from rules.silence import Silence
from tests.stories.conftest import Tell
from tests.stories.story import MONDAY_03, Story, alert, rulebook

ORDERS = {"product": "orders"}
LATE = Runbook(
    id="orders-late",
    title="Orders is late",
    owner="cy@example.com",
    reviewed_on=date(2026, 11, 1),
    matches=Matches(product=("orders",)),
    steps=(RunbookStep("Look at the log"), RunbookStep("Clear the task", "clear-task")),
)

LEFT = task_rules([[TaskRuleSpec.model_validate({"name": "tidy", "title": "Tidy up"})]])


def book(*runbooks: Runbook) -> RuleBook:
    products = [Product(id="orders", name="Orders", owner="cy@example.com"),
                Product(id="returns", name="Returns", owner="cy@example.com")]  # fmt: skip
    return rulebook(catalogue=Catalogue(products), runbooks=Runbooks(runbooks))


async def guide(story: Story, number: int = 1) -> Guide:
    found = await story.store.runbooks.guide((await story.incident(number)).id)
    assert found is not None
    return found


def tick(step: int, outcome: StepOutcome | None, by: str = "ana") -> TickStep:
    return TickStep(by=by, number=1, step=step, outcome=outcome)


def start(step: int = 1, attempt: int = 1, by: str = "ana") -> RunAction:
    return RunAction(by=by, number=1, step=step, attempt=attempt)


async def story_of(story: Story, number: int = 1) -> list[str]:
    lines = await story.store.reader.timeline((await story.incident(number)).id, 50)
    return [line.sentence.render(plain) for line in lines]


async def test_an_incident_gets_its_runbook_as_it_opens_and_keeps_it(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires(labels=ORDERS)
    await story.after(seconds=10)
    assert len(story.sent("runbook")) == 1
    story.rules.the_book = book(replace(LATE, steps=(RunbookStep("Something else"),)))
    await story.fires("orders-2", labels=ORDERS)
    assert (await guide(story)).use.runbook == LATE
    assert (await guide(story, 2)).use.runbook.steps == (RunbookStep("Something else"),)


async def test_ticks_are_kept_with_who_and_what_came_of_it_over_a_crash(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires(labels=ORDERS)
    await story.asks(tick(0, StepOutcome.DID_NOT_HELP))
    story.restart()
    await story.asks(tick(1, StepOutcome.WORKED, by="bo"))
    found = await guide(story)
    assert [(one.step, one.outcome, one.by) for one in found.ticks] == [
        (0, StepOutcome.DID_NOT_HELP, "ana"),
        (1, StepOutcome.WORKED, "bo"),
    ]
    told = await story_of(story)
    assert "ana: step 1 of the runbook did not help: Look at the log" in told
    assert "bo: step 2 of the runbook worked: Clear the task" in told
    await story.asks(tick(1, None))
    assert [one.step for one in (await guide(story)).ticks] == [0]


async def test_a_step_that_is_not_there_is_refused(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires(labels=ORDERS)
    await story.asks(tick(7, StepOutcome.WORKED))
    assert story.said()[-1] == "#1 has no such step in its runbook."
    await story.asks(start(step=0))
    assert story.said()[-1] == "That step has nothing to run."


async def test_what_nobody_is_shown_gets_no_runbook(tell: Tell) -> None:
    story = tell(book(LATE))
    silence = Silence("s", (), MONDAY_03 - timedelta(hours=1), MONDAY_03 + timedelta(hours=1),
                      "ana", "planned")  # fmt: skip
    async with story.store.store.begin() as tx:
        tx.save_silence(silence)
    await story.fires(labels=ORDERS)
    await story.after(seconds=10)
    assert story.sent("runbook") == []


async def test_two_clicks_on_one_button_run_once(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires(labels=ORDERS)
    await story.asks(start(), start(by="bo"))
    assert len(story.sent("runbook_action")) == 1
    assert "clear-task" in story.said()[-1]
    assert [run.by for run in (await guide(story)).runs] == ["ana"]


async def test_a_button_runs_what_it_names_or_nothing(tell: Tell) -> None:
    """What called nobody has no runbook of its own yet: its button shows the file as it was."""
    story = tell(replace(book(LATE), pages=frozenset()))
    await story.fires(labels=ORDERS)
    steps = (RunbookStep("Look at the log"), RunbookStep("Start over", "drop-table"))
    story.rules.the_book = replace(book(replace(LATE, steps=steps)), pages=frozenset())
    await story.asks(replace(start(), action="clear-task"))
    assert story.sent("runbook_action") == []
    assert story.said()[-1] == (
        "Step 2 of the runbook no longer runs clear-task: `/oncall runbook 1` shows it as it is."
    )
    await story.asks(replace(start(), action="drop-table"))
    assert len(story.sent("runbook_action")) == 1


async def test_a_resolved_incident_runs_nothing(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires(labels=ORDERS)
    await story.does("ana", "resolved")
    await story.asks(start())
    assert story.said()[-1] == "#1 is resolved; nothing was run."
    assert story.sent("runbook_action") == []


def runner(story: Story, session: aiohttp.ClientSession, action: Action) -> Deliverer:
    return ActionDeliverer(
        RunningParts(
            store=story.store.store,
            reader=story.store.reader,
            runbooks=story.store.runbooks,
            clock=story.clock,
            session=session,
            actions={"clear-task": action},
            payload=incident_payload,
            headers=lambda _name, _body, _key: {},
            hide=str,
        )
    )


async def test_after_a_crash_in_the_middle_it_says_that_it_may_have_run(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires(labels=ORDERS)
    await story.asks(start())
    (job,) = story.sent("runbook_action")
    async with story.store.store.begin() as tx:  # begun, and then the process died
        assert await tx.runbooks.begin_action(job.key, story.clock.now())
    story.restart()
    async with aiohttp.ClientSession() as session:
        again = runner(story, session, Action(command=("/bin/false",)))
        await again.deliver(job)
        await again.deliver(job)
    await story.after(seconds=5)
    run = (await guide(story)).latest_run(1)
    assert run is not None
    assert run.state is ActionState.UNKNOWN
    assert "may have run" in run.output
    assert (await story_of(story)).count("clear-task, step 2 of the runbook, may have run.") == 1
    assert len(story.sent("runbook_result")) == 1
    await story.asks(start(attempt=2))
    assert len(story.sent("runbook_action")) == 2


@pytest.mark.parametrize(
    ("label", "state", "said"),
    [
        ("daily_orders", ActionState.DONE, "cleared daily_orders"),
        ("--help", ActionState.FAILED, "Nothing was run: its dag_id has signs"),
        ("$(reboot)", ActionState.FAILED, "Nothing was run: its dag_id has signs"),
        ("a/../../b", ActionState.FAILED, "Nothing was run: its dag_id has signs"),
    ],
)
async def test_a_command_gets_values_of_the_incident_and_no_others(
    tell: Tell, label: str, state: ActionState, said: str
) -> None:
    story = tell(book(LATE))
    await story.fires(labels={**ORDERS, "dag_id": label})
    await story.asks(start())
    (job,) = story.sent("runbook_action")
    action = Action(command=("/bin/echo", "cleared", "{dag_id}"), placeholders=("dag_id",))
    async with aiohttp.ClientSession() as session:
        await runner(story, session, action).deliver(job)
    run = (await guide(story)).latest_run(1)
    assert run is not None
    assert (run.state, run.output.startswith(said)) == (state, True), run.output


class Tended:
    """Gaps and reminders as the bot looks after them."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.tending = Tending(
            TendingParts(
                store=story.store.store,
                runbooks=lambda: story.rules.the_book.runbooks,
                reads=story.store.runbooks,
                tasks=story.store.tasks,
                clock=story.clock,
                people=People([Person("cy@example.com", "Cy")]),
                quiet=lambda _person: None,
                channel="data-alerts",
                catalogue=lambda: story.rules.the_book.catalogue,
                review_after=timedelta(days=90),
            )
        )

    async def days(self, count: float) -> int:
        """Let days pass, looking every six hours; return how many reminders went out."""
        before = len(self.story.sent("announce"))
        for _ in range(int(count * 4)):
            await self.story.after(hours=6)
            await self.tending.tick()
            await self.story.settle()
        return len(self.story.sent("announce")) - before


async def test_a_missing_runbook_is_asked_for_weekly_until_it_is_written(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires("returns", labels={"product": "returns"})
    await story.does("ana", "resolved")
    (gap,) = await story.store.runbooks.gaps()
    assert (gap.subject, gap.owner, gap.number) == ("returns", "cy@example.com", 1)
    tended = Tended(story)
    assert await tended.days(1) == 1
    assert await tended.days(6) == 0
    assert await tended.days(1) == 1
    assert story.sent("announce")[0].payload["person"] == "cy@example.com"
    own = replace(LATE, id="returns", matches=Matches(product=("returns",)))
    story.rules.the_book = book(LATE, own)
    assert await tended.days(8) == 0
    assert await story.store.runbooks.gaps() == []


async def test_a_link_in_the_catalogue_is_what_was_asked_for(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires("returns", labels={"product": "returns"})
    await story.does("ana", "resolved")
    tended = Tended(story)
    await tended.tending.tick()
    assert len(await story.store.runbooks.gaps()) == 1
    linked = Product(id="returns", name="Returns", runbook="https://wiki.example/returns")
    story.rules.the_book = replace(book(LATE), catalogue=Catalogue([linked]))
    assert await tended.days(8) == 0
    assert await story.store.runbooks.gaps() == []


async def test_reminders_of_a_gap_have_an_end(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires("returns", labels={"product": "returns"})
    await story.does("ana", "resolved")
    assert await Tended(story).days(60) == 4


async def test_steps_that_failed_make_a_runbook_stale_until_it_is_reviewed(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires(labels=ORDERS)
    await story.asks(tick(0, StepOutcome.DID_NOT_HELP))
    await story.does("ana", "resolved")
    tended = Tended(story)
    await tended.tending.tick()
    (gap,) = await story.store.runbooks.gaps()
    assert (gap.key, gap.number) == ("failed:orders-late", 1)
    reviewed = replace(LATE, reviewed_on=story.clock.now().date() + timedelta(days=1))
    story.rules.the_book = book(reviewed)
    await tended.tending.tick()
    assert await story.store.runbooks.gaps() == []


async def test_whoever_mends_a_runbook_on_the_day_it_failed_has_mended_it(tell: Tell) -> None:
    story = tell(book(LATE))
    await story.fires(labels=ORDERS)
    await story.asks(tick(0, StepOutcome.DID_NOT_HELP))
    await story.does("ana", "resolved")
    tended = Tended(story)
    await tended.tending.tick()
    assert len(await story.store.runbooks.gaps()) == 1
    today = story.clock.now().date()
    story.rules.the_book = book(replace(LATE, reviewed_on=today))
    await tended.tending.tick()
    assert await story.store.runbooks.gaps() == []
    await story.after(hours=1)
    await story.fires("orders-2", labels=ORDERS)
    await story.asks(replace(tick(0, StepOutcome.DID_NOT_HELP), number=2))
    await tended.tending.tick()
    assert [gap.number for gap in await story.store.runbooks.gaps()] == [2], "it failed as mended"


async def test_ninety_days_without_a_review_are_a_gap(tell: Tell) -> None:
    story = tell(book(replace(LATE, reviewed_on=MONDAY_03.date() - timedelta(days=91))))
    await Tended(story).tending.tick()
    assert [gap.key for gap in await story.store.runbooks.gaps()] == ["old:orders-late"]


async def test_what_calls_nobody_gets_nothing_into_its_thread(tell: Tell) -> None:
    """Minor things that come and go by themselves leave their threads empty."""
    quiet = replace(book(LATE), pages=frozenset(), tasks=LEFT)
    story = tell(quiet)
    for n in range(30):
        await story.fires(f"orders-{n}", labels=ORDERS)
    await story.after(minutes=5)
    for n in range(30):
        await story.recovers(f"orders-{n}", labels=ORDERS)
    await story.after(minutes=5)
    kinds = {sent.kind for sent in story.slack.sent}
    assert kinds <= {"show"}, kinds


async def test_who_takes_it_all_the_same_gets_the_runbook_and_the_tasks(tell: Tell) -> None:
    story = tell(replace(book(LATE), pages=frozenset(), tasks=LEFT))
    await story.fires(labels=ORDERS)
    await story.after(minutes=1)
    assert story.sent("runbook") == []
    await story.does("ana", "acked")
    await story.after(minutes=1)
    assert len(story.sent("runbook")) == 1
    await story.does("ana", "resolved")
    await story.after(minutes=1)
    assert len(story.sent("tasks")) == 1


async def test_a_step_of_what_called_nobody_can_be_ticked(tell: Tell) -> None:
    story = tell(replace(book(LATE), pages=frozenset()))
    await story.fires(labels=ORDERS)
    await story.asks(tick(0, StepOutcome.WORKED))
    assert [one.step for one in (await guide(story)).ticks] == [0]


async def test_a_storm_has_one_checklist_and_one_list_for_each_that_pages(tell: Tell) -> None:
    story = tell(replace(book(LATE), tasks=LEFT))
    await story.hears(*(alert(f"t-{n}", MONDAY_03, labels=ORDERS) for n in range(200)))
    await story.after(minutes=2)
    shown = {job.incident_id for job in story.sent("show")}
    assert len(shown) <= 11
    assert len(story.sent("runbook")) <= len(shown)
    assert story.sent("tasks") == []


async def test_without_any_runbook_the_product_is_told_and_no_gap_opens(tell: Tell) -> None:
    story = tell(book())
    await story.fires(labels=ORDERS)
    await story.fires("unknown", labels={"product": "elsewhere"})
    await story.after(minutes=1)
    assert [job.incident_id for job in story.sent("runbook")] == [(await story.incident()).id]
    assert await story.store.runbooks.gaps() == []
