"""Dates whose day and month a spreadsheet has exchanged."""

import pytest

from tests.bot.roster.sheets import NOW, read, said, shifts

HEADER = "Start,Primary\n"


def sheet(*starts: str) -> str:
    return HEADER + "".join(f"{start},bo\n" for start in starts)


def test_a_date_that_lost_its_order_is_asked_about() -> None:
    """The third is no date of July: without a word the second would be on call for two weeks."""
    parsed = read(sheet("23/11/2026", "30/11/2026", "2026-07-12", "14/12/2026"))
    (problem,) = parsed.problems
    assert (problem.address, problem.severity, problem.code) == ("A4", "error", "E03")
    assert problem.text == (
        '"2026-07-12" is out of order here, and 2026-12-07 would not be: the spreadsheet may have '
        'exchanged day and month. Write "2026-12-07", or put the row where it belongs.'
    )


@pytest.mark.parametrize(
    "starts",
    [
        ("11/23/2026", "11/30/2026", "2026-07-12", "12/14/2026"),  # month first
        ("2026-12-11", "16/11/2026", "23/11/2026"),  # the first one
        ("23/11/2026", "30/11/2026", "2026-07-12"),  # the last one
        ("30/11/2026", "2026-07-12 09:00", "14/12/2026"),
        ("23/11/2026", "2026-07-12", "2026-08-12", "14/12/2026"),  # 7 and 8 December
    ],
)
def test_each_such_date_is_a_fault(starts: tuple[str, ...]) -> None:
    problems = read(sheet(*starts)).problems
    assert {p.code for p in problems if p.severity == "error"} == {"E03"}


@pytest.mark.parametrize(
    "starts",
    [
        ("23/11/2026", "30/11/2026", "2026-12-07", "14/12/2026"),  # in order
        ("2026-11-23", "2026-07-12", "2026-12-14"),  # nothing says that there were slashes
        ("14/12/2026", "2026-07-12", "23/11/2026"),  # in no order at all
        ("23/11/2026", "2026-07-20", "14/12/2026"),  # there is no month 20
        ("23/11/2026", "2026-12-01", "14/12/2026", "2027-01-04"),  # in order between and after
        ("30/11/2026", "2026-07-07", "14/12/2026"),  # the same either way
        ("30/11/2026", "2026-03-02", "14/12/2026"),  # out of order either way
        ("30/11/2025", "2025-07-12", "14/12/2025"),  # long over
    ],
)
def test_what_may_be_meant_is_no_fault(starts: tuple[str, ...]) -> None:
    assert not [line for line in said(read(sheet(*starts), now=NOW)) if "exchanged" in line]


def test_the_rest_of_the_file_is_read_as_it_stands() -> None:
    parsed = read(sheet("23/11/2026", "30/11/2026", "2026-07-12", "14/12/2026"))
    assert [start for _, start, _, _ in shifts(parsed)][:2] == ["11-23 09:00", "11-30 09:00"]
