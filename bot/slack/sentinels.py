"""What the auditor tells in Slack, and the canary's short visit there."""

from collections.abc import Mapping
from datetime import timedelta

from bot.ports.delivering import Delivered, Deliverer, RetryLaterError
from bot.ports.jobs import Job
from bot.slack import blocks as kit
from bot.slack.announcing import announce
from bot.slack.api import LOG, SlackRefusedError
from bot.slack.delivery import Task
from bot.slack.desk import Desk
from bot.slack.text import md

TOO_LATE = timedelta(minutes=10)
"""Nobody waits any more for a canary as old as this."""

_NOTHING = Delivered()


def sentinel_deliverers(desk: Desk, canary_channel: str) -> Mapping[str, Deliverer]:
    """Return who carries out alarms of the auditor, and the canary where it has a channel."""
    canary = {"canary": CanaryVisit(desk, canary_channel)} if canary_channel else {}
    return {"alarm": Task(desk, announce), **canary}


class CanaryVisit:
    """Posts the canary, which shows that a page would get through, and deletes it at once."""

    def __init__(self, desk: Desk, channel: str) -> None:
        self._desk = desk
        self._channel = channel

    async def deliver(self, job: Job) -> Delivered:
        """Post and delete. Raises RetryLaterError or GiveUpError as any post does."""
        desk = self._desk
        if desk.clock.now() - job.created_at > TOO_LATE:
            return _NOTHING
        text = md("Watchbill's canary: the way to Slack is free. It is deleted at once.")
        ref = await desk.post_in(job, self._channel, kit.message(text, [kit.section(text)]))
        try:
            await desk.api.call("chat.delete", channel=ref.channel, ts=ref.ts)
        except (SlackRefusedError, RetryLaterError) as error:
            LOG.warning("the canary's message could not be deleted: %s", error)
        return _NOTHING
