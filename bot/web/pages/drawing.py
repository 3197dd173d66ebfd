"""What the templates draw with: names, times in the reader's zone, durations, and pages as such."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from aiohttp import web
from markupsafe import Markup

from bot.ports.store import TimelineEntry
from rules.sentence import Sentence, Value, Who, duration_text, plain

if TYPE_CHECKING:
    from jinja2 import Environment

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
    # not `no-referrer`: it would hide the origin of our own forms from us
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""No script at all may run on these pages, whoever wrote it."""


@cache
def environment() -> "Environment":
    # loaded when the first page is drawn: a bot that starts has pages to send first
    from jinja2 import Environment, PackageLoader, StrictUndefined

    env = Environment(
        loader=PackageLoader("bot.web.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["lasted"] = lasted
    env.filters["spoken"] = spoken
    return env


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and how people and times are shown to them.

    `strangers` are the keys of those for whom nothing but Slack's id could be shown.
    """

    key: str
    name_of: Callable[[str], str]
    zone: ZoneInfo
    now: datetime
    strangers: set[str] = field(default_factory=set)

    def name(self, key: str) -> str:
        shown = self.name_of(key) if key else ""
        if key == f"slack:{shown}":
            self.strangers.add(key)
        return shown

    def time(self, at: datetime, form: str = "%Y-%m-%d %H:%M") -> Markup:
        """Return an instant in the reader's zone, which machines read as what it is."""
        local = at.astimezone(self.zone)
        shape = Markup('<time datetime="{}" title="{}">{}</time>')
        title = f"{local:%A %Y-%m-%d %H:%M:%S %Z}"
        return shape.format(at.isoformat(timespec="seconds"), title, f"{local:{form}}")

    def sentence(self, sentence: Sentence) -> str:
        """Return a sentence as plain text; the template escapes it as any other."""
        return sentence.render(self._value)

    def why(self, words: str, timeline: Iterable[TimelineEntry]) -> str:
        """Return a reason kept in plain words, in this reader's zone while its story is kept too."""
        told = (one.sentence for one in timeline if one.sentence.render(plain) == words)
        return next(map(self.sentence, told), words)

    def _value(self, value: Value) -> str:
        match value:
            case Who(key):
                return self.name(key)
            case datetime():
                return f"{value.astimezone(self.zone):%Y-%m-%d %H:%M}"
            case timedelta():
                return duration_text(value)
            case _:
                return str(value)


def lasted(span: timedelta | None) -> str:
    """Return a duration as the table shows it, in two units: `1h 12m`; a dash for none."""
    if span is None:
        return "–"
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}h {minutes:02}m"
    return f"{hours // 24}d {hours % 24}h"


def spoken(span: timedelta | None) -> str:
    return "not known" if span is None else duration_text(span)


def page(template: str, context: Mapping[str, object], *, status: int = 200) -> web.Response:
    text = environment().get_template(template).render(context)
    return web.Response(
        text=text, status=status, content_type="text/html", charset="utf-8", headers=HEADERS
    )


def notice(
    title: str, text: str, *, status: int, way: tuple[str, str] | None = None
) -> web.Response:
    """Return a page that says one thing, and where to go from there: an address and its words."""
    return page(
        "notice.html", {"title": title, "text": text, "way": way, "me": None}, status=status
    )
