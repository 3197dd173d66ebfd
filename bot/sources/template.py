"""`{path.to.value}` templates for mappings: looked up, never evaluated."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.sources.json_body import JsonValue, text_of

LENGTH = 20_000

_PIECE = re.compile(r'\{\{|\}\}|\{((?:"[^"]*"|[^{}"])*)\}|[{}]|[^{}]+')
_CHOICE = re.compile(r'\s*(?:"([^"]*)"|([^|"]*?))\s*(?:\||\Z)')


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several places to look; a literal is its own answer."""

    path: tuple[str, ...] = ()
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text, and the dotted paths it was read from."""

    text: str
    used: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts and places, in order."""

    pieces: tuple[str | tuple[Choice, ...], ...]

    def render(self, value: JsonValue, root: JsonValue) -> Rendered:
        """Fill the template from `value`; a path that starts with `$.` is read from `root`."""
        out: list[str] = []
        used: list[str] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                out.append(piece)
                continue
            found = _first(piece, value, root)
            out.append(found.text[:LENGTH])
            used.extend(found.used)
        return Rendered("".join(out), tuple(used))


@lru_cache(maxsize=1024)
def template(text: str) -> Template:
    """Compile `text`.

    `{a.b}` is a value, `{list.0}` an entry, `{a|b|"none"}` the first that is there, `{{` and `}}`
    are braces. Raises ValueError naming the fault.
    """
    pieces: list[str | tuple[Choice, ...]] = []
    for match in _PIECE.finditer(text):
        whole = match.group()
        if whole in {"{{", "}}"}:
            pieces.append(whole[0])
        elif match.group(1) is not None:
            pieces.append(tuple(_choices(match.group(1), text)))
        elif whole in {"{", "}"}:
            raise ValueError(
                f"a lone {whole!r} at character {match.start() + 1} of {text!r}; write it twice"
            )
        else:
            pieces.append(whole)
    return Template(tuple(pieces))


def path(text: str) -> tuple[str, ...]:
    """Return the steps of a dotted path. Raises ValueError for an empty one."""
    steps = tuple(step.strip() for step in text.split("."))
    if not all(steps):
        raise ValueError(f"the path {text!r} has an empty step; write it like event.name")
    return steps


def look_up(value: JsonValue, steps: tuple[str, ...]) -> JsonValue:
    """Return what stands at the path, or None; a key may itself contain dots."""
    at = 0
    while at < len(steps):
        taken = 1
        if isinstance(value, dict):
            taken = _taken(value, steps[at:])
            value = value.get(".".join(steps[at : at + taken]))
        elif isinstance(value, list):
            value = _entry(value, steps[at])
        else:
            return None
        at += taken
    return value


def _taken(value: dict[str, JsonValue], steps: tuple[str, ...]) -> int:
    return next((n for n in range(len(steps), 1, -1) if ".".join(steps[:n]) in value), 1)


def _entry(value: list[JsonValue], step: str) -> JsonValue:
    if not (step.isascii() and step.isdecimal() and len(step) <= 6):
        return None
    return value[int(step)] if int(step) < len(value) else None


def _choices(inner: str, text: str) -> Iterator[Choice]:
    at = 0
    while at <= len(inner):
        match = _CHOICE.match(inner, at)
        if match is None:
            raise ValueError(f'{{{inner}}} in {text!r} cannot be read; write {{a|b|"text"}}')
        literal, place = match.groups()
        yield Choice(literal=literal) if literal is not None else Choice(path=path(place))
        if not match.group().endswith("|"):
            return
        at = match.end()


def _first(choices: tuple[Choice, ...], value: JsonValue, root: JsonValue) -> Rendered:
    for choice in choices:
        if choice.literal is not None:
            return Rendered(choice.literal)
        steps = choice.path
        found = look_up(root, steps[1:]) if steps[0] == "$" else look_up(value, steps)
        # A structure is rarely what a line of text wants, so a later choice may know better.
        said = text_of(found)
        if said.strip():
            return Rendered(said, (".".join(steps),))
    return Rendered("")
