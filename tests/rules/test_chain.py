"""The chain of reasons: complete, in order, each line with its rule, and true now."""

from datetime import datetime, timedelta

import pytest

from rules.chain import Link, chain, link_of
from rules.decision import Reason
from rules.foresee import foresee
from rules.incident import Incident, Mutedness
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.sentence import plain, say
from tests.stories.story import alert, rulebook
from tests.stories.test_promises import LABELS, MONDAY, promised

FIVE = MONDAY.replace(hour=5, minute=21)


def opened(book: RuleBook, **more: object) -> tuple[Incident, list[Reason]]:
    fired = alert("fct_orders", FIVE, labels=LABELS, source="dbt", group_key="run 17", **more)
    seen = foresee([fired], book, FIVE)
    recorded = [r for one in seen.decisions if one.at == FIVE for r in one.reasons]
    return seen.incidents["1"], recorded


def said(book: RuleBook, now: datetime = FIVE, **more: object) -> dict[Link, dict[str, str]]:
    """Return by link what each rule says, the last where one says several."""
    incident, recorded = opened(book)
    incident = incident.but(**more)
    return {
        linked.link: {one.rule: one.sentence.render(plain) for one in linked.reasons}
        for linked in chain(incident, recorded, book, now)
    }


def test_every_link_is_there_in_order_and_every_line_has_a_rule() -> None:
    incident, recorded = opened(promised(tier=2))
    found = chain(incident, recorded, promised(tier=2), FIVE)
    assert [linked.link for linked in found] == list(Link)
    assert all(linked.title and linked.reasons for linked in found)
    assert all(reason.rule for linked in found for reason in linked.reasons)


def test_the_chain_tells_the_whole_of_the_worked_example() -> None:
    told = said(promised(tier=2))
    assert told[Link.ARRIVED]["sources.dbt.dedup_key"].endswith("fct_orders")
    assert told[Link.ARRIVED]["sources.dbt.group_key"].endswith("run 17")
    assert told[Link.ABOUT]["catalogue"] == "About Orders, by label product=orders."
    assert told[Link.LINEAGE]["lineage"] == "1 dashboard downstream."
    short = told[Link.SHORT]["priority_matrix.significant.medium"]
    assert short.startswith("P3: impact significant, urgency medium, due by 2026-11-23 08:00 UTC")
    assert short.endswith("so begin by 2026-11-23 06:25 UTC.")
    assert told[Link.IMPACT]["impact.tiers.2"] == "This one decides: impact significant."
    promise = told[Link.PROMISE]
    assert promise["catalogue.orders.promises.fresh_by"] == "Promised by 2026-11-23 08:00 UTC."
    assert promise["urgency"].startswith("1 h 4 min to spare now. Critical at")
    assert promise["urgency.high"] == "Becomes high at 2026-11-23 05:25 UTC."
    assert promise["urgency.critical"] == "Becomes critical at 2026-11-23 06:25 UTC."
    assert "P3: significant impact" in told[Link.PRIORITY]["priority_matrix.significant.medium"]
    assert "default" in told[Link.ROUTE]["routes.default"]
    assert "Held until" in told[Link.HOLDING]["holding.P3"]
    assert told[Link.NEXT] == {"escalation_policies.default[1]": "ana at 2026-11-23 05:55 UTC."}


def test_the_sum_adds_up() -> None:
    incident, recorded = opened(promised(tier=2))
    sums = [
        one.sentence.values
        for linked in chain(incident, recorded, promised(tier=2), FIVE)
        for one in linked.reasons
        if {"respond", "begin"} <= one.sentence.values.keys()
    ]
    [values] = sums
    assert [values[name] for name in ("respond", "fix", "run")] == [
        timedelta(minutes=minutes) for minutes in (10, 30, 55)
    ]
    assert values["at"] == MONDAY.replace(hour=8)
    assert values["begin"] == MONDAY.replace(hour=6, minute=25)


def test_too_late_is_told_with_how_much() -> None:
    told = said(promised(tier=2), now=MONDAY.replace(hour=6, minute=55))
    assert told[Link.PROMISE]["urgency"].startswith("Too late by 30 min.")
    assert not [rule for rule in told[Link.PROMISE] if "Becomes" in told[Link.PROMISE][rule]]


def test_what_the_catalogue_does_not_know_has_the_shorter_chain() -> None:
    book = rulebook()
    seen = foresee([alert("orders", FIVE)], book, FIVE)
    recorded = [r for one in seen.decisions if one.at == FIVE for r in one.reasons]
    found = {one.link: one for one in chain(seen.incidents["1"], recorded, book, FIVE)}
    assert set(found).isdisjoint({Link.ABOUT, Link.LINEAGE, Link.IMPACT, Link.PROMISE})
    assert found[Link.PRIORITY].reasons[0].rule == "priorities.error"


def test_of_what_changes_only_the_latest_counts() -> None:
    book = promised(tier=2)
    incident, recorded = opened(book)
    later = [
        Reason("urgency.high", say("High now.")),
        Reason("priority_matrix.significant.high", say("P2 now.")),
    ]
    found = {one.link: one.reasons for one in chain(incident, [*recorded, *later], book, FIVE)}
    assert [one.rule for one in found[Link.PRIORITY]] == ["priority_matrix.significant.high"]
    recorded_urgency = [one for one in found[Link.PROMISE] if "spare before" in plain_of(one)]
    assert recorded_urgency == []


def test_the_rule_that_had_the_last_word_is_the_one_that_decides() -> None:
    book = promised(tier=2)
    incident, recorded = opened(book)
    last = Reason("impact.wrong_data", say("Wrong data is out."))
    found = {one.link: one.reasons for one in chain(incident, [*recorded, last], book, FIVE)}
    assert found[Link.IMPACT][-1].rule == "impact.wrong_data"


def test_who_has_it_is_paged_no_more() -> None:
    book = promised(tier=2)
    incident, recorded = opened(book)
    acked = incident.ack("cy", FIVE, None)
    found = {one.link: one.reasons for one in chain(acked, recorded, book, FIVE)}
    assert plain_of(found[Link.NEXT][0]) == "Nobody: cy has it."
    done = acked.resolve("cy", FIVE + timedelta(minutes=5))
    assert Link.NEXT not in {one.link for one in chain(done, recorded, book, FIVE)}


def test_a_policy_that_has_ended_tells_when_the_fallback_is_paged_again() -> None:
    book = rulebook(on_call=OnCall([]))
    seen = foresee([alert("orders", FIVE)], book, FIVE)
    incident = seen.incidents["1"]
    assert incident.exhausted
    at = "2026-11-23 05:51 UTC"
    assert next_of(incident, book, FIVE) == {"fallback": f"dee at {at}, as the fallback."}
    nobody = rulebook(on_call=OnCall([]), fallback=())
    assert list(next_of(incident, nobody, FIVE).values()) == ["Nobody is paged by itself."]


@pytest.mark.parametrize("exhausted", [False, True])
def test_what_is_put_off_tells_when_it_pages_again(*, exhausted: bool) -> None:
    book = promised(tier=2)
    incident, _ = opened(book)
    incident = incident.but(exhausted=exhausted, paged=("ana",))
    until, days = FIVE + timedelta(hours=3), FIVE + timedelta(days=3)
    again = "ana at 2026-11-23 08:21 UTC."
    silenced = incident.mute(Mutedness(until, "cy", "known"))
    assert list(next_of(silenced, book, FIVE).values()) == [again]
    found = chain(incident.snooze("cy", FIVE, until), [], book, FIVE)
    told = [plain_of(why) for one in found if one.link is Link.NEXT for why in one.reasons]
    assert told == [again, "cy at 2026-11-23 08:21 UTC."]
    late = incident.snooze("cy", FIVE, days)
    assert list(next_of(late, book, FIVE).values()) == ["Nobody before 2026-11-26 05:21 UTC."]


def next_of(incident: Incident, book: RuleBook, now: datetime) -> dict[str, str]:
    found = {one.link: one.reasons for one in chain(incident, [], book, now)}
    return {one.rule: plain_of(one) for one in found[Link.NEXT]}


@pytest.mark.parametrize("rule", ["page.delivered", "person", "outbox", "", "routes_of_others.x"])
def test_what_happened_is_no_cause(rule: str) -> None:
    assert link_of(rule) is None


def plain_of(reason: Reason) -> str:
    return reason.sentence.render(plain)
