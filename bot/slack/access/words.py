"""What is typed about elevated access: vouched for before it is stored."""

from dataclasses import replace
from typing import TypeVar, get_args

from bot.acts.access import AccessAct, AskAccess
from bot.acts.act import Act
from bot.slack import blocks as kit
from bot.slack.access.choices import group_named
from bot.slack.blocks import Json
from bot.slack.desk import Desk
from bot.slack.text import md
from bot.slack.views.access import ask_button

_ACCESS = get_args(AccessAct)
A = TypeVar("A", bound=Act)


async def vouched(desk: Desk, act: A, user: str) -> A:
    """Return an act as its typist may do it: of access, only by whom Slack vouches for.

    Raises NotVouchedError.
    """
    if not isinstance(act, _ACCESS):
        return act
    act = replace(act, by=await desk.directory.vouching.key_of(user))
    if isinstance(act, AskAccess) and act.until_shift_ends:
        group = group_named(desk, act.group)
        return replace(act, length=group.longest if group else act.length)
    return act


def form_offered() -> Json:
    """Offer the form where none can be opened: only a click or a slash command opens one."""
    text = md("Ask for access here, or write `/oncall access &lt;group&gt; 2h &lt;why&gt;`.")
    return kit.message(text, [kit.section(text), kit.actions("access:ask", ask_button(0))])
