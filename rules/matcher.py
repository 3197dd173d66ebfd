"""Label matchers: `team=finance`, `dag_id=~"daily.*"`, as Alertmanager writes them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rules.alert import Severity
from rules.category import Category

_LABEL = r"[A-Za-z_][\w.:-]*"
_BARE = rf"(?:(?!,\s*{_LABEL}\s*(?:=|!=|!~))\S)*"
"""A value without quotes ends at a space, or at a comma that another matcher follows."""
_WRITTEN = re.compile(
    rf'\s*({_LABEL})\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|({_BARE}))', re.DOTALL
)
_LONGEST_TEXT = 256
_LONGEST_PATTERN = 256
_MOST_REPETITIONS = 3


class Operator(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a label that is absent counts as empty.

    Regular expressions match the whole value, as in Alertmanager
    (https://prometheus.io/docs/alerting/latest/configuration/#matcher).
    """

    label: str
    operator: Operator
    value: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        actual = labels.get(self.label, "")
        match self.operator:
            case Operator.EQUAL:
                return actual == self.value
            case Operator.NOT_EQUAL:
                return actual != self.value
            case Operator.MATCHES:
                return self._fits(actual)
            case Operator.NOT_MATCHES:
                return not self._fits(actual)

    def __str__(self) -> str:
        bare = re.fullmatch(r"[^\s\"\\,=~][^\s\"\\,]*", self.value)
        quoted = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f"{self.label}{self.operator}{self.value if bare else chr(34) + quoted + chr(34)}"

    def _fits(self, actual: str) -> bool:
        return re.fullmatch(self.value, actual[:_LONGEST_TEXT]) is not None


def all_hold(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether every matcher holds; none at all hold for everything."""
    return all(matcher.holds(labels) for matcher in matchers)


class Labelled(Protocol):
    """An alert, or an incident as its first alert made it."""

    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def source(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def title(self) -> str: ...
    @property
    def dedup_key(self) -> str: ...
    @property
    def category(self) -> Category | None: ...


def matchable(thing: Labelled) -> dict[str, str]:
    """Return the labels that routes and silences see: its own, then facts about it."""
    known = {"category": str(thing.category)} if thing.category else {}
    return {
        **thing.labels,
        **known,
        "source": thing.source,
        "severity": str(thing.severity),
        "title": thing.title,
        "dedup_key": thing.dedup_key,
    }


def parse_matchers(text: str) -> tuple[tuple[Matcher, ...], str]:
    """Read matchers from the start of `text`; return them and what follows them.

    Raises ValueError, in words for the person who typed it, when a regular expression is broken.
    """
    found: list[Matcher] = []
    rest = text
    while hit := _WRITTEN.match(rest):
        label, operator, quoted, bare = hit.groups()
        value = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else bare
        found.append(matcher(label, operator, value.rstrip(",") if quoted is None else value))
        rest = rest[hit.end() :].lstrip(" ,")
    return tuple(found), rest.strip()


def matchers_of(written: Iterable[str]) -> tuple[Matcher, ...]:
    """Return the matchers of texts that have been checked."""
    return tuple(matcher for text in written for matcher in parse_matchers(text)[0])


def matcher(label: str, operator: str, value: str) -> Matcher:
    """Build a checked matcher; raises ValueError when its regular expression is broken."""
    made = Matcher(label, Operator(operator), value)
    if made.operator in {Operator.MATCHES, Operator.NOT_MATCHES}:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"{made}: not a regular expression ({error})") from error
        if fault := _too_slow(value):
            raise ValueError(f"{made}: {fault}")
    return made


def _too_slow(pattern: str) -> str:
    """Say why a pattern could take for ever on a hostile text, "" when it cannot.

    Repetition only of single characters and classes, and little of it, is at worst cubic in a
    text of bounded length.
    """
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern)
    if len(pattern) > _LONGEST_PATTERN:
        return f"longer than {_LONGEST_PATTERN} characters"
    if re.search(r"\)[*+{]|\(\?[^:]", bare) or re.search(r"\\[1-9]", pattern):
        return "a bracket cannot be repeated or looked ahead of; write it out"
    if len(re.findall(r"[*+]|\{\d+,", bare)) > _MOST_REPETITIONS:
        return f"more than {_MOST_REPETITIONS} repetitions (* or +); write several matchers"
    return ""
