"""The runbook in an incident's thread: what is broken, who is next, and steps to tick off."""

from collections.abc import Iterator, Mapping

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.scene import Scene
from bot.slack.text import (
    Mrkdwn,
    at,
    clean,
    cut,
    cut_before,
    join,
    lasting,
    link,
    md,
    one_line,
    outside,
    spoken,
)
from bot.slack.wording.promise import next_run
from rules.catalogue import Product, Promises
from rules.durations import format_duration
from rules.incident import Incident
from rules.policy import (
    Channel,
    NextOnCallOf,
    OnCallOf,
    OnePerson,
    Policy,
    Target,
    UserGroup,
    Webhook,
)
from rules.runbooks.runbook import (
    UNDER_WAY,
    ActionRun,
    ActionState,
    Guide,
    RunbookStep,
    StepOutcome,
)
from rules.verifying.expecting import expects_of
from rules.verifying.wording import by_what

RUNBOOK_STEP = "runbook_step"
RUNBOOK_RUN = "runbook_run"
RUNBOOK_TICKS: Mapping[str, StepOutcome] = {
    f"runbook_{outcome.value}": outcome for outcome in StepOutcome
}
TAKE_BACK = "take_back"
_LABELS = {
    StepOutcome.WORKED: "Worked",
    StepOutcome.DID_NOT_HELP: "Did not help",
    StepOutcome.SKIPPED: "Skip",
}
_MARKS = {StepOutcome.WORKED: "✅", StepOutcome.DID_NOT_HELP: "❌", StepOutcome.SKIPPED: "⏭️"}
_SAID = {
    StepOutcome.WORKED: "worked",
    StepOutcome.DID_NOT_HELP: "did not help",
    StepOutcome.SKIPPED: "skipped",
}
_RUN_MARKS = {
    ActionState.ASKED: "⏳ starts",
    ActionState.RUNNING: "⏳ runs",
    ActionState.DONE: "✅ ran",
    ActionState.FAILED: "❌ failed",
    ActionState.UNKNOWN: "⚠️ may have run",
}
_NOTHING = Mrkdwn("Neither a runbook nor a product is known for this.")
_LONGEST_ANSWER, _LONGEST_FIRST = 2_800, 200
_MOST_MENUS = 8
"""So many steps around the next one have a menu and a run: Slack posts no more in one message."""
_CONFIRM = "It acts on the real system, once."


def runbook_message(scene: Scene, guide: Guide | None, actions: Mapping[str, str]) -> Json:
    """The checklist as it stands; `actions` tells by name what to ask before each runs."""
    facts = join("\n", [_product(scene), escalation(scene)])
    texts = [one for one in (_head(scene, guide), facts) if one] or [_NOTHING]
    blocks = [kit.section(text) for text in texts]
    if guide is not None:
        blocks += _steps(scene, guide, actions)
    if solved := _solved(scene, guide):
        blocks.append(kit.section(solved))
    return kit.message(texts[0], blocks)


def result_message(run: ActionRun) -> Json:
    """What an action of the runbook said, as it came."""
    head = md("{mark}: *{action}*, step {n} of the runbook", mark=Mrkdwn(_RUN_MARKS[run.state]),
              action=run.action, n=run.step + 1)  # fmt: skip
    said = [kit.plain_section(_answer(run.output), _LONGEST_ANSWER)] if run.output.strip() else []
    return kit.message(head, [kit.section(head), *said])


def _answer(output: str) -> str:
    """Return how it ended, which its first line tells, and its last lines: there errors stand."""
    whole = clean(output)
    shown = cut_before(whole, _LONGEST_ANSWER)
    first, _, rest = whole.partition("\n")
    if shown == whole or not rest:
        return shown
    return f"{cut(first, _LONGEST_FIRST)}\n{cut_before(rest, _LONGEST_ANSWER - _LONGEST_FIRST - 1)}"


def escalation(scene: Scene) -> Mrkdwn:
    """Say whom the policy reaches, and when: `primary, after 5 min secondary`."""
    parts = list(_policy(scene, scene.incident.policy))
    if not (parts and scene.incident.pages):
        return Mrkdwn()
    return md("*If you are stuck:* Escalate now. It goes to {steps}.", steps=join(", then ", parts))


def _policy(scene: Scene, policy: Policy) -> Iterator[Mrkdwn]:
    waited = Mrkdwn()
    for step in policy.steps:
        targets = join(" and ", [_target(scene, target) for target in step.targets])
        if targets:
            yield join(" ", [waited, targets])
            waited = Mrkdwn()
        if step.wait:
            waited = md("after {wait}", wait=lasting(step.wait))


def _target(scene: Scene, target: Target) -> Mrkdwn:
    match target:
        case OnCallOf(role):
            return outside(role, 60)
        case NextOnCallOf(role):
            return md("the next {role}", role=outside(role, 60))
        case OnePerson(person):
            return scene.who(person)
        case UserGroup(handle):
            return md("@{handle}", handle=handle)
        case Channel(name):
            return md("#{name}", name=name)
        case Webhook(name):
            return outside(name, 60)


def _solved(scene: Scene, guide: Guide | None) -> Mrkdwn:
    """Say what its runbook calls solved and, before somebody claims it, what will prove it."""
    verify = guide.use.runbook.verify if guide else ""
    lines = [md("*Solved when* {verify}", verify=verify)] if verify else []
    expects = expects_of(scene.incident, scene.book, scene.now) if scene.incident.is_open else None
    if expects is not None:
        what = spoken(by_what(expects), scene.names, scene.now)
        lines.append(md("*A fix is proved by* {what}.", what=what))
    return join("\n", lines)


def _head(scene: Scene, guide: Guide | None) -> Mrkdwn:
    if guide is None and not len(scene.book.runbooks):
        return Mrkdwn()
    if guide is None:
        return md("*No runbook fits this yet.* Note what helps: it makes the first one.")
    runbook = guide.use.runbook
    title = outside(one_line(runbook.title), 150)
    shown = link(runbook.url, title) if runbook.url else title
    if not runbook.steps:
        return md("📖 *{shown}*", shown=shown)
    reviewed = (
        md(" · reviewed on {day}", day=runbook.reviewed_on.isoformat())
        if runbook.reviewed_on
        else Mrkdwn()
    )
    return md(
        "📖 *{shown}* · kept by {owner}{reviewed}",
        shown=shown,
        owner=scene.who(runbook.owner),
        reviewed=reviewed,
    )


def _product(scene: Scene) -> Mrkdwn:
    product = scene.book.catalogue.product(scene.incident.product)
    if product is None:
        return Mrkdwn()
    promised = list(_promised(product.promises))
    facts = [*_identity(scene, product), *_timing(scene, product)]
    lines = [join(" · ", [md("*{name}*", name=product.name), *facts])]
    if promised:
        lines.append(md("Promised: {promised}", promised=join(", ", promised)))
    return join("\n", lines)


def _identity(scene: Scene, product: Product) -> Iterator[Mrkdwn]:
    """Say whose and what it is, but for what the incident's own message says."""
    stakes = scene.incident.stakes
    told = (stakes.owner or stakes.team, stakes.tier) if stakes else ("", 0)
    owner = product.owner or product.team
    if owner and owner != told[0]:
        yield md("owner {owner}", owner=scene.who(owner))
    if product.load_type:
        yield md("{load} load", load=product.load_type.value)
    if product.tier and product.tier != told[1]:
        yield md("tier {tier}", tier=product.tier)


def _timing(scene: Scene, product: Product) -> Iterator[Mrkdwn]:
    if due := next_run(product, scene.now):
        yield md("next run {when}", when=scene.when(due))
    elif product.schedule:
        yield md("runs `{cron}` {zone}", cron=product.schedule, zone=product.timezone)


def _promised(promises: Promises) -> Iterator[Mrkdwn]:
    if by := promises.fresh_by:
        objective = promises.fresh_objective
        of = md(" on {percent} % of days", percent=f"{objective.percent:g}") if objective else ""
        yield md("fresh by {at} {zone}{of}", at=f"{by.at:%H:%M}", zone=by.zone, of=Mrkdwn(of))
    if promises.max_age:
        yield md("never older than {age}", age=format_duration(promises.max_age))
    if promises.availability is not None:
        over = format_duration(promises.availability_over)
        yield md("available {percent} % of {over}", percent=f"{promises.availability:g}", over=over)
    if promises.time_to_repair:
        yield md("mended within {span}", span=format_duration(promises.time_to_repair))


def _steps(scene: Scene, guide: Guide, actions: Mapping[str, str]) -> Iterator[Json]:
    steps = guide.use.runbook.steps
    ticked = {tick.step for tick in guide.ticks}
    now = next((n for n in range(len(steps)) if n not in ticked), -1)
    last = min(len(steps), max(now + 3, _MOST_MENUS) if now >= 0 else len(steps))
    for n, step in enumerate(steps):
        near = last - _MOST_MENUS <= n < last
        menu = _menu(scene.incident, guide, n) if near else None
        yield kit.section(_line(scene, guide, n, step), menu)
        if not near:
            continue
        buttons = [*_ticks(scene.incident, n)] if n == now and scene.incident.is_open else []
        if step.action and scene.incident.is_open and step.action in actions:
            buttons += _run_button(scene.incident, guide, n, actions[step.action])
        if buttons:
            yield kit.actions(f"step:{n}", *buttons)


def _line(scene: Scene, guide: Guide, n: int, step: RunbookStep) -> Mrkdwn:
    tick, run = guide.tick(n), guide.latest_run(n)
    mark = Mrkdwn(_MARKS[tick.outcome] if tick else "▫️")
    lines = [md("{mark} *{n}.* {text}", mark=mark, n=n + 1, text=step.text)]
    if tick:
        when = at(tick.at, scene.now)
        told = md("{s}, {who}, {when}", s=_SAID[tick.outcome], who=scene.who(tick.by), when=when)
        lines.append(told)
    if run:
        when = at(run.ended_at or run.started_at or run.asked_at, scene.now)
        state, who = Mrkdwn(_RUN_MARKS[run.state]), scene.who(run.by)
        lines.append(md("{s}: {a}, {who}, {when}", s=state, a=run.action, who=who, when=when))
    return join("\n", lines)


def _menu(incident: Incident, guide: Guide, n: int) -> Json:
    value = f"{incident.number}:{n}"
    choices = [(label, f"{value}:{outcome.value}") for outcome, label in _LABELS.items()]
    if guide.tick(n):
        choices.append(("Take it back", f"{value}:{TAKE_BACK}"))
    return kit.overflow(RUNBOOK_STEP, choices)


def _ticks(incident: Incident, n: int) -> Iterator[Json]:
    for word, outcome in RUNBOOK_TICKS.items():
        yield kit.button(_LABELS[outcome], word, f"{incident.number}:{n}")


def _run_button(incident: Incident, guide: Guide, n: int, confirm: str) -> Iterator[Json]:
    run, step = guide.latest_run(n), guide.step(n)
    if step is None or (run and run.state in UNDER_WAY):
        return
    attempt = (run.attempt if run else 0) + 1
    label = f"Run {step.action}" if attempt == 1 else f"Run {step.action} again"
    value = f"{incident.number}:{n}:{attempt}:{step.action}"
    button = kit.button(label, RUNBOOK_RUN, value)
    asked = confirm or _CONFIRM
    if run and run.state is ActionState.UNKNOWN:
        asked = f"The last time it may have run: look first. {asked}"
    yield {
        **button,
        "confirm": {
            "title": kit.plain(f"Run {step.action}?", 100),
            "text": kit.plain(asked, 300),
            "confirm": kit.plain("Run it", 30),
            "deny": kit.plain("Cancel", 30),
        },
    }
