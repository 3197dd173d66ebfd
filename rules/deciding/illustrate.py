"""When an incident is worth a picture of its blast radius, and of what."""

from dataclasses import replace

from rules.decision import Decision
from rules.effects import ShowPicture
from rules.incident import Incident

WIDE = 3
"""A blast radius of more consumers than this is worth a picture."""


def picture_cause(incident: Incident) -> str:
    """Return what a picture of the incident would be about, "" when it needs none.

    What nobody is shown, and what hits few, needs none.
    """
    stakes = incident.stakes
    if stakes is None or incident.hidden or not incident.is_open or incident.muted:
        return ""
    wide = stakes.exposures_hit + stakes.products_hit > WIDE
    return (stakes.asset or stakes.product) if wide else ""


def illustrated(before: Incident, decision: Decision) -> Decision:
    """Add the order to show a picture when what it would be about has changed."""
    after = decision.incident
    cause = picture_cause(after)
    if not cause or cause == picture_cause(before):
        return decision
    order = ShowPicture(f"{after.id}:picture:{cause}")
    return replace(decision, effects=(*decision.effects, order))
