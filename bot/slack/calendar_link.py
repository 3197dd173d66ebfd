"""`/oncall calendar`: the address of one's own shifts, told to nobody else."""

from bot.slack.blocks import Json
from bot.slack.text import md
from bot.slack.views.answers import said

_OFF = (
    "This Watchbill has no calendar feeds yet. Ask whoever runs it to set `calendar.secret`"
    " in config.yaml."
)
_ASIDE = (
    "Your calendar's address is for you alone. Type `/oncall calendar`, or ask me in a direct"
    " message."
)
_LINK = (
    "*Your shifts, as a calendar to subscribe to*\n`{link}`\n"
    "Google Calendar: *Other calendars > From URL*. Outlook: *Add calendar > Subscribe from web*. "
    "Apple: *File > New Calendar Subscription*.\n"
    "Whoever has the address can read your shifts. If it gets out, ask for"
    " `watchbill calendar links --revoke` and type this again."
)


def calendar_answer(link: str, *, private: bool) -> Json:
    """Return the answer; `link` is "" when feeds are off. Only a private answer holds it."""
    if not link:
        return said(md(_OFF))
    return said(md(_LINK, link=link)) if private else said(md(_ASIDE))
