"""What a picture shows: the few who matter most, and how many are left out."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from rules.catalogue import Asset, Catalogue, Product, Promises
from rules.lineage import Lineage
from rules.products.blast import MOST_SHOWN, Blast, blast, told
from rules.sla import FreshBy
from tests.bot.picture.samples import DEADLINE, lineage


def shown(dashboards: int, products: int) -> Blast:
    return blast(lineage(dashboards, products), ["m.fct"], deadline=DEADLINE)


@pytest.mark.parametrize(
    ("dashboards", "products", "seen"),
    [(0, 3, (0, 3)), (3, 0, (3, 0)), (12, 683, (4, 4)), (12, 1, (7, 1)), (1, 12, (1, 7))],
)
def test_few_are_shown_and_the_rest_is_counted(
    dashboards: int, products: int, seen: tuple[int, int]
) -> None:
    found = {group.title: group for group in shown(dashboards, products).groups}
    for title, total, few in zip(
        ("Dashboards", "Products"), (dashboards, products), seen, strict=True
    ):
        if not total:
            assert title not in found
            continue
        assert len(found[title].shown) == few
        assert found[title].more == total - few
    assert sum(seen) <= MOST_SHOWN


def test_the_best_known_consumer_stands_first_and_marks_the_way() -> None:
    dashboards = shown(dashboards=5, products=2).groups[0].shown
    assert [one.best for one in dashboards] == [True, False, False, False, False]
    assert dashboards[0].way == ("stg_orders",)
    assert [one.weight for one in dashboards] == [0, 1, 2, 2, 2]


def test_a_long_way_is_cut_in_its_middle() -> None:
    chain = [Asset(id=f"m{n}", name=f"m{n}", kind="model") for n in range(9)]
    end = Asset(id="e", name="board", kind="exposure")
    children = {f"m{n}": [f"m{n + 1}"] for n in range(8)} | {"m8": ["e"]}
    found = blast(Lineage(Catalogue((), [*chain, end]), children), ["m0"])
    only = found.groups[0].shown[0]
    assert (only.way, only.steps) == (("m1", "m2", "m8"), 8)


def test_where_no_consumer_is_known_the_nearest_assets_are_shown() -> None:
    known = Lineage(
        Catalogue((), [Asset(id=one, name=one, kind="model") for one in "abc"]), {"a": ["b", "c"]}
    )
    found = blast(known, ["a"])
    assert [(group.title, len(group.shown)) for group in found.groups] == [("Assets", 2)]
    assert found.counts == "2 assets downstream"
    assert blast(known, ["c"]).groups == ()
    assert blast(known, ["c"]).counts == "nothing known downstream"
    assert "c" in told(blast(known, ["c"]))


def test_the_promise_is_told_in_the_zone_it_was_made_in() -> None:
    assert shown(1, 1).promise == "Promised to Finance by Mon 23 Nov 09:00 CET"
    board = Product(
        id="board",
        name="Board",
        promises=Promises(fresh_by=FreshBy(time(7), "America/New_York")),
    )
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    other = blast(lineage(), ["m.fct"], deadline=noon, promised=board)
    assert other.promise == "Promised by Mon 23 Nov 07:00 EST"
    assert replace(shown(1, 1), promise="").promise == ""
    assert blast(lineage(), ["m.fct"]).promise == ""


def test_owners_are_named_as_people_know_them() -> None:
    found = blast(lineage(), ["m.fct"], named={"Bo": "Bo Berg", "Ana": "Ana Ruiz"}.__getitem__)
    assert found.owners == "Bo Berg"
    assert found.detail == "Orders · tier 2 · Ana Ruiz"


def test_in_words_it_says_the_same_and_is_never_endless() -> None:
    words = told(shown(12, 683))
    assert words.startswith("Blast radius of fct_orders: 12 dashboards, 683 products")
    assert "and 679 more" in words
    endless = lineage(3, 3, name="x" * 5_000)
    assert len(told(blast(endless, ["m.fct"]))) < 1_000
