"""The forms of a correction: what is not right, and the rule that would have got it right."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, Names, at, join, md, one_line, outside
from bot.slack.wording.incident import title
from rules.category import Category
from rules.incident import Incident
from rules.priority import Impact
from rules.teaching.correction import LONGEST_WHY, Breadth
from rules.teaching.learned import LearnedRule
from rules.teaching.trial import Trial

AS_IT_IS = "-"
_MOST_NUMBERS = 10
_MOST_RULES = 20


def correct_modal(incident: Incident, metadata: str) -> Json:
    """Ask what is not right; what it is now is preselected, what else it may be comes next."""
    impact = incident.stakes.impact.value if incident.stakes else AS_IT_IS
    category = incident.category.value if incident.category else AS_IT_IS
    pages = "yes" if incident.is_actionable else "no"
    return kit.modal(
        "correct",
        f"Not right? #{incident.number}",
        [
            kit.plain_section(title(incident), 300),
            kit.input_block(
                "category", "It is", kit.select("category", _categories(incident), category)
            ),
            kit.input_block("impact", "Impact", kit.select("impact", _impacts(incident), impact)),
            kit.input_block(
                "actionable",
                "Should it page anybody?",
                kit.select(
                    "actionable",
                    [("Yes, as its priority says", "yes"), ("No, it is not actionable", "no")],
                    pages,
                ),
            ),
            kit.input_block(
                "why",
                "Why",
                kit.text_input(
                    "why", placeholder="Rows were missing, nothing was late", longest=LONGEST_WHY
                ),
                optional=True,
                hint="Next you see a rule for alerts like this one, tried on the last 30 days. "
                "Nothing is learned before you save it.",
            ),
        ],
        submit="Correct it",
        metadata=metadata,
    )


def trying_modal(number: int) -> Json:
    text = md(
        "#{number} is being corrected. Trying a rule for alerts like it on the last 30 days…",
        number=number,
    )
    return kit.modal("trying", f"Corrected #{number}", [kit.section(text)])


def no_rule_modal(number: int, why: str) -> Json:
    text = md("#{number} is corrected. {why}", number=number, why=why)
    return kit.modal("corrected", f"Corrected #{number}", [kit.section(text)])


def trial_modal(
    number: int,
    choices: Sequence[Breadth],
    chosen: int,
    *,
    yaml: str,
    trial: Trial,
    now: datetime,
    metadata: str,
) -> Json:
    """Show the rule and what it would have changed; sending the form saves it."""
    lead = md(
        "*#{number} is corrected.* Shall alerts like it be treated so from now on? "
        "Nothing is learned yet.\n\nRule {n} of {all}, from narrow to wide: *{words}*",
        number=number,
        n=chosen + 1,
        all=len(choices),
        words=outside(one_line(choices[chosen].words), 200),
    )
    return kit.modal(
        "correct_rule",
        f"Learn from #{number}",
        [
            kit.section(lead),
            kit.plain_section(yaml, 2900),
            kit.section(join("\n", [_count(trial), *_examples(trial, now)])),
            *_warnings(trial),
            *_steps(number, choices, chosen),
        ],
        submit="Save the rule",
        metadata=metadata,
    )


def correct_answer(incident: Incident) -> Json:
    """A button that opens the form, for who typed the word."""
    text = md("What is not right about *#{number}*?", number=incident.number)
    button = kit.button("Not right?…", "correct", str(incident.number), style="primary")
    return kit.message(text, [kit.section(text, button)])


def rules_answer(
    rules: Sequence[LearnedRule],
    named: Mapping[str, tuple[str, ...]],
    names: Names,
    now: datetime,
) -> Json:
    """List the learned rules, newest first; `named` by id, without those that are broken."""
    if not rules:
        text = md("No rules have been learned. *Not right?…* in an incident's menu teaches one.")
        return kit.message(text, [kit.section(text)])
    head = md("{count} learned rules, newest first", count=len(rules))
    lines = [_rule_line(rule, named.get(rule.id), names, now) for rule in rules[:_MOST_RULES]]
    more = len(rules) - len(lines)
    if more > 0:
        lines.append(md("and {more} more: `watchbill rules list`", more=more))
    foot = md(
        "`/oncall rules remove &lt;id&gt;` ends one. `watchbill rules export` prints them as YAML."
    )
    sections = [kit.section(join("\n", lines[n : n + 10])) for n in range(0, len(lines), 10)]
    return kit.message(
        head, [kit.section(md("*{head}*", head=head)), *sections, *kit.context(foot)]
    )


def _rule_line(
    rule: LearnedRule, called: tuple[str, ...] | None, names: Names, now: datetime
) -> Mrkdwn:
    if called is None:
        what = md("⚠️ *left out: it cannot be read*")
    else:
        what = outside(one_line(", ".join(called)), 160)
    return md(
        "`{id}` {what}, by {who} {when}{why}",
        id=rule.id,
        what=what,
        who=outside(names.name(rule.by), 80),
        when=at(rule.at, now),
        why=md(": “{why}”", why=outside(one_line(rule.why), 100)) if rule.why else Mrkdwn(),
    )


def _categories(incident: Incident) -> list[tuple[str, str]]:
    now, other = incident.category, incident.category_alt
    first = [one for one in (now, other) if one is not None]
    rest = [one for one in Category if one not in first]
    none = [] if now else [("As it is: not known", AS_IT_IS)]
    shown = [(one.words.capitalize(), one.value) for one in (*first, *rest)]
    if now:
        shown[0] = (f"{shown[0][0]} (as it is)", shown[0][1])
    return [*none, *shown]


def _impacts(incident: Incident) -> list[tuple[str, str]]:
    if incident.stakes is None:
        none = [(f"As it is: {incident.priority}, by its severity", AS_IT_IS)]
        return [*none, *((one.value.capitalize(), one.value) for one in Impact)]
    now = incident.stakes.impact
    return [
        (one.value.capitalize() + (" (as it is)" if one is now else ""), one.value)
        for one in Impact
    ]


def _count(trial: Trial) -> Mrkdwn:
    scope = " (the newest; there were more)" if trial.cut else ""
    if not trial.looked_at:
        return md("There are no alerts of the last 30 days to try it on.")
    if not trial.changed:
        return md(
            "It takes {taken} of the {n} alerts of the last 30 days{scope}, and would have "
            "changed *none*.",
            taken=trial.taken, n=trial.looked_at, scope=scope,
        )  # fmt: skip
    parts = [md("{count} {what}", count=count, what=what) for what, count in trial.changes[:6]]
    return md(
        "Would have changed *{changed}* of the {n} alerts of the last 30 days{scope}: {parts}.",
        changed=trial.changed,
        n=trial.looked_at,
        scope=scope,
        parts=join(", ", parts),
    )


def _examples(trial: Trial, now: datetime) -> list[Mrkdwn]:
    return [
        md(
            "• {when} #{number} {title}: {was} → {becomes}",
            when=at(one.at, now),
            number=one.number,
            title=outside(one_line(one.title), 120),
            was=one.was,
            becomes=one.becomes,
        )
        for one in trial.examples
    ]


def _warnings(trial: Trial) -> list[Json]:
    lines: list[Mrkdwn] = []
    if trial.named:
        lines.append(
            md(
                "⚠️ {n} of them name their category themselves, and that counts before a rule: "
                "change it at the source.",
                n=trial.named,
            )
        )
    if trial.against:
        lines.append(md("⚠️ Somebody has corrected {n} otherwise: {which}.", n=len(trial.against),
                        which=_numbers(trial.against)))  # fmt: skip
    if trial.stopped:
        lines.append(md("⚠️ {n} incidents that paged would not have: {which}.",
                        n=len(trial.stopped), which=_numbers(trial.stopped)))  # fmt: skip
    if trial.stopped_p1:
        lines.append(md("🚨 *P1 among them*: {which}.", which=_numbers(trial.stopped_p1)))
    return [kit.section(join("\n", lines))] if lines else []


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(f"#{n}" for n in numbers[:_MOST_NUMBERS])
    more = len(numbers) - _MOST_NUMBERS
    return f"{shown} and {more} more" if more > 0 else shown


def _steps(number: int, choices: Sequence[Breadth], chosen: int) -> list[Json]:
    buttons = []
    if chosen > 0:
        label = f"Narrower: {one_line(choices[chosen - 1].words)}"
        buttons.append(kit.button(label, "rule_narrower", str(number)))
    if chosen < len(choices) - 1:
        label = f"Wider: {one_line(choices[chosen + 1].words)}"
        buttons.append(kit.button(label, "rule_wider", str(number)))
    return [kit.actions("breadth", *buttons)] if buttons else []
