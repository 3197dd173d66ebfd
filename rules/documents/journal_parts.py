"""The journal's sections of rulebook documents, laid over each other."""

from collections.abc import Iterable

from rules.documents.journal_spec import JournalSpec, JournalTemplateSpec
from rules.journal.template import FIELDS, JournalRules, Question, Template
from rules.journal.words import SameWords


def journal_rules(sections: Iterable[JournalSpec]) -> JournalRules:
    """Build the rules: of what a document gives the later one's counts, templates by name.

    Later documents' templates are tried first, and words that mean the same are added.
    """
    rules = JournalRules()
    ask, remind, skip, causes = rules.ask, rules.remind, rules.skip, rules.causes
    templates: dict[str, JournalTemplateSpec] = {}
    words: list[tuple[str, ...]] = []
    for spec in sections:
        given = spec.model_fields_set
        ask = frozenset(spec.ask) if "ask" in given else ask
        remind = spec.remind if "remind" in given else remind
        skip = tuple(one.conditions for one in spec.skip) if "skip" in given else skip
        causes = dict(spec.causes) if spec.causes else causes
        templates = {one.name: one for one in spec.templates} | {
            name: one
            for name, one in templates.items()
            if name not in {own.name for own in spec.templates}
        }
        words += spec.same_words
    return JournalRules(
        templates=tuple(_template(one) for one in templates.values()),
        causes=causes,
        same_words=SameWords(tuple(words)),
        ask=ask,
        remind=remind,
        skip=skip,
    )


def _template(spec: JournalTemplateSpec) -> Template:
    asked = ((name, getattr(spec, name)) for name in FIELDS)
    questions = {
        name: Question(one.label, one.hint, one.required) for name, one in asked if one is not None
    }
    return Template(spec.name, questions, spec.conditions)
