"""Direct messages with people by key, also when their Slack account is another one by now."""

from bot.ports.delivering import GiveUpError, MessageRef
from bot.ports.jobs import Job
from bot.slack.api import SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.desk import Desk


async def messages_with(desk: Desk, person: str) -> str:
    """Return the channel of direct messages with a person; GiveUpError says why there is none."""
    user = await desk.directory.user(person)
    try:
        return await desk.places.messages_with(user)
    except SlackRefusedError as refused:
        return await _elsewhere(desk, person, user, refused)


async def write_to(desk: Desk, job: Job, person: str, message: Json) -> MessageRef:
    """Post once to a person. Raises RetryLaterError, GiveUpError or LeaseLostError."""
    channel = await messages_with(desk, person)
    try:
        return await desk.post(job, channel, message)
    except SlackRefusedError as refused:
        user = await desk.directory.user(person)
        channel = await _elsewhere(desk, person, user, refused)
    return await desk.post(job, channel, message)


async def _elsewhere(desk: Desk, person: str, user: str, refused: SlackRefusedError) -> str:
    """Who left may be back with another account, which their address leads to."""
    desk.places.forget_messages(user)
    try:
        other = await desk.directory.another(person, user)
        if other:
            return await desk.places.messages_with(other)
    except GiveUpError as error:
        refused.add_note(str(error))
    raise GiveUpError(f"{desk.directory.name(person)}: {refused}") from refused
