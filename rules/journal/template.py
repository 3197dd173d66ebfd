"""What the journal asks, of whom and how often: all of it data of the rulebook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rules.incident import Incident
from rules.journal.words import SameWords
from rules.matching.matcher import Condition, all_hold, matchable
from rules.priority import Priority

FIELDS = ("symptom", "cause", "fix", "needed", "follow_up")
"""What a person may be asked to type; a longer form is not filled in."""


@dataclass(frozen=True, slots=True)
class Question:
    """How one field is asked for."""

    label: str
    hint: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """The form for incidents that fit `conditions`: questions by field, in order."""

    name: str
    questions: Mapping[str, Question]
    conditions: tuple[Condition, ...] = ()


DEFAULT_TEMPLATE = Template(
    "default",
    {
        "symptom": Question("What did users see?"),
        "cause": Question("What was the root cause?"),
        "fix": Question("How was it fixed?", required=True),
        "needed": Question("Was the page needed, and why?"),
        "follow_up": Question("What is left to do?"),
    },
)
DEFAULT_CAUSES: Mapping[str, str] = {"unknown": "Unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRules:
    """`templates` are tried in order, then the default one. `causes` are the classes of a root
    cause, name to words. `remind` are the waits before each reminder: after the last it ends.
    Nobody is asked about priorities other than `ask`, nor about what fits one of `skip`.
    """

    templates: Sequence[Template] = ()
    causes: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_CAUSES))
    same_words: SameWords = field(default_factory=SameWords)
    ask: frozenset[Priority] = frozenset()
    remind: tuple[timedelta, ...] = (timedelta(hours=20), timedelta(days=3))
    skip: tuple[tuple[Condition, ...], ...] = ()

    def template(self, incident: Incident | None) -> Template:
        """Return the first template that fits; the default one for what has no incident."""
        known = matchable(incident) if incident is not None else {}
        fitting = (one for one in self.templates if all_hold(one.conditions, known))
        return next(fitting, DEFAULT_TEMPLATE)

    def wanted(self, incident: Incident) -> bool:
        """Tell whether an incident deserves an entry: somebody was troubled by it."""
        troubled = bool(incident.paged or incident.resolved_by or incident.first_acked_at)
        if not troubled or incident.hidden or incident.priority not in self.ask:
            return False
        known = matchable(incident)
        return not any(all_hold(one, known) for one in self.skip)
