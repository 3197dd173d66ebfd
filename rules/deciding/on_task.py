"""What is done about the tasks that an incident left behind, and when the last one closes it."""

from rules.deciding.showing import show_later
from rules.decision import Decision, Draft
from rules.events import TaskChanged
from rules.incident import Incident
from rules.sentence import say

RULE = "tasks"


def count(incident: Incident, event: TaskChanged) -> Decision:
    """Keep how many tasks still block it; the last one closes it if nothing is to be proved."""
    draft = Draft(incident)
    draft.because(RULE, event.said)
    if event.left == incident.blocking_tasks:
        return draft.decision()
    draft.change(blocking_tasks=event.left)
    if draft.incident.is_closed:
        draft.because(RULE, say("Nothing that blocks is left to do: it is closed."))
    elif incident.is_closed:
        draft.because(RULE, say("It is not closed any more: a task that blocks is open again."))
    show_later(draft)
    return draft.decision()
