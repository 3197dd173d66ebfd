"""What is left of a promise's budget: the incident's line, and `/oncall slo`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from bot.slack.desk import Desk
from bot.slack.listeners import Listening
from bot.slack.text import Mrkdwn
from bot.slack.views import incident as views
from bot.slack.views.slo import slo_answer
from bot.slack.wording.budget import budget_line
from bot.workspace.blockkit import problems
from bot.workspace.state import Workspace
from rules.budget import Objective
from rules.catalogue import Catalogue, Product, Promises
from rules.hours import Hours
from rules.incident import State
from rules.reliability.slo import Reliability
from rules.rulebook import RuleBook
from tests.bot.slack.samples import BOOK, HOSTILE, NOW, FakeNames, incident, scene
from tests.bot.slack.test_stakes import stakes
from tests.rules.reliability.test_slo import found, missed, orders, trouble

WHERE = "data-alerts"


def book(*reliabilities: Reliability, **more: Any) -> RuleBook:
    stands: Mapping[str, Reliability] = {one.product: one for one in reliabilities}
    return replace(BOOK, reliability=stands, catalogue=Catalogue([orders()]), **more)


def told(*days: int, **more: Any) -> str:
    stands = found(*missed(*days), now=NOW)
    at = incident(stakes=stakes(**more))
    return str(budget_line(replace(scene(at), book=book(stands))))


def test_the_message_has_the_line_when_the_budget_matters() -> None:
    rules = book(found(*missed(19, 20), now=NOW))
    message = views.root_message(replace(scene(incident(stakes=stakes())), book=rules))
    assert problems(message, surface="message") == []
    words = "📉 2 of 3 allowed misses used in 60 due days; missing today leaves 0"
    assert words in str(message["blocks"])


def test_a_full_budget_or_an_ended_incident_has_no_line() -> None:
    assert told() == ""
    assert told(20) == ""
    assert told(19, 20) != ""
    assert told(19, 20, promised="Another product") == ""
    assert told(19, 20, product="unknown") == ""
    stands = found(*missed(19, 20), now=NOW)
    over = incident(stakes=stakes(), state=State.RESOLVED)
    assert budget_line(replace(scene(over), book=book(stands))) == Mrkdwn()


def test_wrong_data_uses_the_other_budget() -> None:
    always = Hours(time(0), time(0), "UTC")
    assert (
        told(19, 20, consumers=always)
        == "📉 0 of 1 allowed misses used in 100 due days; missing today leaves 0"
    )


def answered(rules: RuleBook, written: str = "") -> str:
    message = slo_answer(rules, written, FakeNames(), NOW)
    assert problems(message, surface="message") == []
    return str(message["blocks"])


def test_one_product_is_told_with_its_days() -> None:
    upstream = trouble("20T07:00", "20T12:00", upstream=True)
    text = answered(book(found(upstream, *missed(19), now=NOW)), "orders")
    assert "Delivered in time: 96.67% of 60 due days; promised 95% over 60." in text
    assert "2 of 3 allowed misses used" in text
    assert "1 of 2 misses came from upstream; without them it is 98.33%." in text
    assert "🟥🟧⬜" in text
    assert text.count("🟩") > 50
    assert "watched since" in text


def test_all_are_listed_the_worst_first() -> None:
    bad = replace(found(*missed(16, 17, 19, 20), now=NOW), product="bad", name=HOSTILE)
    text = answered(book(found(now=NOW), bad))
    assert text.index("the objective is broken") < text.index("0 of 3 allowed misses used")
    assert "<!channel>" not in text
    assert "<@U0ANA001>" not in text


def test_many_products_fit_into_one_answer() -> None:
    many = [replace(found(*missed(19), now=NOW), product=f"p{n}", name=HOSTILE) for n in range(60)]
    assert "and 40 more" in answered(book(*many))


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("oders", 'no product "oders". Did you mean `orders`? `/oncall slo` lists'),
        ("nothing alike", 'no product "nothing alike". `/oncall slo` lists'),
        ("orders", "has not been reckoned yet"),
        ("<!channel>", "has no product"),
        ("", "No product has an objective. Write one, like"),
    ],
)
def test_what_is_not_there_says_what_to_do(written: str, text: str) -> None:
    found_text = answered(book(), written)
    assert text in found_text
    assert "<!channel>" not in found_text


def test_the_list_says_how_to_see_the_days_of_one() -> None:
    answer = slo_answer(book(found(*missed(19), now=NOW)), "", FakeNames(), NOW)
    foot = answer["blocks"][-1]["elements"][0]["text"]
    assert foot == "Day by day: `/oncall slo &lt;product&gt;`."


def test_a_product_without_objective_is_told_how_to_write_one() -> None:
    plain = Product(id="plain", name="Plain", promises=Promises(max_age=timedelta(hours=2)))
    rules = replace(BOOK, catalogue=Catalogue([plain]))
    assert "objective: 95%, over: 60 due days}" in answered(rules, "plain")


def test_an_objective_out_of_reach_is_said_plainly() -> None:
    product = orders(fresh_objective=Objective(99, 30), quality=None)
    text = answered(book(found(product=product, now=NOW)), "Orders")
    assert "99% over 30 due days allows 0.3 misses; promise 95% or count over 100 days." in text


async def test_it_is_asked_for_in_slack(line: Listening, desk: Desk, workspace: Workspace) -> None:
    outcome = await workspace.command("ana", WHERE, "/oncall slo orders")
    assert outcome.acked
    [message] = [m for m in workspace.messages(WHERE, viewer="ana") if m.only_for]
    assert "The catalogue has no product" in str(message.blocks)
