"""Conditions in CEL, for what matchers cannot say: `labels.rows > 1000 && alert.tier == 1`.

The library is loaded only where a rulebook has an expression. It checks names and types before
anything runs, matches regular expressions in linear time, and gives an expression 10,000
iterations and 32 levels of nesting at most, so that none runs for long.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from rules.facts import Facts
from rules.nearest import nearest

if TYPE_CHECKING:
    from cel_expr_python import cel

LONGEST_EXPRESSION = 1_000
_LONGEST_VALUE = 1_000
ALERT_FACTS = (
    *("source", "severity", "title", "dedup_key", "category", "product", "asset"),
    *("team", "owner", "impact", "urgency", "priority"),
)
"""What an expression reads as `alert.<name>`, beside the number `alert.tier`."""

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(\.\d{1,17})?", re.ASCII)
_QUOTED_NUMBER = re.compile(
    r"labels(?:\.\w+|\[[^]]*\])\s*[!=]=\s*([\"'])(-?(?:0|[1-9]\d*)(?:\.\d+)?)\1"
)
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_MISSING = re.compile(r'Key not found in map : "(.*)"')
_UNKNOWN = re.compile(r"undeclared reference to '([^']*)'")
_EQUALS = re.compile(r"(?:labels|text|alert)\.(\w+)\s*==\s*(\"[^\"\\]+\"|'[^'\\]+')")
_NAMES = ("labels", "text", "alert.tier", *(f"alert.{name}" for name in ALERT_FACTS))


@dataclass(frozen=True, slots=True)
class Expression:
    """A CEL expression that has been checked; what cannot be evaluated does not hold."""

    source: str

    def holds(self, labels: Mapping[str, str]) -> bool:
        facts = labels if isinstance(labels, Facts) else Facts(labels)
        program, environment = _program(self.source), _environment()
        if facts.view is None:
            facts.view = environment.Activation(_view(facts))
        try:
            found = program.eval(facts.view).value()
        except RuntimeError as error:
            found = error
        if isinstance(found, bool):
            return found
        facts.failed[self.source] = _why(str(found))
        return False

    def __str__(self) -> str:
        return self.source


def expression_fault(source: str) -> str:
    """Say why an expression cannot be used, "" when it can."""
    if len(source) > LONGEST_EXPRESSION:
        return f"longer than {LONGEST_EXPRESSION} characters; split it into several rules"
    if any("\ud800" <= one <= "\udfff" for one in source):
        return "half a character stands in it; write it again"
    try:
        answers = _program(source).return_type().name()
    except ImportError:
        return "expressions need the package cel-expr-python; install it, or use `match`"
    except RuntimeError as error:
        return _misread(str(error))
    if answers != "BOOL":
        return "does not say yes or no; compare it with something, like labels.rows > 1000"
    if hit := _QUOTED_NUMBER.search(source):
        value = hit[2]
        return (
            f"labels that look like numbers are numbers here; write {value} without quotes, "
            "or `text.` for `labels.` to compare what is written"
        )
    return ""


def equalities(source: str) -> tuple[tuple[str, str], ...]:
    """Return labels and the one value of each without which the expression cannot hold.

    They are found in a plain chain of `&&`; anything else may hold without them.
    """
    hits = (_EQUALS.fullmatch(part.strip()) for part in _conjuncts(source))
    return tuple((hit[1], hit[2][1:-1]) for hit in hits if hit and hit[1] != "tier")


def _conjuncts(source: str) -> list[str]:
    """Split at the outermost `&&`; nothing where that could be misread, or says something else."""
    if any(mark in source for mark in ("\\", "//", '""', "''")):
        return []
    parts, depth, quote = [""], 0, ""
    for at, one in enumerate(source):
        if quote:
            quote = "" if one == quote else quote
        elif one in "\"'":
            quote = one
        elif one in "([{":
            depth += 1
        elif one in ")]}":
            depth -= 1
        elif depth == 0 and (one == "?" or source.startswith("||", at)):
            return []
        elif depth == 0 and source.startswith("&&", at):
            parts.append("")
        parts[-1] += one
    return [part.lstrip("&") for part in parts]


@lru_cache(maxsize=1)
def _environment() -> "cel.Env":
    from cel_expr_python import cel  # it is 13 MB that most rulebooks do not need

    kind = cel.Type
    return cel.NewEnv(
        variables={
            "labels": kind.Map(kind.STRING, kind.DYN),
            "text": kind.Map(kind.STRING, kind.STRING),
            "alert.tier": kind.INT,
            **{f"alert.{name}": kind.STRING for name in ALERT_FACTS},
        }
    )


@lru_cache(maxsize=10_000)
def _program(source: str) -> "cel.Expression":
    return _environment().compile(source)


def _view(facts: Facts) -> dict[str, object]:
    text = {name: value[:_LONGEST_VALUE] for name, value in facts.items()}
    tier = facts.get("tier", "")
    return {
        "labels": {name: _value(value) for name, value in text.items()},
        "text": text,
        "alert.tier": int(tier) if tier.isdecimal() and len(tier) < 3 else 0,
        **{f"alert.{name}": text.get(name, "") for name in ALERT_FACTS},
    }


def _value(written: str) -> str | int | float:
    hit = _NUMBER.fullmatch(written)
    if hit is None:
        return written
    return float(written) if hit[1] else int(written)


def _why(error: str) -> str:
    if hit := _MISSING.search(error):
        return f"there is no label {hit[1]}"
    if "No matching overload" in error:
        return "a text is compared with a number, or used as one"
    if "Iteration budget" in error:
        return "it takes too long"
    return error.partition("\n")[0][:200]


def _misread(error: str) -> str:
    if hit := _UNKNOWN.search(error):
        name = hit[1]
        near = nearest(name, _NAMES) or nearest(name.partition(".")[0], ("labels", "text", "alert"))
        hint = f"did you mean `{near}`?" if near else f"a label is read like `labels.{name}`"
        return f"there is no `{name}`; {hint}"
    hit = _PLACE.search(error)
    if hit is None:
        return "nested too deeply" if "recursion" in error else error.partition("\n")[0][:200]
    line, column, words = hit.groups()
    where = f"line {line}, character {column}" if line != "1" else f"character {column}"
    words = words.removeprefix("Syntax error: ").partition(" expecting ")[0]
    return f"cannot be read at {where}: {words[:120]}"
