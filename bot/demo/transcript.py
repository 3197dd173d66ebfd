"""Tells what was seen as lines of text, in the night's own time."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from rich.console import Console
from rich.markup import escape

from bot.demo.player import Played, Sent
from bot.demo.stage import ZONE, Stage
from bot.demo.watching import Kind, Seen

_MOST_ALIKE = 3
_MOST_LINES = 8
_SHOWN = 2
_INDENT = " " * 9


def clock(at: datetime) -> str:
    """Return the night's time, as 02:07:31."""
    return f"{at.astimezone(ZONE):%H:%M:%S}"


def day_and_clock(at: datetime) -> str:
    """Return the story's day and time, as Sun 02:07."""
    return f"{at.astimezone(ZONE):%a %H:%M}"


class Transcript:
    """Prints what happens, each thing once, in order."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self.played = Played()
        self._stage = stage
        self._console = console
        self._sent = self._seen = 0
        self._day = ""

    def tell(self, text: str) -> None:
        """Print a moment of the story, after everything that came before it."""
        self.catch_up()
        now = self._stage.clock.now()
        if (day := f"{now.astimezone(ZONE):%A}") != self._day:
            self._day = day
            self._console.print(f"\n[bold]{day}[/bold]")
        self._console.print(f"\n{clock(now)}  [bold]{escape(text)}[/bold]")

    def catch_up(self) -> None:
        """Print what has come since the last time."""
        sent, seen = list(self.played.sent.values()), self._stage.watcher.seen
        lines = [sent_line(one) for one in sent[self._sent :]]
        lines += seen_lines(seen[self._seen :])
        self._sent, self._seen = len(sent), len(seen)
        for line in lines:
            self._console.print(line, markup=False)


def sent_line(sent: Sent) -> str:
    return f"{clock(sent.at)}   alert in   {sent.kind} sent {sent.body} ({sent.size:,} bytes), 202"


def seen_lines(seen: Sequence[Seen]) -> Iterator[str]:
    """Yield the lines of what was seen; of many alike only the first two."""
    worth = [one for one in seen if not one.edited or one.kind is Kind.ROOT]
    for _, alike in groupby(worth, key=lambda one: (one.kind, one.edited, one.sign, one.place)):
        group = list(alike)
        shown = group if len(group) <= _MOST_ALIKE else group[:_SHOWN]
        for one in shown:
            yield from _lines(one)
        if len(group) > len(shown):
            yield f"{_INDENT}… and {len(group) - len(shown)} more like these"


def _lines(one: Seen) -> Iterator[str]:
    match one.kind:
        case Kind.ROOT:
            verb = "now says" if one.edited else "message"
            yield f"{clock(one.at)}   #{one.place}   {verb}   {one.title}"
            yield from _more(one.news[:2] if one.edited else one.lines[1:])
        case Kind.PAGE:
            yield f"{clock(one.at)}   page to {one.place}   {one.text}"
        case Kind.NOTE:
            yield f"{clock(one.at)}   #{one.place}   in the thread   {one.text}"
            yield from _more((*one.pictures, *one.lines[1:]))
        case Kind.ANSWER:
            first, *rest = one.lines or (one.text,)
            yield f"{clock(one.at)}   answer to {one.place}   {_first(first)}"
            yield from _more((*first.splitlines()[1:], *rest))
        case Kind.OTHER:
            yield f"{clock(one.at)}   to {one.place}   {one.text}"


def _first(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _more(lines: Sequence[str]) -> Iterator[str]:
    flat = [line for text in lines for line in text.splitlines() if line]
    for line in flat[:_MOST_LINES]:
        yield f"{_INDENT}   {line}"
    if len(flat) > _MOST_LINES:
        yield f"{_INDENT}   …"
