"""Tells a channel or a person something once, in sentences, without an incident."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.ports.delivering import Delivered
from bot.ports.jobs import Job, JobPriority, NewJob
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.direct import messages_with
from bot.slack.scene import people_in
from bot.slack.text import Mrkdwn, join, spoken
from bot.wire import sentence_from_json, sentence_to_json
from rules.sentence import Sentence

ANNOUNCE = "announce"
_NOTHING = Delivered()


def announcement(
    key: str, sentences: Sequence[Sentence], now: datetime, *, channel: str = "", person: str = ""
) -> NewJob:
    """Return the job that tells a channel by name, or a person by key; `key` tells it once."""
    return NewJob(
        key=key,
        kind=ANNOUNCE,
        lane=f"dm:{person}" if person else f"slack:{channel}",
        priority=JobPriority.NOTE,
        due_at=now,
        payload={
            "channel": channel,
            "person": person,
            "sentences": [sentence_to_json(sentence) for sentence in sentences],
        },
    )


async def announce(desk: Desk, job: Job) -> Delivered:
    """Post the sentences of an announcement, one a line."""
    sentences = [sentence_from_json(one) for one in job.payload["sentences"]]
    await desk.directory.learn_names(people_in(sentences))
    now = desk.clock.now()
    text = join("\n", [spoken(one, desk.directory, now) for one in sentences])
    await post_to(desk, job, _message(text), job.payload)
    return _NOTHING


async def post_to(desk: Desk, job: Job, body: Json, payload: dict[str, Any]) -> None:
    """Post to the person of the payload, or in its channel. Raises RetryLaterError, GiveUpError."""
    if person := str(payload.get("person") or ""):
        await desk.post(job, await messages_with(desk, person), body)
    else:
        await desk.post_in(job, str(payload["channel"]), body)


def _message(text: Mrkdwn) -> Json:
    return kit.message(text, [kit.section(text)])
