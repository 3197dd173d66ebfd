"""Answers about who is on call and whether they can be reached, and what in Slack lags behind."""

from collections.abc import Sequence
from datetime import datetime

from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.ports.followers import FollowerState
from bot.ports.inbox import NotStoredError
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.reasons import why_blocks
from bot.slack.text import Mrkdwn, join, lasting, md, outside
from bot.slack.views.answers import next_answer, said, who_answer
from bot.slack.views.contact import reached_by
from bot.slack.views.duties import people_answer
from bot.slack.wishes import AskNext, AskPeople, AskWho
from rules.schedule.following import Follower, FollowerKind

_MOST_IN_FULL = 5
BEHIND = 60.0
"""Seconds after which a follower that is behind is worth a word."""


async def answer_on_call(desk: Desk, question: AskWho | AskNext | AskPeople) -> Json:
    """Answer who is on call, who is next, or who can be reached at all."""
    now = desk.clock.now()
    match question:
        case AskWho(rotation, at):
            return await answer_who(desk, rotation, at, now)
        case AskNext(count, rotation):
            return next_answer(desk.on_call(), rotation, count, now, desk.directory)
        case AskPeople(words, page):
            return await answer_people(desk, words, page)


async def answer_people(desk: Desk, words: str = "", page: int = 1) -> Json:
    """Look up everybody whom the roster or the configuration names, or those with these words."""
    keys = sorted({*(person.key for person in desk.directory.people), *desk.rostered()})
    try:
        links = await desk.directory.links(keys)
    except (RetryLaterError, GiveUpError) as error:
        return said(md("Slack does not tell who is there: {why}. Try again.", why=str(error)))
    wanted = words.casefold()
    found = [one for one in links if wanted in f"{one.name}\n{one.key}".casefold()]
    if words and not found:
        return said(md("Nobody of {all} people is called “{words}”.", all=len(links),
                       words=outside(words, 80)))  # fmt: skip
    body = people_answer(found, words, page)
    if words and len(found) <= _MOST_IN_FULL:
        body["blocks"] += [
            block for one in found for block in _how(desk, one.key, one.name, alone=len(found) == 1)
        ]
    return body


def _how(desk: Desk, key: str, name: str, *, alone: bool) -> list[Json]:
    """Say by what somebody is reached besides Slack."""
    lines = reached_by(desk.rulebook().contacts, key)
    lead = md("Reached") if alone else md("{name} is reached", name=outside(name, 80))
    return [kit.section(join("\n", [md("*{lead}*", lead=lead), *lines]))] if lines else []


async def answer_who(desk: Desk, rotation: str, at: datetime | None, now: datetime) -> Json:
    """Say who is on call; for now also which follower shows something else."""
    body = who_answer(desk.on_call(), rotation, at or now, now, desk.directory)
    body["blocks"] += await why_blocks(desk, rotation, at or now)
    if at is not None:
        return body
    try:
        states = await desk.followers.followers()
    except NotStoredError:
        return body
    footer = kit.context(*(behind_line(s, now) for s in states if s.lag(now) > BEHIND))
    return {**body, "blocks": [*body["blocks"], *footer]}


def behind_line(state: FollowerState, now: datetime) -> Mrkdwn:
    """Say how far behind a follower is, and why where that is known."""
    title = outside(title_of(state.name), 120)
    lag = lasting(now - state.behind_since) if state.behind_since else "0 s"
    why = md(": {why}", why=outside(state.problem, 300)) if state.problem else Mrkdwn()
    return md("⏳ {what} is {lag} behind{why}", what=title, lag=lag, why=why)


def title_of(name: str) -> str:
    """Return what a person would call a follower of this name."""
    kind, _, place = name.partition(":")
    try:
        return Follower(kind=FollowerKind(kind), place=place).title
    except ValueError:
        return name


def trouble(states: Sequence[FollowerState], now: datetime) -> str:
    """Return what is wrong with followers in one text, "" when they all show who is on call."""
    found = []
    for state in states:
        if state.problem:
            found.append(f"{title_of(state.name)}: {state.problem}")
        elif state.lag(now) > BEHIND:
            found.append(f"{title_of(state.name)} is {state.lag(now):.0f} s behind")
    return "; ".join(found)
