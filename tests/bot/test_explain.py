"""`explain`: what it says of an alert's category."""

import json

from bot.cli.explaining import explained_text
from bot.explain import explain
from bot.wire import incident_from_json, incident_to_json
from rules.chain import TITLES
from rules.matching.matcher import conditions_of
from rules.people import People
from rules.policy import (
    Channel,
    NextOnCallOf,
    OnCallOf,
    OnePerson,
    Policy,
    Step,
    UserGroup,
    Webhook,
)
from rules.rulebook import Route
from tests.rules.build import NOW, make_book, make_incident
from tests.rules.weighing.category_tables import SHIPPED, alert
from tests.stories.story import alert as story_alert
from tests.stories.test_promises import LABELS, MONDAY, promised

SNOWFLAKE = "SQL compilation error: Object 'RAW.ORDERS' does not exist or not authorized."


def test_alerts_and_incidents_tell_their_category() -> None:
    told = explain([alert(test="not_null")], make_book(categories=SHIPPED), People(()), NOW)
    for thing in (*told["alerts"], *told["incidents"], told["incident"]):
        assert (thing["category"], thing["category_alt"]) == ("completeness", None)
        assert thing["confidence"] == 0.9
    because = {reason["rule"]: reason["text"] for reason in told["reasons"]}
    assert because["categories.tests.not_null"] == "Completeness: test not_null."


def test_an_expression_that_cannot_be_evaluated_is_told() -> None:
    big = Route("big", "default", "c", "data", conditions_of([], "labels.rows > 5"))
    book = make_book(routes=(big, Route("rest", "default", "c", "data")))
    told = explain([alert(test="not_null")], book, People(()), NOW)
    because = {reason["rule"]: reason["text"] for reason in told["reasons"]}
    assert because["when"] == "labels.rows > 5 does not hold: there is no label rows."


def test_alerts_and_incidents_tell_what_they_put_at_stake() -> None:
    now = MONDAY.replace(hour=5, minute=21)
    fired = story_alert("fct_orders", now, labels=LABELS, source="dbt")
    told = explain([fired], promised(tier=2), People(()), now)
    for thing in (*told["alerts"], *told["incidents"], told["incident"]):
        assert (thing["impact"], thing["urgency"], thing["priority"]) == (
            "significant",
            "medium",
            "P3",
        )
        assert thing["deadline"] == "2026-11-23T08:00:00+00:00"
    assert json.loads(json.dumps(told)) == told


def test_what_the_catalogue_does_not_know_has_a_priority_and_no_stakes() -> None:
    told = explain([alert(test="not_null")], make_book(categories=SHIPPED), People(()), NOW)
    for thing in (*told["alerts"], told["incident"]):
        assert (thing["impact"], thing["urgency"], thing["deadline"]) == (None, None, None)
        assert thing["priority"] == told["incident"]["priority"]


def test_the_text_is_the_chain_and_then_what_follows() -> None:
    now = MONDAY.replace(hour=5, minute=21)
    fired = story_alert("fct_orders", now, labels=LABELS, source="dbt", group_key="run 17")
    text = explained_text(explain([fired], promised(tier=2), People(()), now))
    titles = [line.strip() for line in text.splitlines() if line.strip() in TITLES.values()]
    assert titles == list(TITLES.values())
    assert "    About Orders, by label product=orders.  [catalogue]" in text
    before, after = text.split("then, if nobody answers")
    assert "[routes.default]" in before
    assert "[routes.default]" not in after
    assert "Paging ana, step 1.  [escalation_policies.default[1]]" in after


def test_the_text_says_when_it_guesses() -> None:
    told = explain([alert("m", SNOWFLAKE)], make_book(categories=SHIPPED), People(()), NOW)
    assert told["incident"]["category_alt"] == "schema"
    assert explained_text(told).count("probably access, or schema") == 2


def test_an_incident_of_before_there_were_categories_still_loads() -> None:
    made = make_incident()
    stored = json.loads(incident_to_json(made))
    assert (stored.pop("category"), stored.pop("confidence")) == ("pipeline_failure", 0.3)
    old = incident_from_json(json.dumps(stored))
    assert (old.category, old.category_alt, old.confidence) == (None, None, 0.0)
    assert incident_from_json(incident_to_json(made)) == made


def test_whom_a_step_means_is_the_same_once_it_was_stored() -> None:
    targets = (
        OnCallOf("primary"),
        NextOnCallOf("primary"),
        OnePerson("a"),
        UserGroup("a"),
        Channel("a"),
        Webhook("a"),
    )
    made = make_incident(policy=Policy("all", (Step(targets),)))
    assert incident_from_json(incident_to_json(made)) == made
