"""Which messages must be brought up to date after a change."""

from rules.decision import Draft
from rules.effects import ShowIncident, ShowPage


def show_everywhere(draft: Draft) -> None:
    """Bring the channel message and every page up to date at once: a person must see it."""
    draft.change(hidden=False)
    draft.do(ShowIncident(at_once=True))
    draft.do(*(ShowPage(person) for person in draft.incident.paged))


def show_later(draft: Draft) -> None:
    """Bring the channel message up to date soon: many changes of machines make one edit.

    What was silenced from its beginning has no message, and gets none for this.
    """
    if not draft.incident.hidden:
        draft.do(ShowIncident())


def show_end(draft: Draft) -> None:
    """Show an end that nobody caused by hand, wherever the incident is shown at all."""
    if not draft.incident.hidden:
        show_everywhere(draft)


def show_step(draft: Draft, paged_before: tuple[str, ...]) -> None:
    """Show that the policy moved on, in the channel and to those who were paged before.

    Whoever is paged by this step gets a message that shows it anyway.
    """
    show_later(draft)
    draft.do(*(ShowPage(person) for person in paged_before))
