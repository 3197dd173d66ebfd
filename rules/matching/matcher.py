"""Label matchers: `team=finance`, `team in [finance, risk]`, `dag_id like daily_*`, `dag_id=~"d.*"`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from rules.alert import Severity
from rules.facts import Facts
from rules.matching.expression import Expression
from rules.matching.glob_index import LONGEST_PATTERN, fits

_LABEL = r"[A-Za-z_][\w.:-]*"
_WORDS = r"\s+(?:not\s+)?(?:in\s*\[|like[\s\[])"
_BARE = rf"(?:(?!,\s*{_LABEL}(?:\s*(?:=|!=|!~)|{_WORDS}))\S)*"
"""A value without quotes ends at a space, or at a comma that another matcher follows."""
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_WRITTEN = re.compile(rf"\s*({_LABEL})\s*(=~|!~|!=|=)\s*(?:{_QUOTED}|({_BARE}))", re.DOTALL)
_WORDED = re.compile(rf"\s*({_LABEL})\s+((?:not\s+)?)(in(?=\s*\[)|like(?=[\s\[]))\s*(\[?)")
_ONE = re.compile(rf"{_QUOTED}|({_BARE})", re.DOTALL)
_BARE_ITEM = re.compile(r'[^\s"\\,\[\]]+')
_ITEM = re.compile(rf"\s*(?:{_QUOTED}|({_BARE_ITEM.pattern}))\s*(,|\])", re.DOTALL)
_LONGEST_TEXT = 256
_LONGEST_REGEX = 256
_MOST_REPETITIONS = 3
_MOST_VALUES = 500


class Operator(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"
    IN = "in"
    NOT_IN = "not in"
    LIKE = "like"
    NOT_LIKE = "not like"


_REGULAR = frozenset({Operator.MATCHES, Operator.NOT_MATCHES})
_OF_LIST = frozenset({Operator.IN, Operator.NOT_IN, Operator.LIKE, Operator.NOT_LIKE})
_GLOBS = frozenset({Operator.LIKE, Operator.NOT_LIKE})


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a label that is absent counts as empty.

    Regular expressions match the whole value, as in Alertmanager
    (https://prometheus.io/docs/alerting/latest/configuration/#matcher). `in` and `like` have
    `values` instead of a `value`: any of them will do. In a pattern of `like` a `*` stands for
    anything.
    """

    label: str
    operator: Operator
    value: str = ""
    values: tuple[str, ...] = ()

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
            case Operator.IN:
                return actual in self.values
            case Operator.NOT_IN:
                return actual not in self.values
            case Operator.LIKE:
                return self._is_like(actual)
            case Operator.NOT_LIKE:
                return not self._is_like(actual)

    def __str__(self) -> str:
        if self.operator not in _OF_LIST:
            bare = re.fullmatch(r"[^\s\"\\,=~][^\s\"\\,]*", self.value)
            return f"{self.label}{self.operator}{self.value if bare else _quoted(self.value)}"
        items = [v if _BARE_ITEM.fullmatch(v) else _quoted(v) for v in self.values]
        shown = items[0] if len(items) == 1 and self.operator in _GLOBS else f"[{', '.join(items)}]"
        return f"{self.label} {self.operator} {shown}"

    def _fits(self, actual: str) -> bool:
        return re.fullmatch(self.value, actual[:_LONGEST_TEXT]) is not None

    def _is_like(self, actual: str) -> bool:
        return any(fits(_parts(pattern), actual) for pattern in self.values)


Condition = Matcher | Expression
"""What a rule asks of an alert: a matcher of its `match`, or its `when`."""


@lru_cache(maxsize=10_000)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(pattern.split("*"))


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def all_hold(conditions: Iterable[Condition], labels: Mapping[str, str]) -> bool:
    """Tell whether every condition holds; none at all hold for everything."""
    for one in conditions:  # noqa: SIM110 - asked a dozen times of each alert
        if not one.holds(labels):
            return False
    return True


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
    def known(self) -> Mapping[str, str]: ...


_OWN_FIRST = frozenset({"team", "owner", "tier"})
"""Facts of the catalogue that an alert's own labels come before."""


def matchable(thing: Labelled) -> Facts:
    """Return the labels that routes and silences see: its own, then facts about it."""
    seen = Facts(thing.labels)
    fill(seen, thing.known)
    seen["source"] = thing.source
    seen["severity"] = thing.severity.value
    seen["title"] = thing.title
    seen["dedup_key"] = thing.dedup_key
    return seen


def fill(seen: Facts, known: Mapping[str, str]) -> None:
    """Add facts to labels; they replace a label of that name unless it is the sender's to say."""
    for name, value in known.items():
        if name not in _OWN_FIRST or not seen.get(name):
            seen[name] = value


def parse_matchers(text: str) -> tuple[tuple[Matcher, ...], str]:
    """Read matchers from the start of `text`; return them and what follows them.

    Raises ValueError, in words for the person who typed it, when a regular expression, a
    pattern or a list is broken.
    """
    found: list[Matcher] = []
    rest = text
    while read := _symbolic(rest) or _worded(rest):
        made, rest = read
        found.append(made)
        rest = rest.lstrip(" ,")
    return tuple(found), rest.strip()


def _symbolic(text: str) -> tuple[Matcher, str] | None:
    hit = _WRITTEN.match(text)
    if hit is None:
        return None
    label, operator, quoted, bare = hit.groups()
    value = bare.rstrip(",") if quoted is None else _unquoted(quoted)
    return matcher(label, operator, value), text[hit.end() :]


def _worded(text: str) -> tuple[Matcher, str] | None:
    head = _WORDED.match(text)
    if head is None:
        return None
    label, negated, word, bracket = head.groups()
    values, end = _items(text, head.end()) if bracket else _one(text, head.end())
    if end < 0:
        name = label[:_LONGEST_TEXT]
        raise ValueError(
            f"cannot read the list of {name}; write it like {name} {word} [finance, risk]"
        )
    return matcher(label, f"not {word}" if negated else word, values), text[end:]


def _one(text: str, at: int) -> tuple[list[str], int]:
    hit = _ONE.match(text, at)
    assert hit is not None, "a value may be empty"
    quoted, bare = hit.groups()
    return [bare.rstrip(",") if quoted is None else _unquoted(quoted)], hit.end()


def _items(text: str, at: int) -> tuple[list[str], int]:
    """Read the values of a list up to its bracket; the end is -1 when it cannot be read."""
    found: list[str] = []
    while hit := _ITEM.match(text, at):
        quoted, bare, then = hit.groups()
        found.append(bare if quoted is None else _unquoted(quoted))
        at = hit.end()
        if then == "]":
            return found, at
    return found, -1


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def matchers_of(written: Iterable[str]) -> tuple[Matcher, ...]:
    """Return the matchers of texts that have been checked."""
    return tuple(matcher for text in written for matcher in parse_matchers(text)[0])


def conditions_of(match: Iterable[str], when: str) -> tuple[Condition, ...]:
    """Return what a rule's `match` and `when` ask; both have been checked."""
    asked: tuple[Condition, ...] = matchers_of(match)
    return (*asked, Expression(when)) if when else asked


def matcher(label: str, operator: str, value: str | Sequence[str]) -> Matcher:
    """Build a checked matcher; raises ValueError when a value of it cannot be used."""
    made = unchecked(label, Operator(operator), value)
    if fault := matcher_fault(made):
        raise ValueError(f"{str(made)[:_LONGEST_TEXT]}: {fault}")
    return made


def unchecked(label: str, operator: Operator, value: str | Sequence[str]) -> Matcher:
    """Build a matcher of one value, or of several where the operator takes several."""
    if operator not in _OF_LIST:
        assert isinstance(value, str)
        return Matcher(label, operator, value)
    values = (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
    return Matcher(label, operator, values=values)


def matcher_fault(made: Matcher) -> str:
    """Say why a matcher cannot be used, "" when it can."""
    if made.operator in _REGULAR:
        return _regex_fault(made.value)
    return _list_fault(made) if made.operator in _OF_LIST else ""


def _list_fault(made: Matcher) -> str:
    if not made.values:
        return "the list is empty"
    if len(made.values) > _MOST_VALUES:
        return f"more than {_MOST_VALUES} values"
    if made.operator in _GLOBS:
        if any(len(one) > LONGEST_PATTERN for one in made.values):
            return f"longer than {LONGEST_PATTERN} characters"
        if any(one and not one.strip("*") for one in made.values):
            return f'* fits every value; for any value at all write {made.label}!=""'
    return ""


def _regex_fault(pattern: str) -> str:
    if len(pattern) > _LONGEST_REGEX:
        return f"longer than {_LONGEST_REGEX} characters"
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"not a regular expression ({error})"
    return _too_slow(pattern)


def _too_slow(pattern: str) -> str:
    """Say why a pattern could take for ever on a hostile text, "" when it cannot.

    Repetition only of single characters and classes, and little of it, is at worst cubic in a
    text of bounded length.
    """
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern)
    if re.search(r"\)[*+{]|\(\?[^:]", bare) or re.search(r"\\[1-9]", pattern):
        return "a bracket cannot be repeated or looked ahead of; write it out"
    if len(re.findall(r"[*+]|\{\d+,", bare)) > _MOST_REPETITIONS:
        return f"more than {_MOST_REPETITIONS} repetitions (* or +); write several matchers"
    return ""
