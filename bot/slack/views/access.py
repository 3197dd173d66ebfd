"""Elevated groups as people meet them: the form, what is told of a grant, lists, App Home."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.ports.access import Telling
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, Names, at, join, lasting, md, one_line, outside
from rules.access.grant import Grant, GrantState
from rules.access.group import AccessGroup
from rules.incident import Incident

ASK, FORM = "access_ask", "access_form"
APPROVE, REFUSE = "access_approve", "access_refuse"
EXTEND, GIVE_BACK, REVOKE = "access_extend", "access_back", "access_revoke"
DECISIONS = (APPROVE, REFUSE, EXTEND, GIVE_BACK, REVOKE)
NO_INCIDENT, SHIFT = "0", "shift"
_LENGTHS = (("30 minutes", "30m"), ("1 hour", "1h"), ("2 hours", "2h"), ("4 hours", "4h"),
            ("8 hours", "8h"), ("24 hours", "24h"), ("3 days", "3d"), ("7 days", "7d"))  # fmt: skip
_HOURS = {value: span for (_, value), span in zip(
    _LENGTHS,
    (timedelta(minutes=30), *(timedelta(hours=h) for h in (1, 2, 4, 8, 24, 72, 168))),
    strict=True,
)}  # fmt: skip
_USUAL = "1h"
_MOST_GROUPS, _MOST_INCIDENTS, _MOST_LISTED, _MOST_AT_HOME = 80, 20, 20, 8
LONGEST_WHY = 500
_SHOWN_WHY = 300


@dataclass(frozen=True, slots=True)
class Choice:
    """A group in the form; `why_not` says why this person cannot ask for it, "" when they can.

    `at_once`: nobody has to approve, now.
    """

    group: AccessGroup
    why_not: Mrkdwn = field(default_factory=Mrkdwn)
    at_once: bool = False


def access_modal(
    choices: Sequence[Choice],
    incidents: Sequence[Incident],
    metadata: str,
    *,
    group: str = "",
    incident: int = 0,
) -> Json:
    """Ask for a group: which, how long, why, for which incident. Groups one cannot have say why."""
    able = [choice for choice in choices if not choice.why_not][:_MOST_GROUPS]
    mine = [choice.group for choice in able]
    rest = _closed([choice for choice in choices if choice.why_not])
    if not mine:
        text = md("There is no group that you can ask for now.")
        return kit.modal(FORM, "Get access", [kit.section(text), *rest])
    first = next((one for one in mine if one.name == group), mine[0])
    return kit.modal(
        FORM,
        "Get access",
        [
            kit.input_block(
                "group", "Group", kit.select("group", [_offer(g) for g in mine], first.name)
            ),
            *kit.context(join("\n", [_terms(one) for one in able[:10]])),
            kit.input_block("for", "For", kit.select("for", _lengths(mine), _USUAL)),
            _why_input(required=all(one.reason_required for one in mine)),
            *_incident_input(incidents, incident),
            *rest,
        ],
        submit="Ask",
        metadata=metadata,
    )


def told(
    what: Telling,
    text: Mrkdwn,
    grant: Grant | None,
    group: AccessGroup | None,
    now: datetime,
) -> Json:
    """What happened to a grant, when, and what can be done about it now."""
    lead = join(" ", [_SIGNS.get(what, Mrkdwn()), text])
    facts = times(grant, group, now) if grant else Mrkdwn()
    return kit.message(
        lead,
        [kit.section(lead), *kit.context(facts), *_buttons(what, grant, group)],
    )


def standing(
    what: Telling, grant: Grant, group: AccessGroup | None, names: Names, now: datetime
) -> Json:
    """An earlier message about a grant, as it is now; only the channel's keeps a button."""
    loud = what is Telling.BREAK_GLASS
    sign = Mrkdwn("🚨") if loud and grant.is_open else _STATES[grant.state]
    lead = join(" ", [sign, grant_line(grant, names, now)])
    why = _why(grant) if loud else Mrkdwn()
    return kit.message(
        lead,
        [
            kit.section(join("\n", [lead, why])),
            *kit.context(times(grant, group, now)),
            *(_buttons(what, grant, group) if loud else ()),
        ],
    )


def grant_line(grant: Grant, names: Names, now: datetime) -> Mrkdwn:
    """One grant in one line: who, which, for what, and how it stands."""
    return md(
        "*{who}* · `{group}`{incident}{glass} · {state}",
        who=_who(grant.person, names),
        group=outside(one_line(grant.group), 80),
        incident=md(" for #{number}", number=grant.incident) if grant.incident else Mrkdwn(),
        glass=Mrkdwn(", break-glass") if grant.break_glass else Mrkdwn(),
        state=_state(grant, names, now),
    )


def times(grant: Grant, group: AccessGroup | None, now: datetime) -> Mrkdwn:
    """When it was asked for, is active since, ends, is gone; and how long a change takes."""
    shown = [md("requested {when}", when=at(grant.requested_at, now))]
    if grant.active_since:
        shown.append(md("active since {when}", when=at(grant.active_since, now)))
    if grant.gone_since:
        shown.append(md("gone since {when}", when=at(grant.gone_since, now)))
    elif grant.until and grant.state is not GrantState.REQUESTED:
        shown.append(md("until {when}", when=at(grant.until, now)))
    if group and group.propagation and grant.state not in {GrantState.REFUSED, GrantState.FAILED}:
        shown.append(md("delay: {time}", time=group.propagation))
    shown.append(md("`{id}`", id=grant.id))
    return join(" · ", shown)


def grants_answer(grants: Sequence[Grant], person: str, names: Names, now: datetime) -> Json:
    """Who has what and who waits; one's own with the button that gives it back."""
    ask = [kit.actions("access:ask", ask_button(0))]
    if not grants:
        nobody = md("Nobody has elevated access, and nobody waits for it.")
        return kit.message(nobody, [kit.section(nobody), *ask])
    shown = [_listed(grant, person, names, now) for grant in grants[:_MOST_LISTED]]
    left = len(grants) - len(shown)
    more = kit.context(md("and {left} more: `watchbill access list`", left=left)) if left else []
    lead = md(
        "*{count} open grants.* Owners of a group end one with `/oncall revoke &lt;id&gt;`.",
        count=len(grants),
    )
    return kit.message(lead, [kit.section(lead), *shown, *more, *ask])


def home_blocks(grants: Sequence[Grant], person: str, names: Names, now: datetime) -> list[Json]:
    """What waits for my word, my grants, and the way to ask for one."""
    mine = [grant for grant in grants if grant.person == person][:_MOST_AT_HOME]
    waiting = [g for g in grants if waits_for(g, person)][:_MOST_AT_HOME]
    blocks: list[Json] = [kit.header("Access")]
    for grant in waiting:
        asks = md("*Waits for your word.* {line}", line=grant_line(grant, names, now))
        blocks.append(kit.section(join("\n", [asks, _why(grant)])))
        blocks.append(kit.actions(f"access:{grant.id}", *_decide(grant)))
    blocks += [_listed(grant, person, names, now) for grant in mine]
    if not mine:
        blocks.append(kit.section(md("You have no elevated access now.")))
    return [*blocks, kit.actions("access:ask", ask_button(0))]


def waits_for(grant: Grant, person: str) -> bool:
    return grant.state is GrantState.REQUESTED and person in grant.asked


def ask_button(incident: int) -> Json:
    """The button of an incident that opens the form for it."""
    return kit.button("Get access…", ASK, str(incident))


def _listed(grant: Grant, person: str, names: Names, now: datetime) -> Json:
    line = join("\n", [grant_line(grant, names, now), times(grant, None, now)])
    if grant.person != person or grant.state is GrantState.REVOKING:
        return kit.section(line)
    label = "Withdraw" if grant.state is GrantState.REQUESTED else "Give back now"
    return kit.section(line, kit.button(label, GIVE_BACK, grant.id))


def _state(grant: Grant, names: Names, now: datetime) -> Mrkdwn:
    match grant.state:
        case GrantState.REQUESTED if grant.asked:
            return md("waits for {who}", who=_who(grant.asked[-1], names))
        case GrantState.REQUESTED:
            return md("waits")
        case GrantState.GRANTING:
            return md("on its way{trouble}", trouble=_trouble(grant))
        case GrantState.ACTIVE if grant.until:
            return md("until {until}", until=at(grant.until, now))
        case GrantState.ACTIVE:
            return md("active")
        case GrantState.REVOKING:
            return md("being taken back{trouble}", trouble=_trouble(grant))
        case GrantState.ENDED:
            return md("ended")
        case GrantState.REFUSED:
            return md("refused")
        case GrantState.FAILED:
            return md("did not work{trouble}", trouble=_trouble(grant))


def _trouble(grant: Grant) -> Mrkdwn:
    return md(": {why}", why=outside(one_line(grant.trouble), 200)) if grant.trouble else Mrkdwn()


_SIGNS: Mapping[Telling, Mrkdwn] = {
    Telling.ACTIVE: Mrkdwn("🔓"),
    Telling.WARNING: Mrkdwn("⏳"),
    Telling.ENDED: Mrkdwn("🔒"),
    Telling.REFUSED: Mrkdwn("⛔"),
    Telling.FAILED: Mrkdwn("⚠️"),
    Telling.APPROVE: Mrkdwn("🔑"),
}
"""Alarms bring their own."""

_STATES: Mapping[GrantState, Mrkdwn] = {
    GrantState.REQUESTED: Mrkdwn("🔑"),
    GrantState.GRANTING: Mrkdwn("🔑"),
    GrantState.ACTIVE: Mrkdwn("🔓"),
    GrantState.REVOKING: Mrkdwn("⏳"),
    GrantState.ENDED: Mrkdwn("🔒"),
    GrantState.REFUSED: Mrkdwn("⛔"),
    GrantState.FAILED: Mrkdwn("⚠️"),
}


def _buttons(what: Telling, grant: Grant | None, group: AccessGroup | None) -> list[Json]:
    if grant is None or not grant.is_open:
        return []
    made = _fitting(what, grant, group)
    return [kit.actions(f"access:{grant.id}", *made)] if made else []


def _fitting(what: Telling, grant: Grant, group: AccessGroup | None) -> list[Json]:
    match what:
        case Telling.APPROVE | Telling.ROTATION_HELD:
            return _decide(grant) if grant.state is GrantState.REQUESTED else []
        case Telling.GRANTING | Telling.ACTIVE if grant.is_wanted:
            return [kit.button("Give back now", GIVE_BACK, grant.id)]
        case Telling.WARNING if grant.is_wanted:
            left = group.extensions - grant.extensions if group else 0
            label = f"Extend by {lasting(group.extend_by)}" if group else ""
            extend = [kit.button(label, EXTEND, grant.id, style="primary")] if left > 0 else []
            return [*extend, kit.button("Give back now", GIVE_BACK, grant.id)]
        case Telling.BREAK_GLASS if grant.is_wanted:
            return [kit.button("Revoke", REVOKE, grant.id, style="danger")]
        case _:
            return []


def _decide(grant: Grant) -> list[Json]:
    return [
        kit.button("Approve", APPROVE, grant.id, style="primary"),
        kit.button("Refuse", REFUSE, grant.id),
    ]


def _offer(group: AccessGroup) -> tuple[str, str]:
    return one_line(group.name), group.name


def _terms(choice: Choice) -> Mrkdwn:
    """What a group asks of whoever wants it, in one line."""
    group = choice.group
    terms = [md("{longest} at most", longest=lasting(group.longest))]
    if group.approvers:
        alone = md("*no approval needed now: break-glass, the channel is told*")
        terms.append(alone if choice.at_once else md("needs approval"))
    terms += [md("needs an incident")] if group.incident_required else []
    terms += [md("delay: {when}", when=group.propagation)] if group.propagation else []
    return md("`{name}`: {terms}", name=outside(group.name, 80), terms=join(", ", terms))


def _lengths(groups: Sequence[AccessGroup]) -> list[tuple[str, str]]:
    longest = max(group.longest for group in groups)
    fitting = [(label, value) for label, value in _LENGTHS if _HOURS[value] <= longest]
    return [*(fitting or _LENGTHS[:1]), ("Until my shift ends", SHIFT)]


def _why_input(*, required: bool) -> Json:
    box = kit.text_input("why", placeholder="What you will do with it", longest=LONGEST_WHY)
    hint = "It stands in the log, with your name."
    return kit.input_block("why", "Why", box, optional=not required, hint=hint)


def _incident_input(incidents: Sequence[Incident], chosen: int) -> list[Json]:
    options = [(f"#{i.number} {one_line(i.title)}", str(i.number))
               for i in incidents[:_MOST_INCIDENTS]]  # fmt: skip
    if not options:
        return []
    element = kit.select("incident", [*options, ("None", NO_INCIDENT)], str(chosen))
    hint = "It ends with its incident, if that is sooner."
    return [kit.input_block("incident", "For incident", element, optional=True, hint=hint)]


def _closed(choices: Sequence[Choice]) -> list[Json]:
    lines = [md("`{name}`: {why}", name=outside(choice.group.name, 80), why=choice.why_not)
             for choice in choices[:15]]  # fmt: skip
    return kit.context(join("\n", [md("*Not for you now*"), *lines])) if lines else []


def _why(grant: Grant) -> Mrkdwn:
    return md("_{why}_", why=outside(one_line(grant.why), _SHOWN_WHY)) if grant.why else Mrkdwn()


def _who(key: str, names: Names) -> Mrkdwn:
    return outside(names.name(key), 80) if key else Mrkdwn()
