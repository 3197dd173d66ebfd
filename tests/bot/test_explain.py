"""`explain`: what it says of an alert's category."""

from bot.cli.explaining import explained_text
from bot.explain import explain
from bot.wire import incident_from_json, incident_to_json
from rules.people import People
from tests.rules.build import NOW, make_book, make_incident
from tests.rules.category_tables import SHIPPED, alert

SNOWFLAKE = "SQL compilation error: Object 'RAW.ORDERS' does not exist or not authorized."


def test_alerts_and_incidents_tell_their_category() -> None:
    told = explain([alert(test="not_null")], make_book(categories=SHIPPED), People(()), NOW)
    for thing in (*told["alerts"], *told["incidents"], told["incident"]):
        assert (thing["category"], thing["category_alt"]) == ("completeness", None)
        assert thing["confidence"] == 0.9
    because = {reason["rule"]: reason["text"] for reason in told["reasons"]}
    assert because["categories.tests.not_null"] == "Completeness: test not_null."


def test_the_text_says_when_it_guesses() -> None:
    told = explain([alert("m", SNOWFLAKE)], make_book(categories=SHIPPED), People(()), NOW)
    assert told["incident"]["category_alt"] == "schema"
    assert explained_text(told).count("probably access, or schema") == 2


def test_an_incident_of_before_there_were_categories_still_loads() -> None:
    made = make_incident()
    stored = incident_to_json(made).decode()
    for name in ('"category":"pipeline_failure",', '"category_alt":null,', '"confidence":0.3,'):
        assert name in stored
        stored = stored.replace(name, "")
    old = incident_from_json(stored)
    assert (old.category, old.category_alt, old.confidence) == (None, None, 0.0)
    assert incident_from_json(incident_to_json(made)) == made
