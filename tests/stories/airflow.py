"""Airflow as a story's source: what its plugin sends, through the real parser."""

import json
from collections.abc import Mapping

from bot.ports.inbox import Delivery
from bot.sources.airflow import parse
from bot.sources.kind import Source
from tests.stories.story import Story

AIRFLOW = Source(name="airflow", kind="airflow")


async def airflow_tells(
    story: Story, document: Mapping[str, object], *, settle: bool = True
) -> None:
    delivery = Delivery(
        id="d",
        source=AIRFLOW.name,
        key="k",
        body=json.dumps(document).encode(),
        content_type="application/json",
        headers={},
        received_at=story.clock.now(),
    )
    said = parse(AIRFLOW, delivery)
    await story.hears(*said.alerts, runs=said.runs, settle=settle)
