"""Why somebody is on call, beneath the answer to who is."""

from datetime import datetime, timedelta

from bot.ports.inbox import NotStoredError
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.text import Mrkdwn, join, md, outside
from rules.schedule.explanation import explain
from rules.schedule.who import find_rotation

_MOST_ROTATIONS = 12
_PAST = timedelta(days=1)
_LONGEST = 200


async def why_blocks(desk: Desk, rotation: str, when: datetime) -> list[Json]:
    """Return a line of reasons for each role, by the same resolution as the answer itself."""
    on_call = desk.on_call()
    since = min(when, desk.clock.now()) - _PAST
    try:
        schedule = desk.schedule(await desk.reader.changes(since))
    except NotStoredError:
        return []
    chosen = (find_rotation(on_call, rotation),) if rotation else on_call.rotations_at(when)
    lines = [
        _line(rotation=name, role=why.role, reasons=[reason.text for reason in why.reasons])
        for name in chosen[:_MOST_ROTATIONS]
        for why in explain(schedule, name, when)
    ]
    return kit.context(join("\n", [md("Why:"), *lines])) if lines else []


def _line(*, rotation: str, role: str, reasons: list[str]) -> Mrkdwn:
    told = md(" → ").join(outside(reason, _LONGEST) for reason in reasons)
    return md("{role} of {rotation}: {told}", role=role, rotation=rotation, told=Mrkdwn(told))
