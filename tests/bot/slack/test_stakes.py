"""What is at stake, as the one who is woken reads it."""

from datetime import timedelta
from typing import Any

import pytest

from bot.slack import views
from bot.workspace.blockkit import problems
from rules.incident import Stakes
from rules.priority import Impact, Urgency
from tests.bot.slack.samples import ANA, HOSTILE, NOW, incident, scene


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
    assert "Impact *significant*, urgency *high*, 7 dashboards and 1 product downstream" in text
    assert "fct_orders → board report" in text


@pytest.mark.parametrize(
    ("ahead", "words"),
    [(timedelta(hours=1), "*hard to keep*"), (timedelta(0), "*missed*")],
    ids=["too close", "passed"],
)
def test_a_promise_that_cannot_be_kept_is_told(ahead: timedelta, words: str) -> None:
    assert words in said(stakes(deadline=NOW + ahead))


def test_a_page_that_waits_says_until_when() -> None:
    held = NOW + timedelta(hours=2)
    text = said(stakes(), held_until=held, step_due_at=held, paged=(), reached=False)
    assert "waits until" in text
    assert "the promise can still be kept" in text


def test_outside_texts_stay_texts() -> None:
    text = said(stakes(name=HOSTILE, owner=HOSTILE, path=(HOSTILE,) * 8))
    assert "<!channel>" not in text
    assert "<@U0ANA001>" not in text
