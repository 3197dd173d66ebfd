"""What is at stake, as the one who is woken reads it."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from bot.ports.store import TimelineEntry
from bot.slack.scene import Scene
from bot.slack.views import incident as views
from bot.slack.views.timeline import timeline_answer, timeline_modal
from bot.slack.wording.incident import notification
from bot.workspace.blockkit import problems
from rules.catalogue import Catalogue, Product, Promises
from rules.incident import Stakes
from rules.priority import Impact, Urgency
from rules.sentence import say
from rules.sla import FreshBy
from rules.weighing.holding import OFFICE_HOURS
from tests.bot.slack.samples import ANA, BOOK, HOSTILE, NOW, incident, scene


def stakes(**more: Any) -> Stakes:
    usual: dict[str, Any] = {
        "name": "Daily orders",
        "impact": Impact.SIGNIFICANT,
        "urgency": Urgency.HIGH,
        "product": "orders",
        "owner": ANA,
        "tier": 2,
        "exposures_hit": 7,
        "products_hit": 1,
        "path": ("fct_orders", "board report"),
        "deadline": NOW + timedelta(hours=5),
        "respond": timedelta(minutes=10),
        "fix": timedelta(minutes=30),
        "run": timedelta(minutes=55),
    }
    return Stakes(**(usual | more))


def said(one: Stakes, **more: Any) -> str:
    message = views.root_message(scene(incident(stakes=one, **more)))
    assert problems(message, surface="message") == []
    return str(message["blocks"])


def test_the_product_its_owner_its_promise_and_whom_it_hits_are_told() -> None:
    text = said(stakes())
    assert "*Daily orders* (tier 2)" in text
    assert "owner Ana" in text
    assert "promised by" in text
    assert "a repair takes about 1 h 35 min, so start by" in text
    assert "Impact *significant*, urgency *high*, becomes " in text
    assert ", 7 dashboards and 1 product downstream" in text
    assert "fct_orders → board report" in text


def test_several_readers_stand_on_a_line_of_their_own_and_the_way_below() -> None:
    text = said(stakes(readers=("board", "sales", "stock")))
    assert "\\n7 dashboards and 1 product downstream: board, sales, stock and 5 more\\n" in text
    assert "and 5 more\\nfct_orders → board report" in text


def test_whose_it_is_is_told_once() -> None:
    labels = {"product": "orders", "owner": "ana@example.com", "team": "data", "model": "fct"}
    text = said(stakes(), labels=labels)
    assert "*model*" in text
    assert not [name for name in ("*product*", "*owner*", "*team*") if name in text]
    unknown = said(stakes(product=""), labels=labels)
    assert "*owner*" in unknown


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(timedelta(hours=1), "*hard to keep*"), (timedelta(0), "*missed*")],
    ids=["too close", "passed"],
)
def test_a_promise_that_cannot_be_kept_is_told(ahead: timedelta, words: str) -> None:
    assert words in said(stakes(deadline=NOW + ahead))


def held(**more: Any) -> Scene:
    """Return incident #42 waiting until 05:55, with its promise to Finance by 09:00 in Amsterdam."""
    deadline = NOW.replace(hour=8, minute=0)
    until = NOW.replace(hour=5, minute=55)
    orders = Product(
        id="orders",
        name="Daily orders",
        consumers=("Finance",),
        schedule="0 4 * * *",
        promises=Promises(fresh_by=FreshBy(time(9), "Europe/Amsterdam")),
    )
    waiting = incident(
        stakes=stakes(deadline=deadline, urgency=Urgency.LOW, **more),
        title="fct_orders failed",
        held_until=until,
        step_due_at=until,
        paged=(),
        step=0,
        reached=False,
    )
    return scene(waiting, book=replace(BOOK, catalogue=Catalogue([orders])))


def shown(one: Scene) -> str:
    message = views.root_message(one)
    assert problems(message, surface="message") == []
    return str(message["blocks"])


def stamp(hour: int, minute: int) -> str:
    return f"<!date^{int(NOW.replace(hour=hour, minute=minute).timestamp())}^"


def test_the_message_tells_whom_it_was_promised_to() -> None:
    assert "promised to Finance by <!date" in shown(held())


def test_the_phone_tells_the_promise_and_the_time_that_is_left() -> None:
    assert notification(held()) == (
        "P2 #42 fct_orders failed: promised to Finance by 09:00 CET, 3 h 23 min to spare. "
        "Will page Ana in 2 h 53 min unless it recovers first."
    )


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (NOW.replace(hour=5, minute=21), "by 09:00 CET, 1 h 4 min to spare."),
        (NOW.replace(hour=6, minute=25), "by 09:00 CET, hard to keep."),
        (NOW.replace(hour=8, minute=0), "by 09:00 CET, missed."),
        (NOW - timedelta(days=1), "by Mon 09:00 CET,"),
    ],
    ids=["time left", "too late to start", "passed", "tomorrow"],
)
def test_the_phone_tells_how_much_room_is_left(now: datetime, words: str) -> None:
    assert words in notification(replace(held(), now=now))


def test_a_promise_downstream_is_told_in_its_own_zone() -> None:
    one = held(promised="Daily orders", product="stage")
    assert "promised to Finance by 09:00 CET" in notification(one)


def test_without_a_catalogue_the_deadline_is_told_all_the_same() -> None:
    assert "promised by 08:00 UTC" in notification(replace(held(), book=BOOK))


def test_wrong_data_is_about_its_readers() -> None:
    one = held(consumers=OFFICE_HOURS)
    assert "wrong data, its readers come back at 09:00 CET." in notification(one)
    assert "its readers come back at" in shown(one)
    assert "promised" not in shown(one)


def test_wrong_data_downstream_of_what_broke_is_named() -> None:
    one = held(consumers=OFFICE_HOURS, promised="Daily orders", product="stage")
    assert "wrong data in Daily orders, its readers come back at 09:00 CET." in notification(one)
    assert "wrong data in Daily orders; its readers come back at" in shown(one)


def test_what_is_solved_has_no_time_left() -> None:
    one = held()
    done = one.incident.resolve(ANA, NOW)
    assert "promised" not in notification(replace(one, incident=done))


def test_a_page_that_waits_says_who_will_be_woken_when_and_what_runs_before() -> None:
    text = shown(held())
    assert f"Will page Ana at {stamp(5, 55)}" in text
    assert "unless it recovers first; the next run is due at " + stamp(4, 0) in text


def test_a_run_that_a_holiday_may_leave_out_is_not_promised() -> None:
    one = held()
    (orders,) = one.book.catalogue.products
    closed = Catalogue([replace(orders, holidays="national")])
    text = shown(replace(one, book=replace(one.book, catalogue=closed)))
    assert "unless it recovers first." in text
    assert "the next run is due" not in text


def test_the_times_at_which_it_becomes_more_urgent_are_told() -> None:
    text = shown(held())
    assert f"high at {stamp(5, 25)}" in text
    assert f"critical at {stamp(6, 25)}" in text


def test_outside_texts_stay_texts() -> None:
    text = said(stakes(name=HOSTILE, owner=HOSTILE, path=(HOSTILE,) * 8))
    assert "<!channel>" not in text
    assert "<@U0ANA001>" not in text


def test_the_timeline_begins_with_the_whole_chain_of_reasons_and_their_rules() -> None:
    lines = [
        TimelineEntry(at=NOW, what="AlertReceived", rule=rule, sentence=say(text))
        for rule, text in (
            ("routes.finance", "Route finance."),
            ("categories.tests.not_null", "Completeness: test not_null."),
            ("catalogue", "About Daily orders, by label product=orders."),
            ("impact.tiers.2", "Tier 2: significant."),
            ("priority_matrix.significant.high", "P2."),
        )
    ]
    acked = TimelineEntry(
        at=NOW + timedelta(minutes=2), what="Acked", rule="person", sentence=say("Ana has it.")
    )
    one = held()
    view = timeline_modal(one, [*lines, acked], "{}")
    assert problems(view, surface="modal") == []
    text = str(view["blocks"])
    order = ["Who is paged next", "What it is about", "How much breaks", "What was promised",
             "Priority", "Route and policy", "What arrived", "What happened",
             "What happens next"]  # fmt: skip
    assert [text.index(word) for word in order] == sorted(text.index(word) for word in order)
    for rule in ("sources.airflow.dedup_key", "routes.finance", "impact.tiers.2", "repair_effort"):
        assert f"`{rule}`" in text
    story = text[text.index("What happened") :]
    assert "Ana has it." in story
    assert "Route finance." not in story


def test_an_explanation_keeps_every_reason_and_folds_the_rest() -> None:
    one = held()
    why = TimelineEntry(at=NOW, what="x", rule="routes.finance", sentence=say("Route finance."))
    story = [
        TimelineEntry(
            at=NOW + timedelta(minutes=n), what="x", rule="page", sentence=say(f"Line {n}.")
        )
        for n in range(1, 20)
    ]
    whole = [b["text"]["text"] for b in timeline_modal(one, [why, *story], "{}")["blocks"]
             if b["type"] in {"section", "header"}]  # fmt: skip
    folded = [b["text"]["text"] for b in timeline_answer(one, [why, *story])["blocks"]
              if b["type"] in {"section", "header"}]  # fmt: skip
    reasons = whole[: whole.index("What happened") + 1]
    assert folded[: len(reasons)] == reasons
    assert "*Route and policy*: Route finance.  `routes.finance`" in reasons
    (told,) = folded[len(reasons) :]
    assert told.startswith("14 earlier lines left out.\n")
    assert [f"Line {n}." in told for n in range(14, 20)] == [False, *[True] * 5]


def test_a_hostile_rule_or_key_formats_nothing() -> None:
    one = scene(incident(dedup_key=HOSTILE, source=HOSTILE, stakes=stakes(path=(HOSTILE,) * 8)))
    entry = TimelineEntry(at=NOW, what="x", rule=f"routes.{HOSTILE}", sentence=say("Route."))
    answer = timeline_answer(one, [entry])
    assert problems(answer, surface="message") == []
    assert "<!channel>" not in str(answer["blocks"])
    assert "<@U0ANA001>" not in str(answer["blocks"])
