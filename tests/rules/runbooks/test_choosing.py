"""The most specific runbook wins; the catalogue's own word comes first."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rules.alert import Severity
from rules.catalogue import Asset, Catalogue, Product
from rules.category import Category
from rules.incident import Incident
from rules.policy import Policy
from rules.priority import Priority
from rules.runbooks.choosing import (
    Runbooks,
    Subject,
    fit,
    subject_facts,
    subject_from,
    subject_of,
)
from rules.runbooks.runbook import Matches, Runbook

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def runbook(name: str, **matches: tuple[str, ...]) -> Runbook:
    return Runbook(id=name, title=name, matches=Matches(**matches))


def incident(**more: Any) -> Incident:
    usual = Incident(
        id="i", number=7, source="airflow", dedup_key="k", group_key="", title="t", opened_at=NOW,
        priority=Priority.P2, severity=Severity.ERROR, route="r", channel="c", rotation="data",
        policy=Policy("default", ()), pages=True,
    )  # fmt: skip
    return usual.but(**more)


SUBJECT = Subject(
    asset=("model.shop.fct_orders", "fct_orders"),
    product=("orders", "Orders"),
    category=("freshness",),
    source=("dbt",),
)


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ({"asset": ("fct_orders",)}, {"product": ("orders",), "category": ("freshness",)}),
        ({"asset": ("fct_orders",)}, {"asset": ("fct_*",)}),
        ({"product": ("orders",)}, {"product": ("ord*",)}),
        ({"product": ("orders",)}, {"category": ("freshness",), "source": ("dbt",)}),
        ({"product": ("orders",), "category": ("freshness",)}, {"product": ("orders",)}),
        ({"category": ("freshness",)}, {"source": ("dbt",)}),
        ({"asset": ("fct_*",), "source": ("dbt",)}, {"asset": ("*_orders",)}),
    ],
)
def test_the_narrower_wins_wherever_it_stands(
    narrow: dict[str, tuple[str, ...]], wide: dict[str, tuple[str, ...]]
) -> None:
    one, other = runbook("b", **narrow), runbook("a", **wide)
    assert Runbooks([one, other]).of(SUBJECT) == one
    assert Runbooks([other, one]).of(SUBJECT) == one


def test_of_two_that_match_alike_the_first_by_name_stays() -> None:
    one, other = runbook("a", product=("orders",)), runbook("b", product=("Orders",))
    assert Runbooks([other, one]).of(SUBJECT) == one


@pytest.mark.parametrize(
    "matches",
    [
        {},
        {"product": ("orders",), "category": ("schema",)},
        {"asset": ("stg_*",)},
        {"source": ("airflow",), "product": ("orders",)},
    ],
)
def test_all_that_is_named_must_fit(matches: dict[str, tuple[str, ...]]) -> None:
    assert fit(runbook("a", **matches), SUBJECT) is None


def test_any_name_of_a_list_will_do_and_case_does_not_count() -> None:
    assert fit(runbook("a", product=("returns", "ORDERS")), SUBJECT) == (0, 2, 0, 0)


def test_the_catalogue_may_name_a_runbook_by_its_id_or_give_a_link() -> None:
    book = Runbooks(
        [runbook("finance/late", product=("other",)), runbook("x", product=("orders",))]
    )
    named = Subject(product=("orders",), links=("finance/late.md",))
    assert book.of(named) == book.named("finance/late")
    linked = Subject(product=("returns",), links=("https://wiki.example/returns",))
    found = book.of(linked)
    assert found is not None
    assert (found.url, found.steps) == ("https://wiki.example/returns", ())
    assert book.of(Subject(product=("returns",))) is None


def test_a_file_that_the_catalogue_names_comes_before_a_link_of_the_alert() -> None:
    """Rules of Alertmanager that people download bring links of their own."""
    wiki = "https://runbooks.prometheus.example/KubeJobFailed"
    orders = Product(id="orders", name="Orders", runbook="orders/late")
    table = Asset(id="t", name="fct_orders", kind="table", product="orders", runbook="orders/table")
    catalogue = Catalogue([orders], [table])
    book = Runbooks([runbook("orders/late", product=("x",)), runbook("x", source=("airflow",))])
    labels = {"product": "orders", "runbook_url": wiki}
    asked = subject_of(incident(labels=labels, product="orders"), catalogue)
    assert book.of(asked) == book.named("orders/late")
    narrow = Runbooks([*book, runbook("orders/table", product=("x",))])
    of_table = incident(labels=labels, about={"asset": "t", "product": "orders"}, product="orders")
    assert narrow.of(subject_of(of_table, catalogue)) == narrow.named("orders/table")
    linked = Runbooks().of(asked)
    assert linked is not None
    assert linked.url == wiki, "of two links the alert's own"


def test_a_file_that_was_renamed_is_no_link() -> None:
    gone = Subject(product=("orders",), links=("orders/late", "https://wiki.example/orders"))
    found = Runbooks().of(gone)
    assert found is not None
    assert found.url == "https://wiki.example/orders"
    assert Runbooks().of(replace(gone, links=("orders/late",))) is None


def test_an_incident_goes_by_every_name_its_asset_has() -> None:
    orders = Product(id="orders", name="Orders", owner="cy@example.com")
    model = Asset(id="model.shop.fct_orders", name="fct_orders", kind="model", product="orders")
    labels = {"product": "orders", "model": "fct_orders", "dag_id": "shop", "task_id": "load"}
    about = {"asset": model.id, "product": "orders"}
    found = subject_of(
        incident(
            labels=labels, about=about, product="orders", category=Category.FRESHNESS, source="dbt"
        ),
        Catalogue([orders], [model]),
    )
    assert set(found.asset) == {"model.shop.fct_orders", "fct_orders", "shop.load", "shop"}
    assert (found.product, found.category, found.source) == (
        ("orders", "Orders"), ("freshness",), ("dbt",),
    )  # fmt: skip
    assert (found.owner, found.name) == ("cy@example.com", "orders")


def test_what_is_stored_of_a_subject_matches_as_it_did() -> None:
    again = subject_from(subject_facts(SUBJECT))
    assert again == SUBJECT
    assert subject_from({"asset": "no list", "product": None}) == Subject()
