"""Routes by what is known of an alert once it is weighed, and a product's own channel."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wire import incident_from_json, incident_to_json
from rules.alert import Alert, Severity
from rules.catalogue import Asset, Catalogue, Product, Promises
from rules.classify import categorised, facts_of
from rules.deciding.on_alert import muted
from rules.grouping import open_incident, open_storm, route_of
from rules.matching.matcher import conditions_of, matchable, parse_matchers
from rules.policy import Policy
from rules.priority import Priority
from rules.rulebook import Route, RuleBook
from rules.silence import MaintenanceWindow, Silence
from rules.sla import FreshBy
from rules.weighing.history import History, Learnt
from tests.rules.build import ANA, DAY, HOUR, NOW, make_alert, make_book, opened, page

ORDERS = Product(
    id="orders",
    name="Orders",
    owner="fin@example.com",
    team="finance",
    channel="#orders-alerts",
    rotation="finance",
    tier=1,
    promises=Promises(fresh_by=FreshBy(time(4), "UTC")),
)
BARE = Product(id="bare", name="Bare")
CATALOGUE = Catalogue(
    [ORDERS, BARE], [Asset(id="model.a.fct", name="fct", kind="model", product="orders")]
)
REST = Route("rest", "default", "data-alerts", "data", (), True, True)


def book_of(match: str = "", when: str = "", **route: Any) -> RuleBook:
    asked = conditions_of([match] if match else [], when)
    own = Route("own", "default", "own-channel", "own-rotation", asked)
    return make_book(routes=(own, REST), catalogue=CATALOGUE)


def routed(book: RuleBook, **alert: Any) -> str:
    return route_of(make_alert(**{"labels": {"model": "fct"}} | alert), book, NOW).name


@pytest.mark.parametrize(
    "match",
    [
        "product=orders",
        "team=finance",
        "owner=fin@example.com",
        "tier=1",
        "asset=model.a.fct",
        "category=pipeline_failure",
        "impact=extensive",
        "urgency in [high, critical]",
        "priority=P1",
        "product in [sales, orders]",
        "owner like *@example.com",
        "product=orders severity=critical source=airflow",
    ],
)
def test_a_route_asks_for_anything_that_is_known(match: str) -> None:
    assert routed(book_of(match)) == "own"
    assert routed(book_of(match), labels={}, severity=Severity.WARNING, source="x") == (
        "own" if "category" in match else "rest"
    )


def test_a_route_asks_by_expression_too() -> None:
    book = book_of(when='alert.product == "orders" && alert.tier <= 2 && labels.rows > 5')
    assert routed(book, labels={"model": "fct", "rows": "6"}) == "own"
    assert routed(book, labels={"model": "fct", "rows": "5"}) == "rest"
    assert routed(book) == "rest"


def test_a_mild_alert_is_of_its_product_too() -> None:
    assert routed(book_of("product=orders"), severity=Severity.WARNING) == "own"


def test_the_catalogue_names_the_product_and_the_sender_its_team() -> None:
    labels = {"product": "Orders", "team": "platform"}
    assert routed(book_of("product=orders"), labels=labels) == "own"
    assert routed(book_of("team=platform"), labels=labels) == "own"
    assert routed(book_of("team=finance"), labels=labels) == "rest"
    assert routed(book_of("priority=P3"), labels={"priority": "P3"}) == "rest"


def test_a_product_brings_its_channel_and_rotation_where_the_route_names_none() -> None:
    made = opened(
        make_book(routes=(REST,), catalogue=CATALOGUE), make_alert(labels={"model": "fct"})
    )
    assert (made.incident.channel, made.incident.rotation) == ("orders-alerts", "finance")
    named = opened(book_of("product=orders"), make_alert(labels={"model": "fct"}))
    assert (named.incident.channel, named.incident.rotation) == ("own-channel", "own-rotation")
    half = Route("half", "default", "data-alerts", "night", (), True, False)
    book = make_book(routes=(half,), catalogue=CATALOGUE)
    found = route_of(make_alert(labels={"model": "fct"}), book, NOW)
    assert (found.channel, found.rotation) == ("orders-alerts", "night")
    assert route_of(make_alert(labels={"product": "bare"}), book, NOW) is half


def test_a_silence_sees_the_product_of_an_alert_and_of_an_open_incident() -> None:
    matchers = parse_matchers("product=orders")[0]
    silence = Silence("s", matchers, NOW - HOUR, NOW + HOUR, ANA, "deploy")
    book = make_book(catalogue=CATALOGUE, silences=(silence,))
    alert = make_alert(labels={"model": "fct"})
    assert muted(alert, book, NOW)
    assert muted(make_alert(labels={"model": "other"}), book, NOW) is None
    incident = opened(make_book(catalogue=CATALOGUE), alert).incident
    assert silence.mutes_until(matchable(incident), NOW)
    mild = make_alert(labels={"model": "fct"}, severity=Severity.WARNING)
    assert silence.mutes_until(
        matchable(opened(make_book(catalogue=CATALOGUE), mild).incident), NOW
    )


def test_a_window_may_ask_by_expression() -> None:
    window = MaintenanceWindow(
        "load", conditions_of([], 'alert.team == "finance"'), NOW - HOUR, NOW + DAY
    )
    book = make_book(catalogue=CATALOGUE, windows=(window,))
    assert muted(make_alert(labels={"model": "fct"}), book, NOW)
    assert muted(make_alert(), book, NOW) is None


@given(
    labels=st.dictionaries(
        st.sampled_from(("model", "product", "team", "owner", "tier", "asset", "env", "priority")),
        st.sampled_from(("fct", "orders", "Orders", "bare", "", "dev", "1")),
    ),
    severity=st.sampled_from(Severity),
)
def test_a_new_incident_is_known_as_its_alert_was(
    labels: dict[str, str], severity: Severity
) -> None:
    book = make_book(catalogue=CATALOGUE)
    alert = categorised(make_alert(labels=labels, severity=severity), book)
    assert matchable(opened(book, alert).incident) == facts_of(alert, book, NOW)


def test_a_storm_is_about_nothing_in_particular() -> None:
    alert = make_alert(labels={"model": "fct"})
    book = make_book(catalogue=CATALOGUE)
    made = open_storm(alert, book, incident_id="i", number=7, now=NOW)
    assert not {"product", "team", "owner", "tier"} & matchable(made).keys()
    assert open_incident(alert, book, incident_id="i", number=7, now=NOW).about["team"] == "finance"


def test_what_is_known_is_read_back() -> None:
    made = opened(make_book(catalogue=CATALOGUE), make_alert(labels={"model": "fct"})).incident
    assert matchable(incident_from_json(incident_to_json(made))) == matchable(made)
    assert made.priority is Priority.P1


def test_an_alert_is_only_what_it_says_without_a_catalogue() -> None:
    alert: Alert = make_alert(labels={"model": "fct"})
    assert "product" not in facts_of(alert, make_book(), NOW)


def test_a_slow_rotation_makes_it_urgent_enough_for_another_route() -> None:
    urgent = Route("urgent", "urgent", "x", "data", parse_matchers("priority=P1")[0])
    policies = {name: Policy(name, (page("x@example.com"),)) for name in ("default", "urgent")}
    due = replace(ORDERS, promises=Promises(fresh_by=FreshBy(time(5), "UTC")), rotation="")
    slow = History(respond={"data": Learnt(2 * HOUR, 75, 9)})
    for history, route in ((History(), "rest"), (slow, "urgent")):
        book = make_book(
            routes=(urgent, REST), policies=policies, catalogue=Catalogue([due]), history=history
        )
        made = opened(book, make_alert(labels={"product": "orders"})).incident
        assert (made.route, made.policy.name) == (
            route,
            "default" if route == "rest" else "urgent",
        )
