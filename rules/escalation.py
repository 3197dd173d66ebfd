"""Policy and steps: who is paged next, and when we look again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from rules.decision import Draft
from rules.effects import CallWebhook, Page, PageChannel, PageUserGroup, Tell
from rules.policy import (
    AtLeast,
    Channel,
    NextOnCallOf,
    OnCallOf,
    OnePerson,
    Step,
    Target,
    UserGroup,
    Webhook,
)
from rules.rulebook import RuleBook
from rules.sentence import Sentence, Who, say

_NOW = timedelta(0)


def advance(
    draft: Draft,
    book: RuleBook,
    now: datetime,
    alert_times: Sequence[datetime] | None = None,
    *,
    by_hand: bool = False,
) -> None:
    """Run the frozen policy from where it stands until a step waits.

    `alert_times` are the receipt times of the incident's alerts, for steps that count them;
    unknown, such a step asks for a wake-up at once, which brings them. `by_hand` takes the
    first step whatever it would wait for. After the last step the fallback is paged, again and
    again until somebody answers.
    """
    draft.change(step_due_at=None, held_until=None)
    while not draft.incident.exhausted and draft.incident.step < len(draft.incident.policy.steps):
        step = draft.incident.policy.steps[draft.incident.step]
        if not by_hand and (
            _waits_for_hours(draft, step, now) or _waits_for_alerts(draft, step, now, alert_times)
        ):
            return
        by_hand = False
        draft.change(gated=False)
        wait = _run(draft, step, book, now)
        if wait > _NOW:
            draft.change(step_due_at=now + wait)
            return
    page_fallback(draft, book, now)


def page_key(draft: Draft, person: str) -> str:
    """Return the key of a page: the same step of the same round pages a person once."""
    at = draft.incident
    return f"{at.id}:{at.generation}.{at.round}.{at.step}:{person}"


def _run(draft: Draft, step: Step, book: RuleBook, now: datetime) -> timedelta:
    if _left_out(step, now):
        _move_on(draft, step)
        return _NOW
    number = draft.incident.step + 1
    people: dict[str, Sentence] = {}
    for target in step.targets:
        found = _reach(draft, target, book, now)
        people |= {person: why for person, why in found.items() if person not in people}
    for person, reason in people.items():
        _page(draft, person, reason)
    roles = [target for target in step.targets if isinstance(target, OnCallOf | NextOnCallOf)]
    # a place that is told beside a role does not stand for whoever is missing there
    missing = bool(roles) and not people
    reached = bool(step.targets) and not missing
    draft.change(awaiting=tuple(people), reached=draft.incident.reached or reached)
    if missing:
        _say_nobody(draft, roles, number)
    _move_on(draft, step)
    return _NOW if missing else step.wait


def _page(draft: Draft, person: str, reason: Sentence) -> None:
    at = draft.incident
    draft.do(Page(person, page_key(draft, person), reason))
    draft.incident = at.with_paged(person)
    draft.because(
        f"escalation_policies.{at.policy.name}[{at.step + 1}]",
        say("Paging {who}, step {step}.", who=Who(person), step=at.step + 1),
    )


def _reach(draft: Draft, target: Target, book: RuleBook, now: datetime) -> dict[str, Sentence]:
    """Return whom a target means, and why; a place is told."""
    at = draft.incident
    match target:
        case OnCallOf(role, rotation):
            people = book.on_call.at(rotation or at.rotation, role, now)
            why = say("you are {role} of {rotation}", role=role, rotation=rotation or at.rotation)
            return dict.fromkeys(people, why)
        case NextOnCallOf(role, rotation):
            span = book.on_call.next_after(rotation or at.rotation, role, now)
            why = say(
                "you are next {role} of {rotation}", role=role, rotation=rotation or at.rotation
            )
            return dict.fromkeys(span.people if span else (), why)
        case OnePerson(person):
            return {person: say("policy {policy} names you", policy=at.policy.name)}
        case _:
            _announce(draft, target)
            return {}


def _announce(draft: Draft, target: UserGroup | Channel | Webhook) -> None:
    at = draft.incident
    key = f"{at.id}:{at.generation}.{at.round}.{at.step}"
    rule = f"escalation_policies.{at.policy.name}[{at.step + 1}]"
    match target:
        case UserGroup(group):
            draft.do(PageUserGroup(group, f"{key}:group:{group}"))
            draft.because(rule, say("Paging @{group}.", group=group))
        case Channel(channel):
            draft.do(PageChannel(channel, f"{key}:channel:{channel}"))
            draft.because(rule, say("Telling #{channel}.", channel=channel))
        case Webhook(webhook):
            draft.do(CallWebhook(webhook, f"{key}:webhook:{webhook}"))
            draft.because(rule, say("Calling webhook {webhook}.", webhook=webhook))


def _say_nobody(draft: Draft, roles: Sequence[OnCallOf | NextOnCallOf], number: int) -> None:
    wanted = ", ".join(_name(target, draft.incident.rotation) for target in roles)
    sentence = say(
        "Step {step} found nobody ({wanted}); going on at once.", step=number, wanted=wanted
    )
    at = draft.incident
    draft.do(Tell(sentence, f"{at.id}:{at.generation}.{at.round}.{at.step}:nobody"))
    draft.because(f"escalation_policies.{at.policy.name}[{number}]", sentence)


def _name(target: OnCallOf | NextOnCallOf, rotation: str) -> str:
    of = target.rotation or rotation
    own = f"{target.role} of {of}" if of else target.role
    return own if isinstance(target, OnCallOf) else f"next {own}"


def _move_on(draft: Draft, step: Step) -> None:
    """Take the next step, or start over while a round that reached somebody may be repeated."""
    at = draft.incident
    if at.round < step.repeat and at.reached:
        draft.change(round=at.round + 1, step=0, reached=False)
    else:
        draft.change(step=at.step + 1)


def _left_out(step: Step, now: datetime) -> bool:
    hours = step.only_during
    return hours is not None and step.outside == "skip" and not hours.hold(now)


def _waits_for_hours(draft: Draft, step: Step, now: datetime) -> bool:
    hours = step.only_during
    if hours is None or step.outside == "skip" or hours.hold(now):
        return False
    opens = hours.opens_after(now)
    draft.change(step_due_at=opens)
    sentence = say("Step {step} waits until {opens}.", step=draft.incident.step + 1, opens=opens)
    draft.because(f"escalation_policies.{draft.incident.policy.name}.only_during", sentence)
    return True


def _waits_for_alerts(
    draft: Draft, step: Step, now: datetime, alert_times: Sequence[datetime] | None
) -> bool:
    """Hold the step below its threshold; another alert or the window's end asks again."""
    gate = step.only_if
    if gate is None:
        return False
    if alert_times is None:
        draft.change(step_due_at=now)
        return True
    if _count(gate, now, alert_times) >= gate.alerts:
        return False
    was_gated = draft.incident.gated
    draft.change(step_due_at=now + gate.within, gated=True)
    if not was_gated:
        sentence = say(
            "Step {step} waits for {alerts} alerts within {within}; {count} so far.",
            step=draft.incident.step + 1,
            alerts=gate.alerts,
            within=gate.within,
            count=_count(gate, now, alert_times),
        )
        draft.because(f"escalation_policies.{draft.incident.policy.name}.only_if", sentence)
    return True


def _count(gate: AtLeast, now: datetime, alert_times: Sequence[datetime]) -> int:
    return sum(now - gate.within < at <= now for at in alert_times)


def page_fallback(draft: Draft, book: RuleBook, now: datetime) -> None:
    """Page the fallback, now and again and again, whatever the policy says."""
    first = not draft.incident.exhausted
    if not first:
        draft.change(round=draft.incident.round + 1)
    fallback = book.fallback_of(draft.incident.rotation, again=not first)
    draft.change(exhausted=True)
    at = draft.incident
    if first or not fallback:
        sentence = _end_of_policy(draft, book, fallback)
        draft.do(Tell(sentence, f"{at.id}:{at.generation}.{at.round}:end", loud=True))
        draft.because("fallback", sentence)
    _page_each(draft, fallback, book, now)


def page_other_fallback(draft: Draft, unreached: str, book: RuleBook, now: datetime) -> bool:
    """Page the general fallback at once when the rotation's own could not be; tell whether it was."""
    own = book.on_call.fallback(draft.incident.rotation)
    others = tuple(person for person in book.fallback if person not in own)
    if not others or unreached in others:  # once they fail, too, only time pages anybody again
        return False
    draft.change(round=draft.incident.round + 1)
    _page_each(draft, others, book, now)
    return True


def _page_each(draft: Draft, fallback: Sequence[str], book: RuleBook, now: datetime) -> None:
    draft.change(awaiting=tuple(fallback), step_due_at=now + book.fallback_every)
    at = draft.incident
    for person in fallback:
        reason = say("nobody has answered; you are the fallback")
        draft.do(Page(person, f"{at.id}:{at.generation}.{at.round}.fallback:{person}", reason))
        draft.incident = draft.incident.with_paged(person)
        draft.because("fallback", say("Paging the fallback, {who}.", who=Who(person)))


def _end_of_policy(draft: Draft, book: RuleBook, fallback: Sequence[str]) -> Sentence:
    number, policy = draft.incident.number, draft.incident.policy.name
    if not fallback:
        return say(
            "Nobody has answered #{number}: policy {policy} has ended and no fallback is "
            "configured. Somebody here, please acknowledge.",
            number=number,
            policy=policy,
        )
    people = {f"who{n}": Who(person) for n, person in enumerate(fallback)}
    names = ", ".join(f"{{{name}}}" for name in people)
    return say(
        "Nobody has answered #{number}: every step of policy {policy} is done. Paging the "
        "fallback, " + names + ", every {every} until somebody acknowledges.",
        number=number,
        policy=policy,
        every=book.fallback_every,
        **people,
    )
