"""The task sections of rulebook documents, laid over each other."""

from collections.abc import Iterable

from rules.documents.tasks_spec import TaskRuleSpec
from rules.tasks.task import TaskRule


def task_rules(sections: Iterable[Iterable[TaskRuleSpec]]) -> tuple[TaskRule, ...]:
    """Build the rules in the order in which they were first named; the last of a name counts."""
    by_name: dict[str, TaskRuleSpec] = {}
    for section in sections:
        by_name |= {spec.name: spec for spec in section}
    return tuple(_rule(spec) for spec in by_name.values() if not spec.off)


def _rule(spec: TaskRuleSpec) -> TaskRule:
    return TaskRule(
        name=spec.name,
        title=spec.title or spec.name.replace("-", " ").replace("_", " ").capitalize(),
        conditions=spec.conditions,
        due=spec.due,
        assign=spec.assign,
        blocks=spec.blocks,
        nudges=spec.nudges,
    )
