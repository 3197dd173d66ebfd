"""What the form for elevated access offers one person, and who has what now."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.intake import Caller
from bot.slack.text import md, spoken
from bot.slack.views import access as views
from bot.slack.views import modals
from bot.slack.views.answers import said
from rules.access.asking import DISTRUST, WEEK, Ask, Scene, decide_request
from rules.access.grant import Grant, GrantState, Origin
from rules.access.group import AccessGroup
from rules.access.telling import Refusal
from rules.incident import Incident, State

_OPEN = (State.TRIGGERED, State.ACKNOWLEDGED)
_MOST_INCIDENTS, _MOST_GRANTS = 200, 500
_MOMENT = timedelta(minutes=1)
NO_GROUPS = "No elevated group is configured here. docs/access.md says how."


async def access_form(desk: Desk, caller: Caller, *, group: str = "", incident: int = 0) -> Json:
    """Build the form: the groups that this person may ask for, and why not the others."""
    rules, now = desk.rulebook().access, desk.clock.now()
    if not rules.groups or desk.access is None:
        return modals.trouble("Get access", md(NO_GROUPS))
    found = await desk.reader.incidents(states=_OPEN, limit=_MOST_INCIDENTS)
    grants = await desk.access.grants(now - WEEK, _MOST_GRANTS)
    scene = Scene(
        rules=rules,
        on_call=rules.on_call(desk.on_call()),
        now=now,
        incidents=tuple(found),
        grants=tuple(grants),
        ledger=tuple(await desk.access.ledger(now - DISTRUST, now)),
    )
    choices = [_choice(desk, one, caller.key, scene) for one in rules.groups.values()]
    return views.access_modal(
        choices,
        _mine_first(found, caller.key, incident),
        caller.metadata(incident),
        group=group,
        incident=incident,
    )


async def grants_answer(desk: Desk, user: str) -> Json:
    """Answer who has what now, and who waits for it."""
    if not desk.rulebook().access.groups or desk.access is None:
        return said(md(NO_GROUPS))
    grants = await desk.access.open_grants()
    person = desk.directory.key_of(user)
    return views.grants_answer(grants, person, desk.directory, desk.clock.now())


def group_named(desk: Desk, name: str) -> AccessGroup | None:
    """Find a group by its name, without regard to case."""
    groups = desk.rulebook().access.groups
    return groups.get(name) or groups.get(name.lower())


def _choice(desk: Desk, group: AccessGroup, person: str, scene: Scene) -> views.Choice:
    """Decide as if they asked for a minute, and gave a reason; nothing comes of it."""
    had = tuple(one for one in scene.grants if _counts(one, group, person, scene))
    ask = Ask(id="", group=group.name, person=person, length=_MOMENT, why="-")
    decided = decide_request(ask, replace(scene, had=had))
    if isinstance(decided, Refusal):
        return views.Choice(group, spoken(decided.sentence, desk.directory, scene.now))
    return views.Choice(group, at_once=decided.grant.state is not GrantState.REQUESTED)


def _counts(grant: Grant, group: AccessGroup, person: str, scene: Scene) -> bool:
    """Tell whether a grant counts for the limit of a week."""
    theirs = (grant.group, grant.person, grant.origin) == (group.name, person, Origin.ASKED)
    late = grant.requested_at >= scene.now - WEEK
    return theirs and late and grant.state is not GrantState.REFUSED


def _mine_first(found: Sequence[Incident], person: str, chosen: int) -> list[Incident]:
    def rank(incident: Incident) -> tuple[bool, bool, int]:
        mine = person in {incident.acked_by, incident.assigned_to}
        return incident.number != chosen, not mine, -incident.number

    return sorted(found, key=rank)
