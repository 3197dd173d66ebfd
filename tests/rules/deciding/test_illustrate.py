"""When an incident is worth a picture: shown, wide, and only when the cause is another."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rules.deciding.illustrate import WIDE, illustrated, picture_cause
from rules.decision import Decision
from rules.effects import ShowIncident, ShowPicture
from rules.incident import Incident, Mutedness, Stakes
from rules.priority import Impact, Urgency
from tests.rules.build import NOW, make_incident


def stakes(asset: str = "m.fct", hit: int = WIDE + 1) -> Stakes:
    return Stakes(
        name="Orders",
        impact=Impact.MODERATE,
        urgency=Urgency.LOW,
        asset=asset,
        exposures_hit=hit,
    )


def wide(**more: object) -> Incident:
    return make_incident().but(**{"stakes": stakes(), **more})


@pytest.mark.parametrize(
    "changes",
    [
        {"stakes": None},
        {"stakes": stakes(hit=WIDE)},
        {"stakes": stakes(asset="")},
        {"hidden": True},
        {"muted": Mutedness(NOW + timedelta(hours=1), "ana", "moving")},
    ],
    ids=["nothing at stake", "three consumers", "no asset", "hidden", "silenced"],
)
def test_what_needs_no_picture(changes: dict[str, object]) -> None:
    assert picture_cause(wide(**changes)) == ""
    decision = Decision(wide(**changes))
    assert illustrated(make_incident(), decision) is decision


def test_what_is_resolved_needs_none() -> None:
    assert picture_cause(wide().resolve("ana", NOW)) == ""


def test_products_and_dashboards_count_together() -> None:
    assert picture_cause(wide(stakes=replace(stakes(hit=2), products_hit=2))) == "m.fct"


def test_where_only_the_product_is_known_the_picture_is_of_that() -> None:
    assert picture_cause(wide(stakes=replace(stakes(asset=""), product="orders"))) == "orders"


def test_it_is_ordered_after_everything_else_and_once_for_a_cause() -> None:
    opened = Decision(wide(), (ShowIncident(at_once=True),))
    ordered = illustrated(make_incident(), opened)
    assert ordered.effects == (
        ShowIncident(at_once=True),
        ShowPicture(f"{wide().id}:picture:m.fct"),
    )
    assert illustrated(wide(), opened) is opened
    other = Decision(wide(stakes=stakes(asset="m.other")))
    assert illustrated(wide(), other).effects == (ShowPicture(f"{wide().id}:picture:m.other"),)
