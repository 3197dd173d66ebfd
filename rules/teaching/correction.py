"""The rule that would have got it right: from a corrected incident, narrow to wide, as YAML."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from rules.category import Category
from rules.documents.yaml_text import forbidden_at
from rules.incident import Incident
from rules.matching.matcher import Matcher, Operator, all_hold, matchable, parse_matchers
from rules.priority import Impact

CHECKS = ("test", "test_name", "check", "check_name", "expectation", "expectation_type", "rule",
          "monitor", "alertname", "assertion")  # fmt: skip
ASSETS = ("model", "asset", "table", "dataset", "dbt_source", "relation", "unique_id")
PIPELINES = (("dag_id", "task_id"), ("dag", "task"), ("job", "task"), ("pipeline", "task"))
FLOWS = ("dag_id", "dag", "job", "job_name", "pipeline", "workflow", "connector", "service")
"""Labels that tell what was checked, on what, and by which run; the first an alert has counts."""

LONGEST_WHY = 500
_LONGEST_VALUE = 200
_LONGEST_BEGINNING = 120
_LONGEST_LABEL = 60
_LONGEST_NAME = 400
"""With its number: a rulebook takes names of 500 characters."""
_MOST_NUMBERS = 3
_NUMBER = re.compile(r"[0-9]+")
_WORD = re.compile(r"[A-Za-z_][\w.:-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What a person wants made of such alerts; None is what stays as the tables say."""

    category: Category | None = None
    impact: Impact | None = None
    actionable: bool | None = None

    @property
    def teaches(self) -> bool:
        """Tell whether a rule can say it: a rule can quiet an alert, not make it page."""
        return bool(self.category or self.impact or self.actionable is False)


@dataclass(frozen=True, slots=True)
class Breadth:
    """One choice of which alerts a rule takes: `words` say it, all matchers must hold."""

    words: str
    matchers: tuple[Matcher, ...]


def breadths(incident: Incident) -> tuple[Breadth, ...]:
    """Return the ways to say "alerts like this one", the narrowest first.

    Nothing for what is not one alert that a tool reported. Every one takes the incident's own.
    """
    if incident.storm or incident.unreadable or incident.source.startswith("@"):
        return ()
    labels = matchable(incident)
    found: dict[tuple[Matcher, ...], Breadth] = {}
    for words, chosen in _choices(incident):
        matchers = tuple(chosen)
        if matchers and all(map(_writable, matchers)) and all_hold(matchers, labels):
            found.setdefault(matchers, Breadth(words, matchers))
    return tuple(found.values())


def rule_name(incident: Incident, breadth: Breadth, remedy: Remedy) -> str:
    """Name a rule so that people know it again; another rule of the incident has another name."""
    told = f"{breadth.matchers} {remedy.category} {remedy.impact} {remedy.actionable}"
    digest = hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:4]
    return f"{_plain(breadth.words)[:_LONGEST_NAME]} (#{incident.number}, {digest})"


def rule_yaml(
    incident: Incident, breadth: Breadth, remedy: Remedy, *, by: str, at: datetime, why: str = ""
) -> str:
    """Write the rule in the rulebook's own language, with a comment on where it comes from."""
    name = _quoted(rule_name(incident, breadth, remedy))
    match = ", ".join(_quoted(str(one)) for one in breadth.matchers)
    head = f"# Learned from incident #{incident.number}, by {_plain(by)}, {at:%Y-%m-%d %H:%M} UTC."
    lines = [head]
    if why:
        lines.append(f"# {_plain(why[:LONGEST_WHY])}")
    entry = f"name: {name}\n    match: [{match}]"
    if remedy.category:
        deeper = entry.replace("\n    ", "\n      ")
        lines += ["categories:", "  rules:", f"    - {deeper}",
                  f"      category: {remedy.category}", "      confidence: 1.0"]  # fmt: skip
    if remedy.impact:
        lines += ["impact_rules:", f"  - {entry}", f"    impact: {remedy.impact}"]
    if remedy.actionable is False:
        lines += ["not_actionable:", f"  - {entry}"]
    return "\n".join(lines) + "\n"


def _choices(incident: Incident) -> Iterator[tuple[str, list[Matcher]]]:
    labels, source = incident.labels, _equal("source", incident.source)
    check, asset = _first(labels, CHECKS), _first(labels, ASSETS)
    column = [_equal("column", labels["column"])] if labels.get("column") else []
    if check and asset:
        on = f"{check.value} on {asset.value}"
        if column:
            yield f"{on}.{column[0].value}", [source, check, asset, *column]
        yield on, [source, check, asset]
    if not (check and asset) and not _pipeline(labels):
        yield "exactly this thing", [source, _equal("dedup_key", incident.dedup_key)]
        yield from _by_title(incident, source)
    yield from _by_flow(labels, source)
    if check:
        yield f"{check.value} everywhere", [source, check]
    if asset:
        yield f"everything on {asset.value}", [source, asset]
    if product := labels.get("product"):
        yield f"product {product}", [_equal("product", product)]


def _by_flow(labels: Mapping[str, str], source: Matcher) -> Iterator[tuple[str, list[Matcher]]]:
    if both := _pipeline(labels):
        flow, task = both
        yield f"task {flow.value}.{task.value}", [source, flow, task]
    if whole := _first(labels, FLOWS):
        yield f"everything of {whole.value}", [source, whole]


def _by_title(incident: Incident, source: Matcher) -> Iterator[tuple[str, list[Matcher]]]:
    if pattern := _title_pattern(incident.title):
        yield "titles like this one", [source, Matcher("title", Operator.MATCHES, pattern)]


def _title_pattern(title: str) -> str:
    """Return the title as a pattern with any numbers; "" when it would say next to nothing.

    What follows the third number, or lies far behind, may be anything.
    """
    if not _WORD.search(title) or "\n" in title:
        return ""
    made, at, numbers = "", 0, 0
    for hit in _NUMBER.finditer(title[:_LONGEST_BEGINNING]):
        if numbers == _MOST_NUMBERS - 1:
            return f"{made}{re.escape(title[at : hit.start()])}.*"
        made += re.escape(title[at : hit.start()]) + "[0-9]+"
        at, numbers = hit.end(), numbers + 1
    if len(title) > _LONGEST_BEGINNING:
        return f"{made}{re.escape(title[at:_LONGEST_BEGINNING])}.*"
    return made + re.escape(title[at:])


def _pipeline(labels: Mapping[str, str]) -> tuple[Matcher, Matcher] | None:
    for flow, task in PIPELINES:
        if labels.get(flow) and labels.get(task):
            return _equal(flow, labels[flow]), _equal(task, labels[task])
    return None


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> Matcher | None:
    return next((_equal(name, labels[name]) for name in names if labels.get(name)), None)


def _equal(label: str, value: str) -> Matcher:
    return Matcher(label, Operator.EQUAL, value)


def _writable(one: Matcher) -> bool:
    """Tell whether a matcher reads back as itself from a rulebook's file."""
    text = str(one)
    if not one.value or len(one.value) > _LONGEST_VALUE or "${" in text:
        return False
    if len(text.splitlines()) != 1:
        return False
    if len(one.label) > _LONGEST_LABEL or forbidden_at(text) is not None:
        return False
    try:
        return parse_matchers(text) == ((one,), "")
    except ValueError:
        return False


def _plain(text: str) -> str:
    """Return text as one line that YAML can hold anywhere, without references."""
    kept = " ".join(text.split())[:LONGEST_WHY].replace("${", "$ {")
    return "".join(" " if forbidden_at(char) is not None else char for char in kept)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t") + '"'
