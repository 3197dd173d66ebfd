"""Which incident an alert joins, and what a new one starts from."""

from datetime import timedelta

from rules.alert import AlertStatus, Severity
from rules.grouping import (
    Join,
    Nowhere,
    Open,
    OpenPlaces,
    open_incident,
    open_storm,
    place,
    route_of,
)
from rules.matching.matcher import Matcher, Operator, parse_matchers
from rules.policy import Policy
from rules.priority import Priority
from rules.rulebook import Route, StormRule
from rules.sentence import plain
from tests.rules.build import MINUTE, NOW, make_alert, make_book, page, resolved

STORM = StormRule(incidents=3, within=MINUTE)


def test_a_new_thing_opens_an_incident() -> None:
    assert isinstance(place(make_alert(), OpenPlaces(), STORM, NOW), Open)


def test_the_same_thing_joins_its_open_incident_whatever_it_says() -> None:
    places = OpenPlaces(same_thing="a", same_group="b", storm="c", openings=99)
    for status in AlertStatus:
        placed = place(make_alert(status=status), places, STORM, NOW)
        assert isinstance(placed, Join)
        assert placed.incident_id == "a"


def test_another_alert_of_the_run_joins_its_incident() -> None:
    alert = make_alert("users", group_key="nightly 2026-11-23")
    placed = place(alert, OpenPlaces(same_group="b", storm="c", openings=99), STORM, NOW)
    assert isinstance(placed, Join)
    assert placed.incident_id == "b"
    assert placed.why.render(plain) == "Same run or group: nightly 2026-11-23."


def test_information_joins_its_run_but_opens_nothing() -> None:
    info = make_alert(status=AlertStatus.INFO)
    assert isinstance(place(info, OpenPlaces(same_group="b"), STORM, NOW), Join)
    assert isinstance(place(info, OpenPlaces(), STORM, NOW), Nowhere)


def test_what_resolves_and_is_not_open_goes_nowhere() -> None:
    places = OpenPlaces(same_group="b", storm="c", storm_last_at=NOW)
    assert isinstance(place(resolved(), places, STORM, NOW), Nowhere)


def test_incidents_up_to_the_bound_open_one_by_one_and_then_a_storm() -> None:
    placed = [place(make_alert(), OpenPlaces(openings=n), STORM, NOW) for n in range(5)]
    assert [p.storm for p in placed if isinstance(p, Open)] == [False, False, False, True, True]


def test_an_open_storm_takes_what_comes_while_it_lasts() -> None:
    raging = OpenPlaces(storm="c", storm_last_at=NOW - MINUTE)
    assert place(make_alert(), raging, STORM, NOW) == Join(
        "c", place(make_alert(), raging, STORM, NOW).why
    )
    over = OpenPlaces(storm="c", storm_last_at=NOW - MINUTE - timedelta(microseconds=1))
    assert isinstance(place(make_alert(), over, STORM, NOW), Open)
    again = OpenPlaces(storm="c", storm_last_at=NOW - 9 * MINUTE, openings=3)
    assert isinstance(place(make_alert(), again, STORM, NOW), Join)


def test_the_first_route_whose_matchers_hold_answers() -> None:
    finance = Route(
        "finance", "strict", "finance-alerts", "fin", (Matcher("team", Operator.EQUAL, "finance"),)
    )
    rest = Route("all", "default", "data-alerts", "data")
    policies = {name: Policy(name, (page("x@example.com"),)) for name in ("strict", "default")}
    book = make_book(routes=(finance, rest), policies=policies)
    assert route_of(make_alert(labels={"team": "finance"}), book, NOW) is finance
    assert route_of(make_alert(labels={"team": "sales"}), book, NOW) is rest
    made = open_incident(
        make_alert(labels={"team": "finance"}), book, incident_id="i", number=7, now=NOW
    )
    assert (made.route, made.channel, made.rotation) == ("finance", "finance-alerts", "fin")
    assert made.policy is policies["strict"]


def test_a_new_incident_takes_over_what_the_alert_says() -> None:
    alert = make_alert(
        severity=Severity.WARNING, labels={"dag_id": "daily"}, url="https://a.example"
    )
    made = open_incident(alert, make_book(), incident_id="i", number=7, now=NOW)
    assert (made.id, made.number, made.opened_at) == ("i", 7, NOW)
    assert made.priority is Priority.P4
    assert not made.pages
    assert (made.alert_count, made.firing_count, made.alerts) == (0, 0, ())
    assert (made.labels, made.url) == ({"dag_id": "daily"}, "https://a.example")


def test_a_storm_is_routed_as_its_first_alert_and_named_by_its_source() -> None:
    alert = make_alert(labels={"dag_id": "daily"}, group_key="run 1")
    made = open_storm(alert, make_book(), incident_id="i", number=7, now=NOW)
    assert made.storm
    assert (made.title, made.dedup_key, made.group_key) == (
        "Alert storm from airflow",
        "storm:i",
        "",
    )
    assert made.labels == {}
    assert made.pages


def test_an_incident_opens_with_the_category_of_its_alert() -> None:
    alert = make_alert(labels={"category": "Completeness"})
    made = open_incident(alert, make_book(), incident_id="i", number=7, now=NOW)
    assert (made.category, made.category_alt, made.confidence) == ("completeness", None, 1.0)


def test_routes_match_the_category_that_the_rulebook_found() -> None:
    asking = Route("asking", "default", "a", "data", parse_matchers("category=adhoc_request")[0])
    rest = Route("rest", "default", "b", "data")
    book = make_book(routes=(asking, rest))
    assert route_of(make_alert(labels={"category": "ad-hoc request"}), book, NOW) is rest
    assert route_of(make_alert(labels={"category": "Adhoc Request"}), book, NOW) is asking
