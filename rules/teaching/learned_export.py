"""Learned rules as one rulebook document, to be kept among the files under version control."""

import re
from collections.abc import Sequence

from rules.teaching.learned import LearnedRule, read_lesson

_SECTIONS = ("categories", "impact_rules", "not_actionable")
_HEADS = {"categories": "categories:\n  rules:\n"}


def exported(rules: Sequence[LearnedRule]) -> tuple[str, tuple[str, ...]]:
    """Return the YAML of all rules, and the ids of those that are broken and left out.

    The newest stands first, as it is asked first.
    """
    entries: dict[str, list[str]] = {section: [] for section in _SECTIONS}
    left_out: list[str] = []
    for rule in rules:
        try:
            read_lesson(rule)
        except ValueError:
            left_out.append(rule.id)
            continue
        for section, entry in _entries(rule.yaml):
            entries[section].append(entry)
    parts = [
        _HEADS.get(section, f"{section}:\n") + "".join(listed)
        for section, listed in entries.items()
        if listed
    ]
    return "".join(parts) or "# No rules have been learned.\n", tuple(left_out)


def _entries(yaml: str) -> list[tuple[str, str]]:
    """Split a document as `rule_yaml` writes it into its entries, comments with each."""
    comments = "".join(f"{line}\n" for line in yaml.splitlines() if line.startswith("#"))
    found: list[tuple[str, str]] = []
    section = ""
    for line in yaml.splitlines():
        if head := re.fullmatch(r"(categories|impact_rules|not_actionable):", line):
            section = head[1]
            indent = "    " if section == "categories" else "  "
            told = "".join(f"{indent}{one}\n" for one in comments.splitlines())
            found.append((section, told))
        elif section and line != "  rules:":
            found[-1] = (section, f"{found[-1][1]}{line}\n")
    return found
