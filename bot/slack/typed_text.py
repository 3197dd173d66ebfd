"""Text as a person typed it, out of what Slack, a phone or a copy made of it."""

import re

from bot.slack.text import clean

QUOTES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'"}
)
_MAIL = re.compile(r"<mailto:([^|>]+)(?:\|[^>]*)?>")
_LINK = re.compile(r"<(https?://([^|>]+))(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#[A-Z0-9]+\|([^>]*)>")
_GROUP = re.compile(r"<!subteam\^[A-Z0-9]+\|(@[^>]*)>")
_MENTION = re.compile(r"<@([A-Z0-9]+)\|[^>]*>")
_WRAPPED = re.compile(r"([`*_\"'])(.+)\1", re.DOTALL)


def plain_words(text: str) -> str:
    """Undo Slack's writing of links, addresses, channels and entities; mentions stay.

    What is copied brings quotes around it, and characters that nobody sees.
    """
    text = clean(text).strip()
    if wrapped := _WRAPPED.fullmatch(text.translate(QUOTES)):
        text = wrapped[2]
    text = _MAIL.sub(r"\1", text)
    text = _MENTION.sub(r"<@\1>", _GROUP.sub(r"\1", text))
    text = _CHANNEL.sub(r"#\1", _LINK.sub(_as_typed, text)).translate(QUOTES)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _as_typed(link: re.Match[str]) -> str:
    """Return the name that Slack made a link of because it ends like a host: `load.py`."""
    url, bare, label = link.groups()
    return label if label and label.casefold() == bare.casefold() else url
