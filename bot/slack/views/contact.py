"""By what a person is reached, and in which order; never their addresses."""

from collections.abc import Sequence

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, join, lasting, md
from rules.contacting.contacts import Contacts
from rules.contacting.method import TITLES, ContactStep
from rules.priority import Urgency


def reached_by(contacts: Contacts, person: str) -> list[Mrkdwn]:
    """Return a line for each order that the person is reached in, the most urgent first."""
    if not contacts.configured:
        return []
    orders: dict[tuple[ContactStep, ...], list[Urgency]] = {}
    for urgency in Urgency:
        orders.setdefault(contacts.steps(person, urgency), []).append(urgency)
    if list(orders) == [()]:
        return [md("⚠️ By Slack alone: no other address is known.")]
    return [
        md("{urgencies}{order}", urgencies=_urgencies(urgencies, orders), order=_order(steps))
        for steps, urgencies in orders.items()
    ]


def home_section(contacts: Contacts, person: str) -> list[Json]:
    """Return what App Home says of how its reader is reached, nothing where Slack is all there is."""
    lines = reached_by(contacts, person)
    if not lines:
        return []
    hint = md("Your addresses stand in the roster's tab People.")
    return [kit.header("How I am reached"), kit.section(join("\n", lines)), *kit.context(hint)]


def _urgencies(
    urgencies: Sequence[Urgency], orders: dict[tuple[ContactStep, ...], list[Urgency]]
) -> Mrkdwn:
    if len(orders) == 1:
        return Mrkdwn()
    return md("{names}: ", names=", ".join(urgencies))


def _order(steps: Sequence[ContactStep]) -> Mrkdwn:
    words = [
        md("{method} after {wait}", method=TITLES[step.method], wait=lasting(step.after))
        if step.after
        else md("{method}", method=TITLES[step.method])
        for step in steps
    ]
    return join(", ", [md("Slack"), *words])
