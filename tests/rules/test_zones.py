"""Time zones: IANA names only, and what was probably meant."""

from time import process_time
from zoneinfo import available_timezones

import pytest

from rules.zones import checked_zone


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Salta", "Etc/GMT+5"])
def test_iana_names_are_taken(name: str) -> None:
    assert checked_zone(name) == name


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CET", "Europe/Berlin"),
        ("cest", "Europe/Berlin"),
        ("EST", "America/New_York"),
        ("PST", "America/Los_Angeles"),
        ("GMT", "Europe/London"),
        ("utc", "UTC"),
        ("Z", "UTC"),
        ("berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("europe/berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
    ],
)
def test_other_names_are_refused_with_the_zone_that_was_meant(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match="not a time zone") as refused:
        checked_zone(name)
    assert str(refused.value).endswith(f"did you mean `{meant}`?")
    assert meant == "UTC" or meant in available_timezones()


@pytest.mark.parametrize(
    "name", ["", "qqqqqq", "/etc/passwd", "../../etc/passwd", "a/b\0", "Europe/"]
)
def test_hopeless_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a time zone"):
        checked_zone(name)


def test_a_thousand_wrong_zones_are_told_in_good_time() -> None:
    began = process_time()
    for number in range(1_000):
        with pytest.raises(ValueError, match="is not a time zone"):
            checked_zone(f"Nowhere/{number % 20}")
    assert process_time() - began < 5
