"""What could not be evaluated is said, with the reason."""

from dataclasses import replace

from rules.documents.category_parts import category_rules
from rules.documents.category_spec import CategoriesSpec
from rules.matching.matcher import conditions_of
from rules.rulebook import Route
from rules.sentence import plain
from rules.silence import MaintenanceWindow
from rules.unevaluated import unevaluated
from tests.rules.build import HOUR, NOW, make_alert, make_book


def test_each_expression_that_was_tried_in_vain_is_said_once() -> None:
    rows = "labels.rows > 5"
    routes = (
        Route("big", "default", "c", "data", conditions_of([], rows)),
        Route("mine", "default", "c", "data", conditions_of(["team=x"], "labels.none == 1")),
        Route("rest", "default", "c", "data"),
    )
    window = MaintenanceWindow("w", conditions_of([], rows), NOW, NOW + HOUR)
    text = "labels.team > 3"
    spec = CategoriesSpec.model_validate(
        {"events": [{"name": "e", "category": "volume", "when": text}]}
    )
    book = replace(make_book(routes=routes, windows=(window,)), categories=category_rules([spec]))
    alert = make_alert(labels={"team": "finance"})
    assert [one.sentence.render(plain) for one in unevaluated(alert, book, NOW)] == [
        f"{text} does not hold: a text is compared with a number, or used as one.",
        f"{rows} does not hold: there is no label rows.",
    ]
    assert unevaluated(make_alert(labels={"team": "1", "rows": "9"}), book, NOW) == ()
