"""What is open in production, and what the catalogue leaves open, the most important first."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, Names, join, md, one_line, outside, roughly
from bot.slack.wording.incident import sign
from rules.catalogue import Catalogue
from rules.incident import Incident, State
from rules.products.catalogue_gaps import GapGroup
from rules.sentence import counted

SHOWN = 12
A_PAGE = 20
_GAP_EXAMPLES = 3
_GAP_PAGE = 60
_TABLE = "Open the table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issues:
    """`incidents` are the open ones, ranked; `total` counts those that were not read, too."""

    now: datetime
    names: Names
    incidents: Sequence[Incident]
    total: int
    catalogue: Catalogue
    gaps: Sequence[GapGroup]


def ranked(incidents: Sequence[Incident], now: datetime) -> list[Incident]:
    """Sort by priority, then by the deadline that is nearest, then the oldest first."""

    def key(incident: Incident) -> tuple[str, float, int]:
        deadline = incident.stakes.deadline if incident.stakes else None
        left = (deadline - now).total_seconds() if deadline else float("inf")
        return str(incident.priority), left, incident.number

    return sorted(incidents, key=key)


def issues_answer(issues: Issues, link: str = "") -> Json:
    """The short form: the worst incidents, a line for each kind of gap, and a way to the rest.

    `link` signs the one who reads this in to the table of all issues.
    """
    lines = [_line(issues, incident) for incident in issues.incidents[:SHOWN]]
    rest = issues.total - len(lines)
    if rest > 0:
        lines.append(md("and {rest} more", rest=rest))
    gaps = [_gap_line(group) for group in issues.gaps]
    long = rest > 0 or any(len(group.things) > _GAP_EXAMPLES for group in issues.gaps)
    ways = [kit.button("Show all…", "issues", "0")] if long else []
    ways += kit.link_button(_TABLE, link, "link")
    every = [kit.actions("issues:more", *ways)] if ways else []
    return kit.message(
        md("{open}, {gaps} in the catalogue", open=counted(issues.total, "open issue"),
           gaps=counted(_gap_count(issues), "gap")),
        [
            kit.header(_heading(issues)),
            kit.section(join("\n", lines) if lines else md("Nothing is open. Good.")),
            kit.header("Gaps in the catalogue"),
            kit.section(join("\n", [_counts(issues), *gaps])),
            *kit.context(_hint(issues)),
            *every,
        ],
    )  # fmt: skip


def issues_modal(issues: Issues, page: int, metadata: str, link: str = "") -> Json:
    """The long form, a page at a time: first all incidents, then the things that lack something."""
    pages = _pages(issues)
    at = min(max(page, 0), len(pages) - 1)
    title, lines = pages[at]
    turns = [kit.button("Previous", "issues_page", str(at - 1))] if at else []
    turns += [_next(at)] if at + 1 < len(pages) else []
    turns += kit.link_button(_TABLE, link, "link")
    place = md("Page {at} of {of}", at=at + 1, of=len(pages))
    return kit.modal(
        "issues",
        "Open issues",
        [
            kit.header(title),
            *[kit.section(join("\n", lines[n : n + 5])) for n in range(0, len(lines), 5)],
            *kit.context(place, _hint(issues)),
            *([kit.actions(f"issues:turn:{at}", *turns)] if turns else []),
        ],
        metadata=metadata,
    )


def _next(at: int) -> Json:
    # two buttons of one block need two names
    return kit.button("Next", "issues_next", str(at + 1))


def _pages(issues: Issues) -> list[tuple[str, list[Mrkdwn]]]:
    lines = [_line(issues, incident) for incident in issues.incidents]
    if issues.total > len(lines):
        more = issues.total - len(lines)
        lines.append(md("and {more} more: see `/oncall list open`", more=more))
    pages = [(_heading(issues), lines[n : n + A_PAGE]) for n in range(0, len(lines), A_PAGE)]
    pages = pages or [(_heading(issues), [md("Nothing is open. Good.")])]
    for group in issues.gaps:
        head = md("To close: {fix}.", fix=Mrkdwn(group.fix))
        things = [md("• {thing}", thing=outside(one_line(one), 120)) for one in group.things]
        for n in range(0, len(things), _GAP_PAGE):
            pages.append((group.heading, [head, *things[n : n + _GAP_PAGE]]))
    return pages


def _heading(issues: Issues) -> str:
    if not issues.total:
        return "Open in production"
    counts = Counter(str(incident.priority) for incident in issues.incidents)
    parts = ", ".join(f"{count} {priority}" for priority, count in sorted(counts.items()))
    return f"{issues.total} open in production: {parts}"


def _line(issues: Issues, incident: Incident) -> Mrkdwn:
    """One incident: number, priority, what, whose, category, age, who has it, time left."""
    stakes = incident.stakes
    category = incident.category.words if incident.category else ""
    parts = [
        md("{sign} *{priority} #{number}* {title}", sign=sign(incident),
           priority=incident.priority, number=incident.number,
           title=outside(one_line(incident.title), 60)),
        md("📦 {name}", name=outside(one_line(stakes.name), 40)) if stakes else Mrkdwn(),
        md("{category}", category=category),
        md("{age} old", age=roughly(issues.now - incident.opened_at)),
        _holder(issues, incident),
        _left(issues, incident),
    ]  # fmt: skip
    return join(" · ", [part for part in parts if part])


def _holder(issues: Issues, incident: Incident) -> Mrkdwn:
    key = incident.assigned_to or incident.acked_by
    if key:
        return md("{who} has it", who=outside(issues.names.name(key), 40))
    if incident.muted:
        return md("silenced")
    if incident.state is State.TRIGGERED and incident.paged:
        return md("{who} paged", who=outside(issues.names.name(incident.paged[-1]), 40))
    return md("nobody has it")


def _left(issues: Issues, incident: Incident) -> Mrkdwn:
    deadline = incident.stakes.deadline if incident.stakes else None
    if deadline is None:
        return Mrkdwn()
    if deadline <= issues.now:
        return md("⏰ *missed*")
    return md("⏰ {left} left", left=roughly(deadline - issues.now))


def _counts(issues: Issues) -> Mrkdwn:
    catalogue = issues.catalogue
    if not (catalogue.products or catalogue.assets):
        return md("No catalogue is read. Name its files under `catalogue:` in config.yaml.")
    owned = sum(bool(catalogue.owner_of(one)) for one in catalogue.assets)
    known = md(
        "{products} products and {assets} assets are known; {owned} assets have an owner.",
        products=len(catalogue.products),
        assets=len(catalogue.assets),
        owned=owned,
    )
    return known if issues.gaps else join(" ", [known, md("Nothing is missing. Good.")])


def _gap_line(group: GapGroup) -> Mrkdwn:
    shown = [outside(one_line(one), 80) for one in group.things[:_GAP_EXAMPLES]]
    more = len(group.things) - len(shown)
    return md(
        "*{heading}*: {things}{more}. To close: {fix}.",
        heading=group.heading,
        things=join(", ", shown),
        more=md(" and {n} more", n=more) if more else Mrkdwn(),
        fix=Mrkdwn(group.fix),
    )


def _gap_count(issues: Issues) -> int:
    return sum(len(group.things) for group in issues.gaps)


def _hint(issues: Issues) -> Mrkdwn:
    why = md("Why is one open? `/oncall explain &lt;n&gt;`.") if issues.total else Mrkdwn()
    fix = md("All gaps with their places: `watchbill catalogue gaps`.") if issues.gaps else Mrkdwn()
    return join(" ", [why, fix])
