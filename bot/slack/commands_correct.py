"""Reads `/oncall correct` and `/oncall rules`."""

from bot.acts.act import EndRule, OnIncident
from bot.slack.wishes import AskCorrect, AskRules, Typed, Typist, bare
from rules.category import Category
from rules.priority import Impact
from rules.teaching.correction import LONGEST_WHY

_CATEGORIES = {one.value: one for one in Category}
_LONGEST_CATEGORY = max(len(one.words.split()) for one in Category)
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
        two, one = _written(rest[:2]), _written(rest[:1])
        if length := _length_of_category(rest):
            category, rest = _CATEGORIES[_written(rest[:length])], rest[length:]
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


def _written(words: list[str]) -> str:
    return "_".join(map(bare, words)).replace("-", "_")


def _length_of_category(words: list[str]) -> int:
    """Return how many words at the beginning name a category, 0 when none do."""
    most = min(_LONGEST_CATEGORY, len(words))
    return next((n for n in range(most, 0, -1) if _written(words[:n]) in _CATEGORIES), 0)


def read_rules(words: list[str], typist: Typist) -> Typed:
    if not words:
        return Typed(AskRules())
    if words[0].lower() != "remove" or len(words) != 2:
        raise ValueError("Say which: `/oncall rules` lists their ids.")
    return Typed(EndRule(by=typist.by, rule_id=words[1].strip("`")[:_LONGEST_ID]))
