"""How promises were kept, for who asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, Names, at, join, md, one_line, outside, spoken
from bot.slack.views.answers import said
from rules.catalogue import Catalogue, Product
from rules.nearest import nearest
from rules.reliability.slo import DayOutcome, DueDay, Reliability, Tally, has_objective
from rules.reliability.slo_words import available_words, reliability_words, tally_words, used_words
from rules.rulebook import RuleBook

_MOST_PRODUCTS = 20
_BAR = 60
_A_ROW = 20
_SQUARES = {
    DayOutcome.KEPT: "🟩",
    DayOutcome.MISSED: "🟥",
    DayOutcome.EXCUSED: "🟦",
    DayOutcome.PENDING: "⬜",
}
_UPSTREAM = "🟧"
_LEGEND = "🟩 kept, 🟥 missed, 🟧 missed because of upstream, 🟦 maintenance, ⬜ still open"
_HOW = '`fresh_by: {{at: "09:00", objective: 95%, over: 60 due days}}`'


def slo_answer(book: RuleBook, written: str, names: Names, now: datetime) -> Json:
    """Answer for one product, or for all that have an objective, the worst first."""
    if not written:
        return _all(book.reliability, names, now)
    product = book.catalogue.product(written)
    if product is None:
        return said(_unknown(book.catalogue, written))
    stands = book.reliability.get(product.id)
    if stands is None:
        return said(_nothing(product))
    lines = [md("*{name}*", name=outside(one_line(stands.name), 120))]
    lines += [spoken(one, names, now) for one in reliability_words(stands)]
    sections = [kit.section(join("\n", lines))]
    for what, tally in (("In time", stands.fresh), ("Right data", stands.quality)):
        if tally and tally.days:
            sections.append(kit.section(_bar(what, tally)))
    since = md("{legend} · watched since {when}", legend=_LEGEND, when=at(stands.since, now))
    return kit.message(lines[0], [*sections, *kit.context(since)])


def _all(stands: Mapping[str, Reliability], names: Names, now: datetime) -> Json:
    if not stands:
        return said(md("No product has an objective. Write one, like " + _HOW + "."))
    ranked = sorted(stands.values(), key=lambda one: (one.worst_left, one.product))
    lines = [md("*How promises were kept*")]
    lines += [_line(one, names, now) for one in ranked[:_MOST_PRODUCTS]]
    rest = len(ranked) - _MOST_PRODUCTS
    more = kit.context(md("and {rest} more", rest=rest)) if rest > 0 else []
    hint = kit.context(md("Day by day: `/oncall slo &lt;product&gt;`."))
    return kit.message(lines[0], [kit.section(join("\n", lines)), *more, *hint])


def _line(one: Reliability, names: Names, now: datetime) -> Mrkdwn:
    """Say the most telling thing of each of its objectives."""
    parts = [_short(one.fresh, names, now)] if one.fresh else []
    if one.quality:
        parts.append(md("Right data: {part}", part=_short(one.quality, names, now)))
    if one.available:
        parts.append(spoken(available_words(one.available), names, now))
    return md("• *{name}*: {parts}", name=outside(one_line(one.name), 80), parts=join(" ", parts))


def _short(tally: Tally, names: Names, now: datetime) -> Mrkdwn:
    if not tally.record.counted:
        return spoken(next(tally_words("Not watched", tally)), names, now)
    return spoken(used_words(tally), names, now)


def _bar(what: str, tally: Tally) -> Mrkdwn:
    latest = tally.days[-_BAR:]
    rows = [latest[n : n + _A_ROW] for n in range(0, len(latest), _A_ROW)]
    return join("\n", [md("*{what}*", what=what), *map(_row, rows)])


def _row(days: Sequence[DueDay]) -> Mrkdwn:
    squares = "".join(_UPSTREAM if one.upstream else _SQUARES[one.outcome] for one in days)
    return md("{squares}  {day}", squares=squares, day=f"from {days[0].day:%d %b}")


def _nothing(product: Product) -> Mrkdwn:
    name = outside(one_line(product.name), 80)
    if has_objective(product):
        return md("*{name}* has not been reckoned yet. Ask again in a few minutes.", name=name)
    return md("*{name}* has no objective. Write one, like " + _HOW + ".", name=name)


def _unknown(catalogue: Catalogue, written: str) -> Mrkdwn:
    near = nearest(written, [one.id for one in catalogue.products[:5_000]])
    return md(
        "The catalogue has no product {written}.{meant} `/oncall slo` lists those with an objective.",
        written=outside(f'"{one_line(written)}"', 80),
        meant=md(" Did you mean `{near}`?", near=outside(near, 80)) if near else Mrkdwn(),
    )
