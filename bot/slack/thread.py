"""One message of ours in an incident's thread that is kept as things are."""

from collections.abc import Sequence
from dataclasses import replace

from bot.ports.delivering import Delivered, MessageRef, RetryLaterError
from bot.ports.jobs import Job
from bot.slack.api import SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.scene import root_of

_NOTHING = Delivered()


def thread_of(messages: Sequence[MessageRef]) -> MessageRef:
    """Return the message whose thread it is; raises RetryLaterError while there is none.

    Without a time: in a channel that nobody can reach there never is one, and a thousand notes
    asking every second would be all that is done.
    """
    root = root_of(messages)
    if root is None:
        raise RetryLaterError("the incident has no message in the channel yet")
    return root


async def keep_in_thread(
    desk: Desk,
    job: Job,
    messages: Sequence[MessageRef],
    role: str,
    first: Json | None,
    body: Json,
) -> Delivered:
    """Post `first` where no message has this role yet, None for never; else edit it to `body`.

    An attempt that may have gone out is looked up before it is repeated, so that there is one; it
    is kept also when none is to be posted any more.
    """
    posted = next((m for m in messages if m.role == role), None)
    if posted is None:
        if first is None and not job.unsure:
            return _NOTHING
        root = thread_of(messages)
        if first is None:
            made = await desk.posted_before(job, root.channel, body, root.ts)
        else:
            made = await desk.post(job, root.channel, first, root.ts)
        return Delivered((replace(made, role=role),) if made else ())
    try:
        await desk.edit(job, posted.channel, posted.ts, body)
    except SlackRefusedError as refused:
        if refused.code != "message_not_found":
            raise
    return _NOTHING
