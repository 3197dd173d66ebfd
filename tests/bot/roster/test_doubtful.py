"""E-mails with a slip of the pen in them."""

import pytest

from tests.bot.roster.books import NOW, lines, read_tabs

PEOPLE = (
    "Name,E-mail\nAna Ruiz,ana.ruiz@example.com\nBo Chen,bo@example.com\nDee,dee@partner.example\n"
)


def said(written: str, tab: str = "Shifts") -> list[str]:
    tabs = {
        "Shifts": f"Start,End,Person\n2026-11-16,2026-11-29,{written}\n",
        "Rotations": f'Rotation,Order,Start\ndata,"bo, {written}",2026-11-16\n',
        "Overrides": f"Start,End,Person\n2026-11-23,2026-11-24,{written}\n",
    }
    base = {"People": PEOPLE, "Rotations": "Rotation,Order,Start\ndata,bo@example.com,2026-11-16\n"}
    return lines(read_tabs({**base, tab: tabs[tab]}).problems)


@pytest.mark.parametrize(
    ("tab", "cell"),
    [("Shifts", "Shifts!C2"), ("Rotations", "Rotations!B2"), ("Overrides", "Overrides!C2")],
)
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ana.ruiz@exmaple.com", "ana.ruiz@example.com"),
        ("ana.riuz@example.com", "ana.ruiz@example.com"),
        ("ana.ruis@example.com", "ana.ruiz@example.com"),
        ("bo@example.co", "bo@example.com"),
    ],
)
def test_an_e_mail_that_is_nearly_somebodys_is_told(
    tab: str, cell: str, written: str, meant: str
) -> None:
    assert said(written, tab) == [
        (
            f'warning {cell}: nobody has the e-mail "{written}". Nearest: "{meant}". It counts as a new '
            "person's; correct it, or add them to people."
        )
    ]


@pytest.mark.parametrize(
    "written",
    [
        "jo@example.com",
        "ana.ruiz@example.com",
        "new.colleague@example.com",
        "ana.ruiz@partner.example",
    ],
)
def test_who_is_simply_new_is_no_slip_of_the_pen(written: str) -> None:
    assert said(written) == []


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("Secundary", True),
        ("Shadow", True),  # told, and yet it counts
        ("", False),
        ("Primary on-call", False),
        ("Zweite", False),
    ],
)
def test_an_override_of_a_role_that_the_rotation_has_not_is_told(role: str, told: bool) -> None:
    tabs = {
        "Rotations": (
            "Rotation,Role,Order,Start\ndata,Primary,ana,2026-11-16\ndata,Secondary,bo,2026-11-16\n"
            "data,Zweite,cy,2026-11-16\n"
        ),
        "Overrides": (
            "Start,End,Person,Role\n"
            f"2026-11-23,2026-11-24,cy,{role}\n2026-11-02,2026-11-03,cy,{role}\n"
        ),
    }
    read = read_tabs(tabs)
    text = (
        f'warning Overrides!C2: data has no role "{role.lower()}" besides this row, which changes '
        "nothing about primary, secondary, zweite. Correct Role, unless that is meant."
    )
    assert lines(read.problems) == ([text] if told else [])
    assert len(read.plans["data"].overrides) == 2


def test_what_is_over_needs_no_correction() -> None:
    tabs = {
        "People": PEOPLE,
        "Shifts": "Start,End,Person\n2026-11-02,2026-11-08,bo@example.co\n2026-11-16,2026-11-29,bo\n",
    }
    assert read_tabs(tabs, now=NOW).problems == ()
