"""Keeps the rules that people teach by a correction, and ends them."""

from bot.acts.act import EndRule, SaveRule
from bot.engine.answer import Answer, no_incident
from bot.engine.work import Work
from rules.sentence import say
from rules.teaching.correction import LONGEST_WHY, Remedy, breadths, rule_name, rule_yaml
from rules.teaching.learned import MOST_RULES, LearnedRule, names_of


async def teach(work: Work, act: SaveRule | EndRule) -> Answer:
    """Do one act on learned rules in the open transaction."""
    match act:
        case SaveRule():
            return await _save(work, act)
        case EndRule():
            return await _end(work, act)


async def _save(work: Work, act: SaveRule) -> Answer:
    incident = await work.tx.incident_numbered(act.number)
    if incident is None:
        return Answer(no_incident(act.number), refused=True)
    remedy = Remedy(category=act.category, impact=act.impact, actionable=act.actionable)
    choices = breadths(incident)
    known = 0 <= act.breadth < len(choices) and remedy.teaches
    if not known or rule_name(incident, choices[act.breadth], remedy) != act.name:
        changed = say("#{number} has changed since the rule was tried; correct it again.",
                      number=act.number)  # fmt: skip
        return Answer(changed, refused=True)
    in_force = await work.tx.learned_rules()
    if len(in_force) >= MOST_RULES:
        full = say(
            "There are {count} learned rules; put them into the rulebook with "
            "`watchbill rules export`, then remove them.", count=len(in_force),
        )  # fmt: skip
        return Answer(full, refused=True)
    yaml = rule_yaml(
        incident, choices[act.breadth], remedy, by=act.by, at=work.now, why=act.why[:LONGEST_WHY]
    )
    rule = LearnedRule(
        id=_free_id(work, {one.id for one in in_force}),
        yaml=yaml,
        by=act.by,
        at=work.now,
        number=act.number,
        why=act.why[:LONGEST_WHY],
    )
    same = [one for one in in_force if one.number == rule.number]
    if any(act.name in names for names in names_of(same).values()):
        return Answer(say("Rule {name} is in force already.", name=act.name), refused=True)
    work.tx.save_learned(rule)
    return Answer(say("Saved rule {id}: {name}. It counts from now on; `/oncall rules` lists them.",
                      id=rule.id, name=act.name))  # fmt: skip


async def _end(work: Work, act: EndRule) -> Answer:
    found = next((one for one in await work.tx.learned_rules() if one.id == act.rule_id), None)
    if found is None:
        gone = say("There is no rule {id}; `/oncall rules` lists them.", id=act.rule_id)
        return Answer(gone, refused=True)
    work.tx.end_learned(found.id, act.by, work.now)
    return Answer(say("Rule {id} no longer counts.", id=found.id))


def _free_id(work: Work, taken: set[str]) -> str:
    while True:
        made = work.new_id()[-8:]
        if made not in taken:
            return made
