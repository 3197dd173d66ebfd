"""Says before a shift whether a person can be reached, and whether their access will be there."""

from bot.ports.inbox import NotStoredError
from bot.slack.desk import Desk
from bot.slack.text import Mrkdwn, join, md, outside
from bot.slack.views.contact import reached_by
from rules.access.group import Duty
from rules.access.readiness import Readiness, readiness
from rules.schedule.reminders import Notice


async def ready_for(desk: Desk, notice: Notice) -> list[Mrkdwn]:
    """Return a line on being reached, and one on elevated groups where the shift brings some.

    Raises GiveUpError when the person is not linked.
    """
    user = await desk.directory.user(notice.person)
    await desk.directory.learn(user)
    linked = md(
        "✅ You are linked and reachable: pages come here, as a direct message. Times for you "
        "are those of {zone}.",
        zone=desk.directory.zone_of(user),
    )
    return [linked, *_otherwise(desk, notice.person), *await _access(desk, notice)]


def _otherwise(desk: Desk, person: str) -> list[Mrkdwn]:
    """Say what follows the direct message when nobody answers it."""
    contacts = desk.rulebook().contacts
    if not contacts.configured:
        return []
    if not contacts.when_critical(person):
        return [md("⚠️ If Slack is down nobody can wake you: add a phone or another address of "
                   "yours to the roster's tab People.")]  # fmt: skip
    return [
        md("✅ Until you answer: {order}.", order=line) for line in reached_by(contacts, person)
    ]


async def _access(desk: Desk, notice: Notice) -> list[Mrkdwn]:
    rules = desk.rulebook().access
    if desk.access is None or not rules.groups:
        return []
    try:
        troubles = {one.name: one.trouble for one in await desk.access.standings()}
    except NotStoredError:
        return []
    duty = Duty(notice.rotation, notice.role)
    found = readiness(rules, notice.person, duty, troubles)
    ready = [outside(one.group, 80) for one in found if not one.fault]
    lines = [md("✅ With the shift you get {groups}.", groups=join(", ", ready))] if ready else []
    return lines + [_not_ready(one) for one in found if one.fault]


def _not_ready(one: Readiness) -> Mrkdwn:
    return md(
        "⚠️ {group} will not open for you: {why}. Tell its owner before the shift.",
        group=outside(one.group, 80),
        why=outside(one.fault, 300),
    )
