"""What a page says by other methods than Slack: as short as each of them wants it."""

from collections.abc import Mapping

from bot.ports.contact import Summons
from rules.plain_line import one_line

LONGEST_SMS = 300
"""Two segments of 153, as long as nothing in it needs the wide alphabet."""
_TITLE, _WHY, _SMS_TITLE = 120, 120, 140
_AT_STAKE: Mapping[str, int] = {"Product": 60, "Promised by": 80, "Wrong data": 60, "Impact": 80}
"""What is told even where there is little room, and how much of it."""


def headline(summons: Summons, longest: int = 200) -> str:
    """Return the line that says what it is: `P1 #42: orders failed`."""
    if summons.test:
        return "Watchbill: a test, nothing is broken"
    if summons.alarm:
        return one_line(f"Watchbill: {summons.title}", longest)
    return one_line(f"{summons.priority} #{summons.number}: {summons.title}", longest)


def lines(summons: Summons) -> list[str]:
    """Return what else there is to say, a fact a line."""
    if summons.test:
        return [f"This is a test of how {summons.person} is reached. There is nothing to do."]
    if summons.alarm:
        return [one_line(summons.title, 1_000)]
    why = [f"You are paged because {one_line(summons.why, 300)}."] if summons.why else []
    return [*why, *(f"{name}: {one_line(value, 500)}" for name, value in summons.details if value)]


def text_message(summons: Summons) -> str:
    """Return the text of an SMS, with the code to reply where a reply is heard."""
    if summons.test:
        return f"{headline(summons)}."
    if summons.alarm:
        return headline(summons, LONGEST_SMS)
    how = (
        f"Reply {summons.code} to acknowledge." if summons.code else "Open Slack to acknowledge it."
    )
    told = [_sentence(f"Watchbill {headline(summons, _SMS_TITLE)}")]
    for fact in _at_stake(summons):
        if len(" ".join([*told, fact, how])) <= LONGEST_SMS:
            told.append(fact)
    return " ".join([*told, how])


def spoken(summons: Summons) -> str:
    """Return what a voice reads out."""
    if summons.test:
        return "This is Watchbill. This is a test. Nothing is broken."
    if summons.alarm:
        return f"This is Watchbill. {one_line(summons.title, 600)}"
    title, why = one_line(summons.title, _TITLE), one_line(summons.why, _WHY)
    because = f" You are called because {why}." if why else ""
    priority = " ".join(summons.priority)
    more = f" {summons.others} more wait for you." if summons.others else ""
    what = f"Incident {summons.number}, priority {priority}. {_sentence(title)}"
    stake = "".join(f" {fact}" for fact in _at_stake(summons))
    return f"This is Watchbill. {what}{stake}{because}{more}"


def _at_stake(summons: Summons) -> list[str]:
    """Return whom it hurts and by when, a sentence each, as far as that is known."""
    known = dict(summons.details)
    return [
        _sentence(f"{name}: {one_line(known[name], longest)}")
        for name, longest in _AT_STAKE.items()
        if known.get(name)
    ]


def _sentence(text: str) -> str:
    """Close a sentence; the one-character ellipsis alone would make a text message cost double."""
    plain = text.replace("…", "...")
    return plain if plain.endswith((".", "!", "?")) else f"{plain}."
