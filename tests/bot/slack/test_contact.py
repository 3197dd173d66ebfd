"""What Slack says of how people are reached besides Slack, and when they could not be."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.ports.delivering import MessageRef
from bot.slack.desk import Desk
from bot.slack.duty.answers import answer_people
from bot.slack.duty.readiness import ready_for
from bot.slack.replies import render_home
from bot.slack.scene import root_of
from bot.slack.wording.incident import state_line
from bot.workspace.blockkit import problems
from bot.workspace.state import Workspace
from rules.contacting.contacts import Contacts
from rules.contacting.method import Method, read_order
from rules.people import People, Person
from rules.schedule.reminders import Notice, NoticeKind
from tests.bot.slack import test_shifts
from tests.bot.slack.samples import NOW, incident
from tests.bot.slack.test_shifts import ANA, BO, DAY, DAYS, MINUTE, NINE, Days, span
from tests.fakes.reader import FakeReader

days = test_shifts.days
ORDER = "email 2m, voice 5m; low: email 1h"


def reached(desk: Desk, *people: Person, order: str = ORDER) -> Desk:
    methods = frozenset({Method.EMAIL, Method.VOICE})
    contacts = Contacts(methods, read_order(order), People(people))
    book = replace(desk.rulebook(), contacts=contacts)
    return replace(desk, rulebook=lambda: book)


BO_PERSON = Person(BO, "Bo", BO, phone="+4917012345678")
NOBODY = Person("slack:U0BO0001", "Bo")


async def test_people_are_told_how_somebody_is_reached_and_no_address(desk: Desk) -> None:
    body = await answer_people(reached(desk, BO_PERSON), "bo")
    assert problems(body, surface="message") == []
    shown = str(body["blocks"])
    assert "*Reached*" in shown
    assert "critical, high, medium: Slack, e-mail after 2 min, phone call after 5 min" in shown
    assert "low: Slack, e-mail after 1 h" in shown
    assert "+49" not in shown
    without = await answer_people(desk, "bo")
    assert "Reached" not in str(without)


async def test_several_people_are_told_apart(desk: Desk) -> None:
    body = await answer_people(reached(desk, BO_PERSON), "example")
    assert problems(body, surface="message") == []
    assert "*Bo is reached*" in str(body["blocks"])


async def test_home_says_how_its_reader_is_reached(desk: Desk, workspace: Workspace) -> None:
    user = workspace.person("bo").id
    view = await render_home(reached(desk, BO_PERSON), user)
    assert problems(view, surface="home") == []
    assert "How I am reached" in str(view)
    assert "How I am reached" not in str(await render_home(desk, user))


async def test_who_has_no_other_address_is_told_so_at_home(
    desk: Desk, workspace: Workspace
) -> None:
    view = await render_home(reached(desk, order="voice 5m"), workspace.person("bo").id)
    assert "⚠️ By Slack alone: no other address is known." in str(view)


async def test_a_reminder_says_what_follows_the_direct_message(desk: Desk) -> None:
    notice = Notice(key="k", kind=NoticeKind.REMINDER, start=NINE, end=NINE + DAY,
                    person=BO, rotation="data", role="primary")  # fmt: skip
    lines = await ready_for(reached(desk, BO_PERSON, order="email 2m"), notice)
    assert "✅ Until you answer: Slack, e-mail after 2 min." in lines
    alone = await ready_for(reached(desk, BO_PERSON, order="pushover"), notice)
    assert any("If Slack is down nobody can wake you" in line for line in alone)


def reach(days: Days, people: People, order: str, trouble: str = "") -> None:
    contacts = Contacts(frozenset({Method.EMAIL, Method.VOICE}), read_order(order), people)
    book = replace(days.desk.rulebook(), contacts=contacts)
    days.desk = replace(days.desk, rulebook=lambda: book)
    days.restart()
    days.duties._parts = replace(
        days.duties._parts, contacts=lambda: contacts, slack_trouble=lambda _: trouble
    )


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("", "Bo is primary of data from"),
        ("the account is closed", "cannot be reached by any method"),
    ],
)
async def test_who_could_not_be_woken_is_told_days_before_and_once(
    days: Days, trouble: str, words: str
) -> None:
    people = People([Person(ANA, "Ana", ANA, phone="+4917012345678")])
    days.writes(DAYS[0], span(NINE + DAY, NINE + 2 * DAY, BO))
    reach(days, people, "voice 2m", trouble)
    await days.until(days.clock.now() + 5 * MINUTE, step=timedelta(minutes=1))
    told = [text for text in days.got("others") if "reached" in text]
    assert len(told) == 1
    assert words in told[0]
    assert "tab People" in told[0]
    await days.until(NINE, step=timedelta(hours=1))
    assert len([text for text in days.got("others") if "reached by" in text]) == 1


async def test_whom_only_slack_does_not_know_is_said_to_be_reached_otherwise(days: Days) -> None:
    days.writes(DAYS[0], span(NINE, NINE + DAY, "nobody@example.com"))
    reach(days, People(), "email 2m")
    await days.until(NINE - 30 * MINUTE)
    (told,) = [text for text in days.got("others") if "cannot be paged" in text]
    assert "cannot be paged in Slack" in told
    assert "Pages go by e-mail alone." in told


async def test_the_channel_tells_by_what_people_were_reached(
    desk: Desk, reader: FakeReader
) -> None:
    def ref(role: str, where: str, ts: str, who: str) -> MessageRef:
        return MessageRef(role, where, ts, who, "k")

    paged = incident(paged=(ANA, BO, "cy@example.com"))
    reader.put(paged)
    reader.placed[paged.id] = [
        ref("page", "D1", f"{NOW.timestamp():.6f}", ANA),
        ref("contact", "email", "<1@x>", ANA),
        ref("contact", "voice", "CA1", ANA),
        ref("contact", "email", "<2@x>", BO),
    ]
    scene, messages = await desk.scene(paged)
    line = str(state_line(scene))
    assert "Ana paged <!date^" in line
    assert "> and by e-mail, phone call, Bo paged by e-mail, paging Cy." in line
    assert root_of(messages) is None
