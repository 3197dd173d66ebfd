"""Text for Slack: what is ours formats, what came from outside is only ever text."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote, urlsplit

from rules.sentence import Sentence, Value, Who, duration_text

LONGEST_SECTION = 3000
LONGEST_VALUE = 600
_LONGEST_LINK = 1500

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
_LINE_END = re.compile("\r\n?|\u2028|\u2029")
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_EMOJI_CODE = re.compile(r":(?=[\w+'-]*[a-z][\w+'-]*:)", re.IGNORECASE)
_QUOTE = re.compile(r"^(\s*)>", re.MULTILINE)
_TOKEN = re.compile(r"<(?P<sign>[@#!]?)(?P<what>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
_LOOKALIKES = str.maketrans({"*": "\u2217", "`": "\u02cb", "~": "\u223c"})
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_USER = re.compile(r"[UW][A-Z0-9]{2,20}")
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}")
_GROUP = re.compile(r"S[A-Z0-9]{2,20}")


class Mrkdwn(str):
    """Text that is safe to send as mrkdwn: ours, or from outside and made harmless."""

    __slots__ = ()


class Names(Protocol):
    """What people are called."""

    def name(self, key: str) -> str:
        """Return a person's display name, as it came, by key."""
        ...


def escape(text: str) -> Mrkdwn:
    """Escape the three characters Slack reads as control: & < >."""
    return Mrkdwn(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def clean(text: str) -> str:
    """Drop control, invisible and text-direction characters; keep lines."""
    return _INVISIBLE.sub("", _LINE_END.sub("\n", text)).replace("\t", " ")


def one_line(text: str) -> str:
    return " ".join(clean(text).split())


def cut(text: str, limit: int) -> str:
    """Shorten to `limit` characters as Slack counts them, saying how many are left out.

    Slack counts `&` as `&amp;`, so the limit holds for the escaped text.
    """
    if _length(text) <= limit:
        return text
    room = limit - len(f"… ({len(text)} more)")
    kept, used = 0, 0
    for char in text:
        used += _width(char)
        if used > room:
            break
        kept += 1
    return f"{text[:kept].rstrip()}… ({len(text) - kept} more)"


def cut_before(text: str, limit: int) -> str:
    """Shorten to the end of a text, `limit` characters as Slack counts them."""
    if _length(text) <= limit:
        return text
    begins, used = len(text), len("…")
    while begins and used + _width(text[begins - 1]) <= limit:
        begins -= 1
        used += _width(text[begins])
    return f"…{text[begins:]}"


def outside(text: str, limit: int = LONGEST_VALUE) -> Mrkdwn:
    """Show outside text as it is: no mention, link, emoji code, quote or formatting.

    Characters that could format are shown by ones that look alike, since Slack has no way to
    escape them.
    """
    shown = _EDGE_UNDERSCORE.sub("\u02cd", clean(text).translate(_LOOKALIKES))
    shown = _QUOTE.sub("\\1\u203a", _EMOJI_CODE.sub("\u2236", shown))
    return escape(cut(shown, limit))


def as_read(text: str, name_of: Callable[[str], str]) -> str:
    """Return a message of Slack's as people see it; `name_of` tells what a member is called."""

    def seen(hit: re.Match[str]) -> str:
        sign, what, label = hit["sign"], hit["what"], hit["label"] or ""
        match sign:
            case "@":
                return f"@{name_of(what)}"
            case "#":
                return f"#{label or what}"
            case "!":
                return label or f"@{what}"
            case _:
                address = what.removeprefix("mailto:")
                if f"http://{label}".casefold() == address.casefold():
                    return label  # Slack makes a link of what merely ends like a host: `load.py`
                return f"{label} ({address})" if label not in address else address

    shown = _TOKEN.sub(seen, text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def md(template: str, /, **values: str | int) -> Mrkdwn:
    """Fill our own `template`; values that are not Mrkdwn already are shown as outside text."""
    shown = {
        name: value if isinstance(value, Mrkdwn) else outside(str(value))
        for name, value in values.items()
    }
    return Mrkdwn(template.format_map(shown))


def join(separator: str, parts: Iterable[Mrkdwn]) -> Mrkdwn:
    return Mrkdwn(separator.join(part for part in parts if part))


def listed(parts: Iterable[str]) -> Mrkdwn:
    """Name several in a row: "Ana", "Ana and Bo", "Ana, Bo and Cy"."""
    shown = [p if isinstance(p, Mrkdwn) else outside(p) for p in parts]
    if len(shown) < 2:
        return Mrkdwn("".join(shown))
    return Mrkdwn(", ".join(shown[:-1]) + " and " + shown[-1])


def at(when: datetime, now: datetime) -> Mrkdwn:
    """Show an instant in the reader's own zone: the time when it is near, else the date too."""
    near = abs(when - now) < timedelta(hours=18)
    form = "{time}" if near else "{date_short_pretty} {time}"
    fallback = f"{when:%H:%M} UTC" if near else f"{when:%Y-%m-%d %H:%M} UTC"
    return Mrkdwn(f"<!date^{int(when.timestamp())}^{form}|{fallback}>")


def plain_at(when: datetime, now: datetime) -> str:
    """Show an instant where date tokens do not work: menus and plain text."""
    near = abs(when - now) < timedelta(hours=18)
    return f"{when:%H:%M} UTC" if near else f"{when:%a %d %b %H:%M} UTC"


def lasting(span: timedelta) -> str:
    return duration_text(span)


def roughly(span: timedelta) -> str:
    """Show a duration without seconds where they say nothing: from two minutes on."""
    minutes = round(span / timedelta(minutes=1))
    return duration_text(timedelta(minutes=minutes) if minutes >= 2 else span)


def mention(user_id: str) -> Mrkdwn:
    """Mention a person; anything that is no user id becomes plain text."""
    return Mrkdwn(f"<@{user_id}>") if _USER.fullmatch(user_id) else outside(user_id)


def mention_group(group_id: str) -> Mrkdwn:
    if not _GROUP.fullmatch(group_id):
        return outside(group_id)
    return Mrkdwn(f"<!subteam^{group_id}>")


def mention_channel(channel_id: str) -> Mrkdwn:
    """Name a channel so that a tap opens it; nobody is notified."""
    return Mrkdwn(f"<#{channel_id}>") if _CHANNEL.fullmatch(channel_id) else outside(channel_id)


def safe_url(url: str) -> str:
    """Return a URL a reader may be sent to, or "": http and https only, nobody's credentials."""
    if not url or len(url) > _LONGEST_LINK or any(c.isspace() or ord(c) < 32 for c in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc):
        return ""
    return quote(clean(url), safe="/:?#[]@!$&'()*+,;=%-._~")


def link(url: str, label: str) -> Mrkdwn:
    """Link our own `label` to an outside URL; only the label when the URL is not to be trusted."""
    shown = label if isinstance(label, Mrkdwn) else outside(label, 200)
    target = safe_url(url)
    return Mrkdwn(f"<{escape(target)}|{shown.replace('|', '¦')}>") if target else shown


def show(value: Value, names: Names, now: datetime) -> Mrkdwn:
    """Show one value of a sentence: people by name, times in the reader's zone."""
    match value:
        case Who(key):
            return outside(names.name(key), 80)
        case datetime():
            return at(value, now)
        case timedelta():
            return Mrkdwn(lasting(value))
        case int():
            return Mrkdwn(str(value))
        case str():
            return outside(value)


def spoken(sentence: Sentence, names: Names, now: datetime) -> Mrkdwn:
    """Render a sentence for Slack; its template is ours, its values are not.

    Rules write for every medium: a `<why>` of theirs is a word, and would be a link to Slack.
    """
    words = replace(sentence, template=escape(sentence.template))
    return Mrkdwn(words.render(lambda value: show(value, names, now)))


def spoken_plain(sentence: Sentence, names: Names, now: datetime) -> str:
    """Render a sentence for places without formatting."""

    def bare(value: Value) -> str:
        match value:
            case Who(key):
                return one_line(names.name(key))
            case datetime():
                return plain_at(value, now)
            case timedelta():
                return lasting(value)
            case _:
                return clean(str(value))

    return sentence.render(bare)


def units(text: str) -> int:
    """Return how long Slack may find a text as it is sent: an emoji counts as two."""
    return len(text) + sum(char > "\uffff" for char in text)


def beginning(text: str, limit: int) -> str:
    """Return as much of a text as is at most `limit` long for Slack."""
    kept = text[:limit]
    while units(kept) > limit:
        kept = kept[: len(kept) - (units(kept) - limit + 1) // 2]
    return kept


def _width(char: str) -> int:
    if char in _ENTITIES:
        return len(_ENTITIES[char])
    return 1 if ord(char) < 0x10000 else 2


def _length(text: str) -> int:
    if len(text) > 40_000:
        return len(text)
    return sum(map(_width, text))
