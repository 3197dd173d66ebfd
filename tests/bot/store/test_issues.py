"""The table of production issues on both databases, against sorting and filtering in Python."""

import random
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest

from bot.ports.issues import IssueFilter, IssueQuery, SortBy
from bot.store.issues.reading import SqlIssues
from bot.store.opening import OpenedStore
from bot.store.tables.issues import SEARCHED
from rules.category import Category
from rules.incident import Incident, Stakes, State
from rules.issues.issue import Issue, Standing, issue_of, searched
from rules.issues.typical import typical
from rules.priority import Impact, Priority, Urgency
from tests.bot.store.samples import HOUR, incident
from tests.fakes.clock import FakeClock

MINUTE = timedelta(minutes=1)
RANKS = {kind: list(kind) for kind in (Impact, Urgency)}


def history(now: datetime, count: int = 130) -> list[Incident]:
    chance = random.Random(4)
    return [_one(chance, number, now) for number in range(1, count + 1)]


def _one(chance: random.Random, number: int, now: datetime) -> Incident:
    at = now - chance.randrange(400) * HOUR
    over = chance.random() < 0.7
    product = chance.choice(("orders", "Umsätze", ""))
    stakes = Stakes(
        name=product or "stg",
        product=product,
        impact=chance.choice(list(Impact)),
        urgency=chance.choice(list(Urgency)),
        owner=chance.choice(("finance", "growth", "")),
        tier=chance.choice((0, 1, 2)),
        deadline=chance.choice((None, at + HOUR, now + HOUR)),
    )
    return incident(
        number,
        at,
        title=chance.choice(("fct_orders failed", "100% of rows are null", "Übersicht is late")),
        occurred_at=at - chance.randrange(90) * MINUTE,
        priority=chance.choice(list(Priority)),
        category=chance.choice((None, Category.FRESHNESS, Category.VOLUME)),
        stakes=chance.choice((None, stakes, stakes)),
        rotation=chance.choice(("data", "ml")),
        first_acked_at=chance.choice((None, at + chance.randrange(60) * MINUTE)),
        state=State.RESOLVED if over else chance.choice((State.TRIGGERED, State.ACKNOWLEDGED)),
        resolved_at=at + chance.randrange(300) * MINUTE if over else None,
        previous=chance.choice((None, None, max(1, number - 7))),
    )


def on_call(rotation: str, at: datetime) -> str:
    return "ana@example.com" if rotation == "data" and at.day % 2 else ""


def value(issue: Issue, by: SortBy) -> Any:
    """Return what an issue is sorted by, None when it is not known."""
    own = {
        SortBy.OPENED: issue.opened_at,
        SortBy.IMPACT: RANKS[Impact].index(issue.impact) if issue.impact else None,
        SortBy.URGENCY: RANKS[Urgency].index(issue.urgency) if issue.urgency else None,
        SortBy.STATUS: issue.standing,
    }
    if by in own:
        return own[by]
    if by.value.startswith("tt"):
        return getattr(issue.measures, by.value)
    found = getattr(issue, by.value)
    return found or None


def expected(issues: list[Issue], by: SortBy, *, descending: bool) -> list[int]:
    known = [i for i in issues if value(i, by) is not None]
    known.sort(key=lambda i: (_plain(value(i, by)), i.number), reverse=descending)
    unknown = sorted((i.number for i in issues if value(i, by) is None), reverse=True)
    return [i.number for i in known] + unknown


def _plain(found: Any) -> Any:
    return found.value.encode() if isinstance(found, Category) else (
        found.encode() if isinstance(found, str) else found
    )  # fmt: skip


async def kept(opened: OpenedStore, incidents: list[Incident]) -> list[Issue]:
    async with opened.store.begin() as transaction:
        for one in incidents:
            transaction.save(one)
    opened.issue_drawing.on_call = on_call
    await opened.issue_drawing.catch_up()
    return [issue_of(one, on_call(one.rotation, one.opened_at)) for one in incidents]


@pytest.mark.parametrize("by", list(SortBy))
@pytest.mark.parametrize("descending", [True, False])
async def test_pages_there_and_back_show_each_issue_once_in_order(
    opened_store: OpenedStore, clock: FakeClock, by: SortBy, descending: bool
) -> None:
    now = clock.now()
    issues = await kept(opened_store, history(now))
    if by in {SortBy.PRODUCT, SortBy.OWNER, SortBy.CATEGORY, SortBy.ON_CALL}:
        # databases have their own order of texts; that it is one order is what counts
        everything = [i async for p in opened_store.issues.all(
            IssueQuery(sort=by, descending=descending), now) for i in p]  # fmt: skip
        assert sorted(i.number for i in everything) == [i.number for i in issues]
        whole = [i.number for i in everything]
    else:
        whole = expected(issues, by, descending=descending)
    query = IssueQuery(sort=by, descending=descending, size=17)
    page = await opened_store.issues.page(query, now)
    assert not page.more_before
    forth = [[i.number for i in page.issues]]
    while page.more_after:
        query = replace(query, after=page.issues[-1].number, before=None)
        page = await opened_store.issues.page(query, now)
        forth.append([i.number for i in page.issues])
    assert [n for one in forth for n in one] == whole
    for one in reversed(forth[:-1]):
        query = replace(query, before=page.issues[0].number, after=None)
        page = await opened_store.issues.page(query, now)
        assert [i.number for i in page.issues] == one
    assert not page.more_before


@pytest.mark.parametrize(
    "which",
    [
        IssueFilter(text="orders FCT"),
        IssueFilter(text="100%"),
        IssueFilter(text="o"),
        IssueFilter(text="fail ord 1"),
        IssueFilter(text="FCT", priorities=(Priority.P1, Priority.P3), owner="finance"),
        IssueFilter(text="are null", breached=True),
        IssueFilter(text="%"),
        IssueFilter(text="ubersicht"),
        IssueFilter(text="no_such"),
        IssueFilter(standings=(Standing.TRIGGERED, Standing.ACKNOWLEDGED)),
        IssueFilter(priorities=(Priority.P1, Priority.P2), breached=True),
        IssueFilter(breached=False, product="Umsätze"),
        IssueFilter(category=Category.VOLUME, impact=Impact.MINOR),
        IssueFilter(urgency=Urgency.HIGH, tier=1),
        IssueFilter(owner="finance", on_call="ana@example.com"),
        IssueFilter(recurring=True),
    ],
)
async def test_filters_let_through_what_they_say(
    opened_store: OpenedStore, clock: FakeClock, which: IssueFilter
) -> None:
    now = clock.now()
    issues = await kept(opened_store, history(now))
    wanted = [i.number for i in issues if _fits(i, which, now)]
    query = IssueQuery(filter=which, descending=False, size=500, typical=True)
    got = await opened_store.issues.page(query, now)
    assert got.typical == typical([i.measures for i in issues if i.number in wanted])
    assert sorted(i.number for i in got.issues) == wanted
    assert got.total == len(wanted)
    some = await opened_store.issues.page(IssueQuery(filter=which, size=2), now)
    assert some.total == len(wanted)
    if which.text != "no_such":
        assert wanted


def _fits(issue: Issue, which: IssueFilter, now: datetime) -> bool:
    texts = (str(issue.number), issue.product, issue.owner, issue.title)
    category = issue.category.words if issue.category else ""
    there = searched(*texts, category).split()
    return all(
        (
            all(any(w.startswith(word) for w in there) for word in searched(which.text).split()),
            not which.standings or issue.standing in which.standings,
            not which.priorities or issue.priority in which.priorities,
            which.category in {None, issue.category},
            which.impact in {None, issue.impact},
            which.urgency in {None, issue.urgency},
            which.tier in {None, issue.tier},
            which.product in {"", issue.product},
            which.owner in {"", issue.owner},
            which.on_call in {"", issue.on_call},
            which.breached is None or issue.breached(now) is which.breached,
            not which.recurring or issue.recurs is not None,
        )
    )


FEW = (3, 30, 1000)
MOST_AND_COMMON = ((20, 3), (20, 1_000), (10_000, 3))


@pytest.mark.parametrize(
    "which",
    [
        IssueFilter(text="f"),
        IssueFilter(text="are null"),
        IssueFilter(text="are", priorities=(Priority.P1, Priority.P2), tier=1),
        IssueFilter(owner="finance"),
    ],
)
async def test_many_matches_are_met_on_the_way_and_are_the_same(
    opened_store: OpenedStore, clock: FakeClock, which: IssueFilter
) -> None:
    now = clock.now()
    issues = await kept(opened_store, history(now))
    wanted = {i.number for i in issues if _fits(i, which, now)}
    newest = expected([i for i in issues if i.number in wanted], SortBy.OPENED, descending=True)
    of = {i.number: i.measures for i in issues}
    for few, (most, common) in product(FEW, MOST_AND_COMMON):
        reads = SqlIssues(opened_store.database, few=few, most_counted=most, common=common)
        told = f"few={few} most={most} common={common}"
        for by in (SortBy.OPENED, SortBy.TTR):
            query = IssueQuery(filter=which, sort=by, size=7, typical=True)
            page = await reads.page(query, now)
            assert page.total == len(wanted) if page.exact else page.total <= len(wanted), told
            seen = [i.number for i in page.issues]
            while page.more_after:
                page = await reads.page(replace(query, after=seen[-1]), now)
                seen += [i.number for i in page.issues]
            in_order = expected(issues, by, descending=True)
            assert seen == [n for n in in_order if n in wanted], told
        assert page.typical == typical([of[n] for n in newest[:few]]), told


async def test_words_are_looked_up_in_their_index(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await kept(opened_store, history(clock.now()))
    sqlite = opened_store.database.is_sqlite
    asked = (
        "EXPLAIN QUERY PLAN SELECT number FROM issue WHERE issue.number IN "
        "(SELECT rowid FROM issue_search WHERE issue_search MATCH '\"nul\"*')"
        if sqlite
        else f"EXPLAIN SELECT number FROM issue WHERE {SEARCHED} @@ CAST($$'nul':*$$ AS tsquery)"
    )
    async with opened_store.database.write() as connection:
        if not sqlite:
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = [str(row) for row in await connection.exec_driver_sql(asked)]
    told = "\n".join(plan)
    assert "VIRTUAL TABLE INDEX" in told if sqlite else "issue_search" in told
    assert "SCAN issue\n" not in told


async def test_a_word_that_is_gone_finds_nothing(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    await kept(opened_store, [incident(1, now, title="zebra"), incident(2, now, title="zebras")])
    query = IssueQuery(filter=IssueFilter(text="zebra"))
    assert (await opened_store.issues.page(query, now)).total == 2
    async with opened_store.store.begin() as transaction:
        await transaction.load_incidents(["incident-000001"])
        transaction.save(transaction.incident("incident-000001").but(title="now another"))
    await opened_store.issue_drawing.catch_up()
    found = await opened_store.issues.page(query, now)
    assert [i.number for i in found.issues] == [2]


async def test_a_time_of_opening_is_half_open(opened_store: OpenedStore, clock: FakeClock) -> None:
    now = clock.now()
    await kept(opened_store, [incident(1, now - HOUR), incident(2, now)])
    which = IssueFilter(since=now - HOUR, until=now)
    got = await opened_store.issues.page(IssueQuery(filter=which), now)
    assert [i.number for i in got.issues] == [1]


async def test_a_row_is_what_the_rules_say_and_follows_its_incident(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    now = clock.now()
    issues = await kept(opened_store, history(now, 30))
    for one in issues:
        found = await opened_store.issues.numbered(one.number)
        assert found == one
    async with opened_store.store.begin() as transaction:
        await transaction.load_incidents(["incident-000001"])
        changed = transaction.incident("incident-000001").but(title="now another")
        transaction.save(changed)
    opened_store.issue_drawing.on_call = lambda _rotation, _at: "bo@example.com"
    assert await opened_store.issue_drawing.catch_up() == 1
    found = await opened_store.issues.numbered(1)
    assert found is not None
    assert found.title == "now another"
    assert found.on_call == issues[0].on_call or not issues[0].on_call
    assert await opened_store.issue_drawing.catch_up() == 0


async def test_what_can_be_chosen_is_each_value_once(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await kept(opened_store, history(clock.now()))
    choices = await opened_store.issues.choices()
    assert set(choices.products) == {"orders", "Umsätze"}
    assert set(choices.owners) == {"finance", "growth"}
    assert list(choices.causes) == []


async def test_a_link_is_used_once(opened_store: OpenedStore, clock: FakeClock) -> None:
    now = clock.now()
    issues = opened_store.issues
    assert await issues.use_link("a", now + HOUR, now)
    assert not await issues.use_link("a", now + HOUR, now)
    assert await issues.use_link("b", now + HOUR, now + 2 * HOUR)


async def test_recurrences_lead_on(opened_store: OpenedStore, clock: FakeClock) -> None:
    now = clock.now()
    await kept(opened_store, [incident(1, now), incident(2, now, previous=1)])
    assert [i.number for i in await opened_store.issues.recurrences(1)] == [2]
