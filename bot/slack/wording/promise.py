"""The promise in words: to whom, until when, how much time is left, and when it gets worse."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.slack.scene import Scene
from bot.slack.text import Mrkdwn, join, listed, md, one_line, outside, roughly
from rules.catalogue import Product
from rules.cron import Schedule
from rules.incident import Stakes, State
from rules.sla import Effort, next_change, slack, urgency

_MOST_READERS = 2
_MOST_CROSSINGS = 3


def promise_for_phone(scene: Scene) -> Mrkdwn:
    """Say what was promised in a line without Slack's dates, which phones do not read.

    Like "promised to Finance by 09:00 CET, 1 h 4 min to spare"; empty where nothing is at stake.
    """
    stakes = scene.incident.stakes
    if stakes is None or stakes.deadline is None or scene.incident.state is State.RESOLVED:
        return Mrkdwn()
    if stakes.consumers is not None:
        return _wrong_for_phone(scene, stakes, stakes.deadline)
    product = promised_product(scene, stakes)
    return md(
        "promised{to} by {at}, {left}",
        to=to_readers(product),
        at=_wall_time(stakes.deadline, product, scene.now),
        left=_left(stakes, stakes.deadline, scene.now),
    )


def promised_product(scene: Scene, stakes: Stakes) -> Product | None:
    """Return the product whose promise the deadline is; None where the catalogue has lost it."""
    written = stakes.promised or stakes.product
    return scene.book.catalogue.product(written) if written else None


def to_readers(product: Product | None) -> Mrkdwn:
    """Say to whom it is promised, like " to Finance and Sales"; nothing where nobody is named."""
    readers = product.consumers[:_MOST_READERS] if product else ()
    if not readers:
        return Mrkdwn()
    return md(" to {who}", who=listed([outside(one_line(one), 40) for one in readers]))


def crossings(scene: Scene) -> Mrkdwn:
    """Say when it becomes more urgent by itself: "becomes high at 05:25, critical at 06:25"."""
    stakes = scene.incident.stakes
    if stakes is None or stakes.deadline is None or not scene.incident.is_open:
        return Mrkdwn()
    if stakes.consumers is not None:
        if stakes.changes_at is None or stakes.changes_at <= scene.now:
            return Mrkdwn()
        return md(", changes at {when}", when=scene.when(stakes.changes_at))
    thresholds = scene.book.priority_rules.urgency
    effort, at, parts = _effort(stakes), scene.now, []
    for _ in range(_MOST_CROSSINGS):
        crossing = next_change(stakes.deadline, effort, thresholds, at)
        if crossing is None:
            break
        level, _why = urgency(stakes.deadline, crossing, effort, thresholds)
        parts.append(md("{level} at {when}", level=level, when=scene.when(crossing)))
        at = crossing
    return md(", becomes {parts}", parts=join(", ", parts)) if parts else Mrkdwn()


def will_page(scene: Scene, held_until: datetime) -> Mrkdwn:
    """Say who is woken when, unless it recovers first, and which run may do that."""
    told = _told(scene)
    return md(
        "Will page {told} {when} unless it recovers first{run}.",
        told=told,
        when=md("at {at}", at=scene.when(held_until)) if held_until > scene.now else md("now"),
        run=_next_run(scene, held_until),
    )


def will_page_for_phone(scene: Scene, held_until: datetime) -> Mrkdwn:
    left = held_until - scene.now
    when = f"in {roughly(left)}" if left.total_seconds() > 0 else "now"
    told = _told(scene)
    return md("Will page {told} {when} unless it recovers first.", told=told, when=when)


def _told(scene: Scene) -> Mrkdwn:
    step = scene.coming()
    if step is None or not (step.people or step.places):
        return md("whoever is on call")
    return listed([*(scene.who(key) for key in step.people), *step.places])


def next_run(product: Product, now: datetime) -> datetime | None:
    """Return when a product next runs, None where that is not sure.

    With holidays only their calendar knows which occasion is the next.
    """
    if not product.schedule or product.holidays:
        return None
    return Schedule(product.schedule, product.timezone).due_after(now)


def _next_run(scene: Scene, before: datetime) -> Mrkdwn:
    """Name the product's next run, where one is due before anybody is woken."""
    stakes = scene.incident.stakes
    product = scene.book.catalogue.product(stakes.product) if stakes and stakes.product else None
    due = next_run(product, scene.now) if product else None
    if due is None or due >= before:
        return Mrkdwn()
    return md("; the next run is due at {when}", when=scene.when(due))


def _wrong_for_phone(scene: Scene, stakes: Stakes, back: datetime) -> Mrkdwn:
    wrong = wrong_data(stakes)
    if back <= scene.now:
        return md("{wrong}, and its readers are there now", wrong=wrong)
    product = promised_product(scene, stakes)
    when = _wall_time(back, product, scene.now)
    return md("{wrong}, its readers come back at {when}", wrong=wrong, when=when)


def wrong_data(stakes: Stakes) -> Mrkdwn:
    """Say what is wrong, and in what where that is downstream of what broke."""
    if not stakes.promised:
        return md("wrong data")
    return md("wrong data in {whose}", whose=outside(one_line(stakes.promised), 80))


def _wall_time(when: datetime, product: Product | None, now: datetime) -> str:
    """Show an instant as the promise was written: in its own zone, which is named."""
    fresh_by = product.promises.fresh_by if product else None
    zone = ZoneInfo(fresh_by.zone if fresh_by else "UTC")
    local = when.astimezone(zone)
    near = local.date() == now.astimezone(zone).date()
    return f"{local:%H:%M %Z}" if near else f"{local:%a %H:%M %Z}"


def _left(stakes: Stakes, deadline: datetime, now: datetime) -> str:
    if deadline <= now:
        return "missed"
    spare = slack(deadline, now, _effort(stakes))
    return f"{roughly(spare)} to spare" if spare.total_seconds() > 0 else "hard to keep"


def _effort(stakes: Stakes) -> Effort:
    return Effort(stakes.respond, stakes.fix, stakes.run)
