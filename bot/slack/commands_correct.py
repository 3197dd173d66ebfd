"""Reads `/oncall correct` and `/oncall rules`."""

from bot.acts.act import EndRule, OnIncident
from bot.slack.wishes import AskCorrect, AskRules, Typed, Typist
from rules.category import Category
from rules.priority import Impact
from rules.teaching.correction import LONGEST_WHY

_CATEGORIES = {one.value: one for one in Category}
_IMPACTS = {one.value: one for one in Impact}
_LONGEST_ID = 64


def read_correction(number: int, words: list[str], typist: Typist) -> Typed:
    """Read what is not right: a category, an impact, "not actionable", then why; any or none."""
    if not words:
        return Typed(AskCorrect(number))
    category: Category | None = None
    impact: Impact | None = None
    actionable: bool | None = None
    rest = list(words)
    while rest:
        two = "_".join(rest[:2]).lower().replace("-", "_").strip(",")
        one = rest[0].lower().replace("-", "_").strip(",")
        if two in _CATEGORIES and len(rest) > 1:
            category, rest = _CATEGORIES[two], rest[2:]
        elif one in _CATEGORIES:
            category, rest = _CATEGORIES[one], rest[1:]
        elif one in _IMPACTS:
            impact, rest = _IMPACTS[one], rest[1:]
        elif two == "not_actionable" or one == "not_actionable":
            actionable, rest = False, rest[1 if one == "not_actionable" else 2 :]
        elif one == "actionable":
            actionable, rest = True, rest[1:]
        else:
            break
    if category is None and impact is None and actionable is None:
        raise ValueError("Say what it is: a category, an impact, or not actionable.")
    return Typed(
        OnIncident(
            number=number,
            event="corrected",
            by=typist.by,
            note=" ".join(rest)[:LONGEST_WHY],
            category=category,
            impact=impact,
            actionable=actionable,
        )
    )


def read_rules(words: list[str], typist: Typist) -> Typed:
    if not words:
        return Typed(AskRules())
    if words[0].lower() != "remove" or len(words) != 2:
        raise ValueError("Say which: `/oncall rules` lists their ids.")
    return Typed(EndRule(by=typist.by, rule_id=words[1].strip("`")[:_LONGEST_ID]))
