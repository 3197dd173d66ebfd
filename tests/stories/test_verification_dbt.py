"""What real dbt commands prove of an incremental model: a plain run nothing, what loads it again all."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.sources.dbt import parse
from bot.sources.dbt_artifacts import documents
from bot.sources.kind import Source
from rules.incident import State
from rules.verification import Proof, Verdict
from tests.fakes.deliveries import PAYLOADS, delivery
from tests.stories.conftest import Tell
from tests.stories.fixes import FRIDAY, timeline, verdict, waits
from tests.stories.story import Story

SOURCE = Source(name="dbt", kind="dbt")
DAILY, MERGED = "orders_daily", "orders_merged"


async def runs(story: Story, name: str, model: str) -> None:
    """Let dbt tell what a command did, as if it had run in the last minute."""
    (body,) = documents(PAYLOADS / "dbt/incremental" / f"{name}.json")
    now = story.clock.now()
    began, ended = (
        (now - timedelta(seconds=50)).isoformat(),
        (now - timedelta(seconds=5)).isoformat(),
    )
    body["metadata"] |= {"invocation_started_at": began, "generated_at": ended}
    for result in body["results"]:
        result["completed_at"] = ended
    parsed = parse(SOURCE, replace(delivery(body, source="dbt"), received_at=now))
    told = [one for one in parsed.alerts if one.labels.get("model") == model]
    await story.hears(*told, runs=parsed.runs)


async def breaks_and_is_fixed(story: Story, model: str) -> None:
    story.clock.set(FRIDAY)
    await runs(story, "broken", model)
    story.pages("ana")
    await story.does("ana", "acked")
    await story.after(minutes=10)
    await story.does("ana", "resolved", note="put the column back")
    seen = (await story.incident()).verification
    assert seen
    assert seen.expects
    assert seen.expects.proof is Proof.BACKFILL
    await story.after(minutes=10)


@pytest.mark.parametrize(
    ("model", "others", "proof"),
    [
        (MERGED, ["plain"], "full"),
        (DAILY, ["plain"], "window"),
        (DAILY, ["plain", "plain"], "full"),
    ],
)
async def test_an_incremental_model_is_proved_by_what_loads_it_again(
    tell: Tell, model: str, others: Sequence[str], proof: str
) -> None:
    story = tell(waits())
    await breaks_and_is_fixed(story, model)
    for name in others:
        await runs(story, name, model)
        assert await verdict(story) is Verdict.PENDING
        assert any("still has to be loaded again" in line for line in await timeline(story))
        await story.after(minutes=10)
    await runs(story, proof, model)
    assert await verdict(story) is Verdict.PASSED
    assert (await story.incident()).is_closed
    story.pages()


async def test_a_backfill_of_another_model_proves_nothing(tell: Tell) -> None:
    story = tell(waits())
    await breaks_and_is_fixed(story, MERGED)
    await runs(story, "window", MERGED)
    assert await verdict(story) is Verdict.PENDING


async def test_a_full_refresh_that_began_before_the_claim_proves_nothing(tell: Tell) -> None:
    story = tell(waits())
    story.clock.set(FRIDAY)
    await runs(story, "broken", MERGED)
    await story.does("ana", "acked")
    await story.after(minutes=10)
    await story.does("ana", "resolved")
    await story.after(seconds=20)
    await runs(story, "full", MERGED)
    assert await verdict(story) is Verdict.PENDING


async def test_a_backfill_that_fails_reopens_it(tell: Tell) -> None:
    story = tell(waits())
    await breaks_and_is_fixed(story, DAILY)
    story.pages()
    await runs(story, "broken", DAILY)
    story.pages("ana")
    assert await story.state() is State.TRIGGERED
