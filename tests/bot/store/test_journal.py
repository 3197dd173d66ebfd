"""The journal, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports.journal import CauseCount, JournalFilter
from bot.store.opening import OpenedStore
from rules.journal.entry import Facts, JournalEntry, Note, Told
from rules.journal.prompt import JournalPrompt, PromptState
from rules.journal.similarity import subject_of
from rules.journal.words import SameWords
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock

PLAIN = SameWords()


def entry(number: int, clock: FakeClock, **more: object) -> JournalEntry:
    facts = Facts(
        title=f"Task load_orders{number} failed",
        source="airflow",
        thing=f"airflow\nload_orders{number}",
        product="orders",
        asset="warehouse.orders",
        category="pipeline_failure",
        resolved_by="bo@example.com",
    )
    made = JournalEntry(
        id=f"entry{number}",
        number=number,
        at=clock.now() + timedelta(minutes=number),
        changed_at=clock.now(),
        changed_by="bo@example.com",
        by="bo@example.com",
        told=Told(cause_class="code_change", cause="A deploy", fix="Rolled it back"),
        facts=facts,
    )
    return replace(made, **more)  # type: ignore[arg-type]


async def saved(store: OpenedStore, *entries: JournalEntry) -> None:
    async with store.store.begin() as tx:
        for one in entries:
            tx.journal.save_entry(one)


async def numbers(store: OpenedStore, query: str, **more: object) -> list[int | None]:
    found = await store.journal.search(query, **more)  # type: ignore[arg-type]
    return [one.number for one in found.entries]


async def test_an_entry_comes_back_as_it_was_written(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    note = Note(text="<!channel> \U0001f986", by="ana", at=clock.now(), link="https://x.example")
    made = entry(1, clock, notes=(note,))
    await saved(opened_store, made)
    assert await opened_store.journal.entry_of(1) == made
    assert await opened_store.journal.entry("entry1") == made
    assert await opened_store.journal.entry_of(2) is None


async def test_texts_no_column_can_hold_are_kept_all_the_same(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    hostile = "a\0b \ud800 '; DROP TABLE journal_entry; --"
    facts = Facts(title=hostile, asset="x" * 5_000, product="p\0", thing=hostile)
    await saved(opened_store, entry(1, clock, told=Told(fix=hostile), facts=facts))
    found = await opened_store.journal.entry_of(1)
    assert found is not None
    assert found.told.fix == hostile.replace("\ud800", "?")
    assert await numbers(opened_store, "drop journal_entry") == [1]
    assert (await opened_store.journal.seen(subject_of(facts), PLAIN)).times == 1


async def test_every_version_is_kept_with_who_and_when(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    first = entry(1, clock)
    await saved(opened_store, first)
    clock.advance(hours=1)
    second = first.write(Told(fix="Full refresh"), "ana@example.com", clock.now())
    await saved(opened_store, second)
    kept = await opened_store.journal.versions("entry1")
    assert [(v.version, v.by, v.entry.told.fix) for v in kept] == [
        (1, "bo@example.com", "Rolled it back"),
        (2, "ana@example.com", "Full refresh"),
    ]
    assert await numbers(opened_store, "rolled") == []
    assert await numbers(opened_store, "refresh") == [1]


async def test_a_transaction_sees_what_it_has_saved(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    async with opened_store.store.begin() as tx:
        assert await tx.journal.entry_of(1) is None
        tx.journal.save_entry(entry(1, clock))
        assert await tx.journal.entry_of(1) == entry(1, clock)
        assert await tx.journal.entry("entry1") == entry(1, clock)


async def test_search_asks_for_all_words_and_takes_their_beginnings(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await saved(
        opened_store,
        entry(1, clock, told=Told(cause="Schema drift in CRM", fix="Backfill")),
        entry(2, clock, told=Told(cause="Quota of BigQuery", fix="Backfilled by hand")),
        entry(3, clock, told=Told(cause="Late file", fix="Waited")),
    )
    assert await numbers(opened_store, "backfill") == [2, 1]
    assert await numbers(opened_store, "backfill quota") == [2]
    assert await numbers(opened_store, "sche crm") == [1]
    assert await numbers(opened_store, "") == [3, 2, 1]
    assert await numbers(opened_store, "the of") == []
    assert await numbers(opened_store, "", page=1, size=2) == [1]
    assert (await opened_store.journal.search("", size=2)).more


@pytest.mark.parametrize(
    ("written", "query"),
    [
        ("Überweisungen verspätet", "uberweisung"),
        ("Überweisungen verspätet", "überweisung verspätet"),
        ("Uberweisung", "Überweisung"),
        ("the café feed", "cafe"),
        ("the cafe feed", "café"),
        ("résumés parsed", "resume"),
        ("İstanbul loader", "istanbul"),
        ("ISTANBUL loader", "İstanbul"),
    ],
)
async def test_accents_do_not_count(
    opened_store: OpenedStore, clock: FakeClock, written: str, query: str
) -> None:
    await saved(opened_store, entry(1, clock, told=Told(fix=written)), entry(2, clock))
    assert await numbers(opened_store, query) == [1]


async def test_the_longest_entry_is_found_by_what_it_is_about_and_by_its_notes(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    def prose(letter: str) -> str:
        # as many different words as a field of the form takes
        return " ".join(f"{letter}{chr(97 + n // 26)}{chr(97 + n % 26)}qq" for n in range(330))

    told = Told(symptom=prose("x"), cause=prose("y"), fix=prose("z"), follow_up=prose("w"))
    note = Note(text="the vendor confirmed: zookeeper", by="ana", at=clock.now())
    long = entry(1, clock, told=told, notes=(note,))
    long = replace(
        long, facts=replace(long.facts, title="refunds stopped", asset="dwh.fct_refunds")
    )
    await saved(opened_store, long, entry(2, clock))
    for query in ("refunds stopped", "fct_refunds", "zookeeper", "zaaqq", "xmrqq", "pipeline"):
        assert 1 in await numbers(opened_store, query), query
    seen = await opened_store.journal.seen(subject_of(long.facts, 3), PLAIN)
    assert seen.latest is not None
    assert seen.latest.number == 1


async def test_where_no_entry_has_an_identifier_its_parts_are_looked_for(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await saved(
        opened_store,
        entry(1, clock, told=Told(fix="dropped raw_fct_invoices and loaded it")),
        entry(2, clock, told=Told(fix="loaded the fct table of invoices")),
        entry(3, clock, told=Told(fix="refreshed stg_payments")),
        entry(4, clock, told=Told(fix="stg was late, payments were not")),
    )
    assert await numbers(opened_store, "fct_invoices") == [2, 1]
    assert await numbers(opened_store, "FctInvoices", size=1) == [2]
    assert await numbers(opened_store, "fct_invoices", page=1, size=1) == [1]
    assert await numbers(opened_store, "stg_payments") == [3]
    assert await numbers(opened_store, "stg_payments", page=1, size=1) == []
    assert await numbers(opened_store, "fct_refunds") == []
    named = Facts(title="Task load_customers failed")
    await saved(
        opened_store,
        entry(5, clock, facts=named),
        entry(6, clock, told=Told(fix="load the customers by hand")),
    )
    assert await numbers(opened_store, "load_customers") == [5]


@pytest.mark.parametrize("query", ['"', "' | !", "a:* & (", "*", "NEAR(", "\0", "\ud800", "()"])
async def test_no_query_breaks_the_search(
    opened_store: OpenedStore, clock: FakeClock, query: str
) -> None:
    await saved(opened_store, entry(1, clock))
    assert await numbers(opened_store, query) in ([], [1])


async def test_filters_narrow_a_search(opened_store: OpenedStore, clock: FakeClock) -> None:
    other = replace(entry(2, clock).facts, product="risk", category="freshness")
    await saved(
        opened_store,
        entry(1, clock),
        entry(2, clock, facts=other, told=Told(cause_class="source_change", fix="Waited")),
    )
    for filters, want in (
        (JournalFilter(product="risk"), [2]),
        (JournalFilter(category="pipeline_failure"), [1]),
        (JournalFilter(cause="source_change"), [2]),
        (JournalFilter(since=clock.now() + timedelta(minutes=2)), [2]),
        (JournalFilter(until=clock.now() + timedelta(minutes=2)), [1]),
        (JournalFilter(product="risk", cause="code_change"), []),
    ):
        assert await numbers(opened_store, "load", filters=filters) == want


async def test_the_same_trouble_is_counted_and_the_newest_told(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    thing = replace(entry(1, clock).facts, thing="airflow\nload_orders")
    await saved(
        opened_store,
        *[entry(n, clock, facts=thing) for n in (1, 2, 3)],
        entry(4, clock, facts=Facts(title="Certificate of api expired", product="web")),
    )
    seen = await opened_store.journal.seen(subject_of(thing, 9), PLAIN)
    assert (seen.times, seen.latest and seen.latest.number) == (3, 3)
    own = await opened_store.journal.seen(subject_of(thing, 3), PLAIN)
    assert (own.times, own.latest and own.latest.number) == (2, 2)
    strange = await opened_store.journal.seen(subject_of(Facts(title="Disk is full")), PLAIN)
    assert (strange.times, strange.shown) == (0, None)


async def test_what_nobody_has_written_yet_is_not_told(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await saved(opened_store, entry(1, clock, by="", told=Told()))
    subject = subject_of(entry(1, clock).facts)
    assert (await opened_store.journal.seen(subject, PLAIN)).shown is None


async def test_words_of_one_meaning_find_each_other(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    late = Facts(title="Table customers is stale", product="crm")
    await saved(opened_store, entry(1, clock, facts=late), entry(2, clock))
    asked = subject_of(Facts(title="customers overdue", product="crm"))
    same = SameWords((("stale", "overdue"),))
    seen = await opened_store.journal.seen(asked, same)
    assert [one.entry.number for one in seen.similar] == [1]


async def test_prompts_stay_until_answered_and_while_the_incident_is_resolved(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    one = incident(1, clock.now())
    made = JournalPrompt(incident_id=one.id, number=1, person="bo", title="t", key="k",
                         asked_at=clock.now(), changed_at=clock.now())  # fmt: skip
    async with opened_store.store.begin() as tx:
        tx.save(one)
        tx.journal.save_prompt(made)
        assert await tx.journal.prompt_of(one.id) == made
    assert await opened_store.journal.open_prompts("bo") == []
    async with opened_store.store.begin() as tx:
        await tx.load_incidents([one.id])
        tx.save(tx.incident(one.id).resolve("bo", clock.now()))
    assert await opened_store.journal.open_prompts("bo") == [made]
    assert await opened_store.journal.open_prompts("ana") == []
    async with opened_store.store.begin() as tx:
        tx.journal.save_prompt(replace(made, state=PromptState.WAIVED, why="a test"))
    assert await opened_store.journal.open_prompts("bo") == []


async def test_causes_are_counted_by_month(opened_store: OpenedStore, clock: FakeClock) -> None:
    month = f"{clock.now():%Y-%m}"
    await saved(opened_store, entry(1, clock), entry(2, clock), entry(3, clock, by=""))
    assert await opened_store.journal.trends(month) == [
        CauseCount(month, "code_change", "orders", 2)
    ]
    assert await opened_store.journal.trends("2999-01") == []


async def test_every_entry_is_read_for_an_export(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    await saved(opened_store, *[entry(n, clock) for n in range(1, 252)])
    read = [one.number async for one in opened_store.journal.every_entry()]
    assert read == list(range(1, 252))
