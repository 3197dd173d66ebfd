"""What is wrong with a rulebook as a whole: names that lead nowhere, rules that can never apply."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rules.documents.category_spec import CategoryRuleSpec, CategoryTextSpec
from rules.documents.overruling_parts import overruling_faults
from rules.documents.priority_checks import priority_faults, priority_warnings
from rules.documents.rulebook_parts import Draft, Surroundings, routes_in_order
from rules.documents.rulebook_spec import RouteSpec, StepSpec, TargetSpec
from rules.documents.yaml_document import Fault, Path
from rules.nearest import did_you_mean, nearest
from rules.people import AmbiguousPersonError, People, UnknownPersonError

_POLICIES = "escalation_policies"


@dataclass(frozen=True, slots=True)
class Findings:
    """Faults keep the rulebook from being used; warnings are for a person to judge."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


def cross_check(drafts: Sequence[Draft], around: Surroundings) -> Findings:
    """Check all documents against each other; the last is the configuration itself."""
    policies = {name for draft in drafts for name in draft.spec.escalation_policies}
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for draft in drafts:
        faults += _policy_faults(draft, around)
        faults += _route_faults(draft, policies)
        faults += _window_faults(draft)
        faults += _category_faults(draft)
        faults += overruling_faults(draft.document, draft.spec)
        warnings += _policy_warnings(draft)
        person_faults, person_warnings = _people(draft, around.people)
        faults += person_faults
        warnings += person_warnings
    faults += priority_faults(drafts)
    warnings += priority_warnings(drafts)
    last = drafts[-1]
    if all(route.conditions for route in routes_in_order([d.spec for d in drafts])):
        faults.append(
            last.document.fault(
                ("routes",), "no route takes every alert; end with one without `match`"
            )
        )
    if not any(draft.spec.fallback for draft in drafts):
        warnings.append(
            last.document.fault(
                ("fallback",),
                "no `fallback`: when a policy reaches nobody, nobody is paged; "
                "write fallback: [lead@example.com]",
            )
        )
    return Findings(tuple(sorted(faults)), tuple(sorted(warnings)))


def _steps(draft: Draft) -> Iterator[tuple[Path, tuple[StepSpec, ...], int]]:
    for name, steps in draft.spec.escalation_policies.items():
        for at in range(len(steps)):
            yield (_POLICIES, name, at), steps, at


def _targets(draft: Draft) -> Iterator[tuple[Path, TargetSpec]]:
    for path, steps, at in _steps(draft):
        for n, target in enumerate(steps[at].page):
            yield (*path, "page", n), target


def _policy_faults(draft: Draft, around: Surroundings) -> Iterator[Fault]:
    fault = draft.document.fault
    for name, policy in draft.spec.escalation_policies.items():
        if not policy:
            yield fault((_POLICIES, name), f"policy `{name}` has no steps, so it pages nobody")
    for path, steps, at in _steps(draft):
        if steps[at].repeat and at < len(steps) - 1:
            yield fault((*path, "repeat"), "`repeat` stands only on the last step of a policy")
    for path, target in _targets(draft):
        if target.webhook and target.webhook not in around.webhooks:
            hint = did_you_mean(target.webhook, around.webhooks) or "; list it in `webhooks`"
            yield fault((*path, "webhook"), f'unknown webhook "{target.webhook}"{hint}')


def _policy_warnings(draft: Draft) -> Iterator[Fault]:
    for path, steps, at in _steps(draft):
        if steps[at].repeat and not any(step.wait for step in steps):
            yield draft.document.fault(
                (*path, "repeat"),
                "no step waits, so the repeats follow at once; give the steps `wait: 5m`",
            )
        if steps[at].wait and steps[at].wait > timedelta(days=1):
            yield draft.document.fault((*path, "wait"), "waits longer than a day for an answer")


def _route_faults(draft: Draft, policies: set[str]) -> Iterator[Fault]:
    for at, route in enumerate(draft.spec.routes):
        earlier = draft.spec.routes[:at]
        if any(other.name == route.name for other in earlier):
            yield draft.document.fault(
                ("routes", at, "name"), f'there are two routes "{route.name}"; names are unique'
            )
        if route.policy not in policies:
            yield draft.document.fault(
                ("routes", at, "policy"),
                f'unknown policy "{route.policy}"{did_you_mean(route.policy, policies)}',
            )
        if wider := next((other for other in earlier if _covers(other, route)), None):
            yield draft.document.fault(
                ("routes", at),
                f'route "{route.name}" is never reached: "{wider.name}" before it takes '
                + ("every alert" if not wider.conditions else "all it would take"),
            )


def _covers(wider: RouteSpec, route: RouteSpec) -> bool:
    return set(wider.conditions) <= set(route.conditions)


def _window_faults(draft: Draft) -> Iterator[Fault]:
    names = [window.name for window in draft.spec.maintenance_windows]
    for at, name in enumerate(names):
        if name in names[:at]:
            yield draft.document.fault(
                ("maintenance_windows", at, "name"),
                f'there are two maintenance windows "{name}"; names are unique',
            )


def _category_faults(draft: Draft) -> Iterator[Fault]:
    categories = draft.spec.categories
    tables: dict[str, Sequence[CategoryRuleSpec | CategoryTextSpec]] = {
        "rules": categories.rules,
        "not_evaluated": categories.not_evaluated,
        "events": categories.events,
        "texts": categories.texts,
        "fallback": categories.fallback,
    }
    for table, entries in tables.items():
        names = [entry.name for entry in entries]
        for at, name in enumerate(names):
            if name in names[:at]:
                words = f'there are two entries "{name}" in `{table}`; names are unique'
                yield draft.document.fault(("categories", table, at, "name"), words)


def _people(draft: Draft, people: People) -> tuple[list[Fault], list[Fault]]:
    named: list[tuple[Path, str]] = [
        ((*path, "person"), target.person) for path, target in _targets(draft) if target.person
    ]
    named += [(("fallback", n), name) for n, name in enumerate(draft.spec.fallback)]
    faults: list[Fault] = []
    warnings: list[Fault] = []
    emails = {person.email for person in people if person.email}
    for path, name in named:
        try:
            found = people.find(name)
        except (UnknownPersonError, AmbiguousPersonError) as error:
            faults.append(draft.document.fault(path, str(error)))
            continue
        near = nearest(found.email, emails) if found.email and found.email not in emails else None
        if near:
            words = f'"{name}" is nobody of `people`; did you mean `{near}`?'
            warnings.append(draft.document.fault(path, words))
    return faults, warnings
