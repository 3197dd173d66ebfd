"""`Incident.but`: a changed copy, as `dataclasses.replace` makes it, only faster."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from rules.incident import State
from tests.rules.build import make_incident


def test_it_is_what_replace_makes() -> None:
    one = make_incident()
    changed = one.but(title="other", state=State.ACKNOWLEDGED)
    assert changed == replace(one, title="other", state=State.ACKNOWLEDGED)
    assert changed != one
    assert {f.name for f in fields(changed)} == set(vars(changed))


def test_the_copy_is_frozen_and_the_original_stays() -> None:
    one = make_incident()
    title = one.title
    with pytest.raises(FrozenInstanceError):
        one.but(title="other").title = "third"  # type: ignore[misc]
    assert one.title == title


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(TypeError, match="tilte"):
        make_incident().but(tilte="other")
