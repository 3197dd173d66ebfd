"""How people are reached, as the People tab says it; what cannot be read loses nobody."""

from rules.contacting.method import Method, read_order
from rules.priority import Urgency
from tests.bot.roster.books import lines, read_tabs

SHIFTS = "Start,End,Person\n2026-11-16,2026-11-20,Dee Novak\n"


def test_addresses_and_an_order_are_columns() -> None:
    tabs = {
        "People": (
            "Name,E-mail,Phone,Pushover,ntfy,Webhook,Contact\n"
            f'Dee Novak,dee@example.com,+420 601 234 567,{"u" * 30},dee-1,pager,"email 1m, call 3m"\n'
            "Ana Ruiz,ana@example.com,,,,,\n"
        ),
        "Shifts": SHIFTS,
    }
    read = read_tabs(tabs)
    assert read.problems == ()
    dee = read.people.by_key("dee@example.com")
    assert (dee.phone, dee.pushover, dee.ntfy) == ("+420601234567", "u" * 30, "dee-1")
    assert dee.webhook == "pager"
    steps = read_order(dee.contact).of(Urgency.HIGH)
    assert [step.method for step in steps] == [Method.EMAIL, Method.VOICE]


def test_an_address_that_cannot_be_read_is_left_out_and_told() -> None:
    tabs = {
        "People": (
            "Name,E-mail,Phone,Pushover,ntfy,Contact\n"
            "Dee Novak,dee@example.com,0601 234 567,short,a/b,fax 1m\n"
        ),
        "Shifts": SHIFTS,
    }
    read = read_tabs(tabs)
    told = [line.partition(";")[0] for line in lines(read.problems)]
    assert told == [
        'warning People!C2: "0601 234 567" is no phone number',
        "warning People!D2: a Pushover user key has 30 letters and digits",
        'warning People!E2: "a/b" is no ntfy topic',
        'warning People!F2: "fax" is no contact method',
    ]
    (shift,) = read.plans["data"].shifts
    assert shift.people == ("dee@example.com",)
    assert read.people.by_key("dee@example.com").phone == ""
