"""Slack's mrkdwn as safe HTML: everything is escaped first, markup is added by us alone."""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

from bot.workspace.emoji import EMOJI, glyph
from bot.workspace.mrkdwn_dates import format_date, zone_of
from bot.workspace.records import Records
from bot.workspace.wire import channel_name

_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<token>[^<>\n]+)>"
    r"|(?P<url>https?://[^\s<>|]+[^\s<>|.,;:!?)\]}'\"])"
    r"|:(?P<emoji>[a-z0-9_+-]+):"
    r"|(?<![\w*])\*(?P<bold>\S(?:[^*\n]*?\S)?)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>\S(?:[^_\n]*?\S)?)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>\S(?:[^~\n]*?\S)?)~(?![\w~])"
)
_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_BULLET = re.compile(r"\s*(?:•|-|\*)\s+(?=\S)")
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_DEEPEST = 6
_STYLES = {
    "bold": Markup("<strong>{}</strong>"),
    "italic": Markup("<em>{}</em>"),
    "strike": Markup("<s>{}</s>"),
}
_EMOJI = Markup('<span class="emoji" role="img" aria-label="{}">{}</span>')
_LINK = Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>')


@dataclass(frozen=True)
class Reader:
    """Whose eyes the text is for: mentions of them stand out, dates are in their zone."""

    records: Records
    user: str

    # ------------------------------------------------------------ whole texts

    def plain(self, text: str) -> Markup:
        """A plain_text object: emoji, and nothing else."""
        out = Markup()
        last = 0
        for match in re.finditer(r":([a-z0-9_+-]+):", text):
            out += _lines(text[last : match.start()]) + _emoji(match.group(1))
            last = match.end()
        return out + _lines(text[last:])

    def mrkdwn(self, text: str) -> Markup:
        out = Markup()
        last = 0
        for match in _FENCE.finditer(text):
            out += self._prose(text[last : match.start()])
            out += Markup("<pre>{}</pre>").format(_unescape(match.group(1)))
            last = match.end()
        return out + self._prose(text[last:])

    def _prose(self, text: str) -> Markup:
        """Paragraph lines, quotes and lists."""
        out, lines = Markup(), text.strip("\n").split("\n") if text.strip("\n") else []
        at = 0
        while at < len(lines):
            kind, start = _line_kind(lines[at]), at
            while at < len(lines) and _line_kind(lines[at]) == kind:
                at += 1
            run = lines[start:at]
            if kind == "quote":
                inner = [re.sub(r"^(?:&gt;|>) ?", "", line) for line in run]
                body = Markup("<br>").join(self.inline(line) for line in inner)
                out += Markup("<blockquote>{}</blockquote>").format(body)
            elif kind == "list":
                items = [self.inline(_BULLET.sub("", line, count=1)) for line in run]
                out += Markup("<ul>{}</ul>").format(
                    Markup().join(Markup("<li>{}</li>").format(item) for item in items)
                )
            else:
                out += Markup("<br>").join(self.inline(line) for line in run)
        return out

    # ------------------------------------------------------------ inside a line

    def inline(self, text: str, depth: int = 0) -> Markup:
        out, last = Markup(), 0
        if depth > _DEEPEST:
            return escape(_unescape(text))
        for match in _INLINE.finditer(text):
            out += escape(_unescape(text[last : match.start()])) + self._piece(match, depth)
            last = match.end()
        return out + escape(_unescape(text[last:]))

    def _piece(self, match: re.Match[str], depth: int) -> Markup:
        kind = str(match.lastgroup)
        body = match.group(kind)
        match kind:
            case "code":
                return Markup("<code>{}</code>").format(_unescape(body))
            case "token":
                return self._token(body)
            case "url":
                return _link(_unescape(body), _unescape(body))
            case "emoji":
                return _emoji(body)
            case _:
                return _STYLES[kind].format(self.inline(body, depth + 1))

    def _token(self, body: str) -> Markup:
        target, _, label = body.partition("|")
        mark = target[:1]
        if mark == "@":
            return self._mention(target[1:], label)
        if mark == "#":
            known = self.records.channels.get(target[1:])
            name = channel_name(self.records, known, self.user) if known else label or target[1:]
            return Markup('<span class="mention">#{}</span>').format(_unescape(name))
        if mark == "!":
            return self._special(target[1:], label)
        if _SAFE_LINK.match(target):
            return _link(_unescape(target), _unescape(label or target))
        return escape(_unescape(f"<{body}>"))

    def _mention(self, user_id: str, label: str) -> Markup:
        known = self.records.users.get(user_id)
        name = known.real_name if known else _unescape(label) or user_id
        return _marked(f"@{name}", mine=user_id == self.user)

    def _special(self, target: str, label: str) -> Markup:
        if target.startswith("date^"):
            return self._date(target, label)
        if target.startswith("subteam^"):
            group = self.records.groups.get(target.removeprefix("subteam^"))
            name = f"@{group.handle}" if group else _unescape(label) or "@group"
            return _marked(name, mine=bool(group and self.user in group.users))
        if target in {"here", "channel", "everyone"}:
            return _marked(f"@{target}", mine=True)
        return escape(_unescape(label or target))

    def _date(self, target: str, fallback: str) -> Markup:
        _, stamp, pattern, *link = [*target.split("^", 3), "", ""][:4]
        if not re.fullmatch(r"\d{1,11}", stamp):
            return escape(_unescape(fallback))
        viewer = self.records.users.get(self.user)
        zone = zone_of(viewer.tz if viewer else "Etc/UTC")
        text = format_date(int(stamp), _unescape(pattern), zone, self.records.clock.now())
        if link[0] and _SAFE_LINK.match(link[0]):
            return _link(_unescape(link[0]), text)
        title = format_date(int(stamp), "{date_long} {time_secs}", zone, self.records.clock.now())
        return Markup('<time title="{} {}">{}</time>').format(title, zone.key, text)


def _line_kind(line: str) -> str:
    if line.startswith(("&gt;", ">")):
        return "quote"
    return "list" if _BULLET.match(line) else "text"


def _unescape(text: str) -> str:
    """Slack stores exactly three entities; `escape` makes HTML of the result."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _lines(text: str) -> Markup:
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


def _emoji(name: str) -> Markup:
    if name not in EMOJI:
        return escape(f":{name}:")
    return _EMOJI.format(name.replace("_", " "), glyph(name))


def _link(target: str, text: str) -> Markup:
    return _LINK.format(target, text)


def _marked(text: str, *, mine: bool) -> Markup:
    kind = "mention mine" if mine else "mention"
    return Markup('<span class="{}">{}</span>').format(kind, text)
