"""What an incident puts at stake, in words: whose data, promised by when, and who is hit."""

from bot.slack.scene import Scene
from bot.slack.text import Mrkdwn, join, md, one_line, outside, roughly
from bot.slack.wording.budget import budget_line
from bot.slack.wording.promise import crossings, promised_product, to_readers, wrong_data
from rules.incident import Stakes, State


def stakes_lines(scene: Scene) -> list[Mrkdwn]:
    """Return lines of the product and its promise, of whom it hits, and of what budget is left."""
    stakes = scene.incident.stakes
    if stakes is None:
        return []
    lines = (_product(scene, stakes), _hit(scene, stakes), budget_line(scene))
    return [line for line in lines if line]


def _product(scene: Scene, stakes: Stakes) -> Mrkdwn:
    tier = md(" (tier {tier})", tier=stakes.tier) if stakes.tier else Mrkdwn()
    owner = stakes.owner or stakes.team
    parts = [
        md("📦 *{name}*{tier}", name=outside(one_line(stakes.name), 120), tier=tier),
        _owner(scene, owner, stakes.owner_how) if owner else Mrkdwn(),
        _promise(scene, stakes),
    ]
    return join(" · ", [part for part in parts if part])


def _owner(scene: Scene, owner: str, how: str) -> Mrkdwn:
    why = md(" ({how})", how=outside(how, 60)) if how else Mrkdwn()
    return md("owner {owner}{why}", owner=outside(scene.names.name(owner), 80), why=why)


def _promise(scene: Scene, stakes: Stakes) -> Mrkdwn:
    if stakes.deadline is None:
        return Mrkdwn()
    when = scene.when(stakes.deadline)
    if stakes.consumers is not None:
        if scene.incident.state is State.RESOLVED:
            return md("the data was wrong")
        wrong = wrong_data(stakes)
        if stakes.deadline <= scene.now:
            return md("⏰ {wrong}, and its readers are there now", wrong=wrong)
        return md("⏰ {wrong}; its readers come back at {when}", wrong=wrong, when=when)
    if stakes.promised:
        promised = outside(one_line(stakes.promised), 80)
        when = md("{when} for {promised}", when=when, promised=promised)
    to = to_readers(promised_product(scene, stakes))
    if scene.incident.state is State.RESOLVED:
        return md("promised{to} by {when}", to=to, when=when)
    if stakes.deadline <= scene.now:
        return md("⏰ promised{to} by {when}, *missed*", to=to, when=when)
    effort = stakes.respond + stakes.fix + stakes.run
    start = stakes.deadline - effort
    if start <= scene.now:
        return md("⏰ promised{to} by {when}, *hard to keep*", to=to, when=when)
    return md(
        "⏰ promised{to} by {when}: a repair takes about {long}, so start by {start}",
        to=to,
        when=when,
        long=roughly(effort),
        start=scene.when(start),
    )


def _hit(scene: Scene, stakes: Stakes) -> Mrkdwn:
    counted = [(stakes.exposures_hit, "dashboard", "dashboards"),
               (stakes.products_hit, "product", "products")]  # fmt: skip
    hit = " and ".join(f"{n} {one if n == 1 else many}" for n, one, many in counted if n)
    names = " → ".join(one_line(name) for name in stakes.path)
    way = outside(names, 250) if len(stakes.path) > 1 else Mrkdwn()
    harm = md(
        "Impact *{impact}*, urgency *{urgency}*{crossings}",
        impact=stakes.impact,
        urgency=stakes.urgency,
        crossings=crossings(scene),
    )
    if len(stakes.readers) < 2:  # of a single one, the way tells the name
        downstream = md(", {hit} downstream", hit=hit) if hit else Mrkdwn()
        return join("", [harm, downstream, md(": {way}", way=way) if way else Mrkdwn()])
    more = stakes.exposures_hit + stakes.products_hit - len(stakes.readers)
    said = ", ".join(one_line(name) for name in stakes.readers)
    said += f" and {more} more" if more > 0 else ""
    readers = md("{hit} downstream: {said}", hit=hit, said=outside(said, 250))
    return join("\n", [harm, readers, way])
