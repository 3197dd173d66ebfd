"""Nights in which Slack alone would not have woken anybody, told as timetables."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.contact.answering import Standing
from bot.ports.contact import Result
from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.ports.jobs import Job
from bot.store.opening import OpenedStore
from rules.contacting.method import Method
from rules.incident import State
from rules.people import Person
from rules.priority import Priority
from rules.rulebook import RuleBook
from tests.fakes.clock import FakeClock
from tests.stories.reached import ANA, BO, DEE, Reached, reaching
from tests.stories.story import PRIMARY, SECONDARY, page, policy

Night = Callable[..., Reached]
LONG = policy(page(PRIMARY, wait=30), page(SECONDARY))


@pytest.fixture
def night(opened_store: OpenedStore, clock: FakeClock) -> Night:
    def begin(book: RuleBook | None = None) -> Reached:
        return Reached(opened_store, clock, book or reaching(steps=LONG))

    return begin


def refuses(why: str) -> Callable[[], None]:
    def fault() -> None:
        raise GiveUpError(why)

    return fault


def fails(why: str) -> Callable[[], None]:
    def fault() -> None:
        raise RetryLaterError(why)

    return fault


async def test_a_page_by_dm_an_email_a_call_and_a_key_that_stops_it(night: Night) -> None:
    story = night()
    await story.fires()
    await story.after(minutes=5)
    assert story.timetable() == [
        "03:00:00 Ana by slack",
        "03:02:00 Ana by email",
        "03:05:00 Ana by voice",
    ]
    answered = await story.presses()
    assert answered.standing is Standing.YOURS
    incident = await story.incident()
    assert (incident.state, incident.acked_by) == (State.ACKNOWLEDGED, "ana")
    assert story.sent("show_page"), "the direct message says that it is acknowledged"
    await story.after(hours=2)
    assert story.timetable() == []
    assert await story.story() == [
        "03:00:00 Until ana answers: Slack, e-mail after 2 min, phone call after 5 min.",
        "03:00:00 The page reached ana.",
        "03:02:00 The page went to ana by e-mail.",
        "03:05:00 The page went to ana by phone call.",
        "03:05:00 ana acknowledged it by phone call.",
    ]
    assert await story.ledger() == [
        "03:00:00 slack sent",
        "03:02:00 email sent",
        "03:05:00 voice sent",
    ]


async def test_a_click_in_slack_stops_what_was_still_to_come(night: Night) -> None:
    story = night()
    await story.fires()
    await story.after(minutes=1, seconds=59)
    await story.does("ana", "acked")
    await story.after(hours=1)
    assert story.timetable() == ["03:00:00 Ana by slack"]


async def test_a_link_acknowledges_once_however_often_it_is_clicked(night: Night) -> None:
    story = night()
    await story.fires()
    await story.after(minutes=2)
    assert (await story.clicks()).standing is Standing.YOURS
    assert (await story.clicks()).standing is Standing.YOURS
    incident = await story.incident()
    await story.does("bo", "resolved")
    assert (await story.clicks()).standing is Standing.RESOLVED
    acked = [line for line in await story.story() if "acknowledged" in line]
    assert acked == ["03:02:00 ana acknowledged it by e-mail."]
    assert incident.acked_by == "ana"


async def test_who_comes_second_is_told_who_has_it(night: Night) -> None:
    story = night()
    await story.fires()
    await story.after(minutes=2)
    await story.does("bo", "acked")
    answered = await story.clicks()
    assert (answered.standing, answered.by) == (Standing.TAKEN, "Bo")
    assert (await story.incident()).acked_by == "bo"


async def test_a_late_answer_does_not_take_what_somebody_snoozed(night: Night) -> None:
    story = night(reaching(steps=policy(page(PRIMARY, SECONDARY, wait=30))))
    await story.fires()
    await story.after(minutes=2)
    until = story.clock.now() + timedelta(hours=2)
    await story.does("ana", "snoozed", until=until)
    mailed = [by for by, one in story.summonses if one.person == "Bo"]
    assert mailed == [Method.EMAIL]
    at = next(n for n, (_, one) in enumerate(story.summonses) if one.person == "Bo")
    answered = await story.clicks(at=at)
    assert (answered.standing, answered.by) == (Standing.TAKEN, "Ana")
    incident = await story.incident()
    assert (incident.acked_by, incident.snoozed_until) == ("ana", until)


async def test_what_was_handed_back_can_be_taken_again_by_the_new_message(night: Night) -> None:
    story = night()
    await story.fires()
    await story.after(minutes=2)
    await story.clicks()
    await story.does("ana", "unacked")
    await story.after(minutes=2)
    paged, mailed = story.timetable()[-2:]
    assert (paged[:7], paged[9:]) == ("03:02:0", "Ana by slack")
    assert mailed == "03:04:00 Ana by email"
    assert (await story.clicks()).standing is Standing.YOURS


async def test_while_slack_is_down_people_are_reached_at_once_and_it_is_told_later(
    night: Night,
) -> None:
    story = night()
    story.slack_is_down(minutes=60)
    await story.fires()
    assert story.timetable() == ["03:00:00 Ana by email"]
    await story.after(minutes=1)
    assert (await story.clicks()).standing is Standing.YOURS
    await story.after(minutes=58)
    assert story.slack.sent == []
    assert (await story.incident()).acked_by == "ana"
    await story.after(minutes=20)
    assert story.timetable() == [], "nobody is paged for what is acknowledged"
    assert story.sent("show"), "the channel shows it as it is"
    assert story.said() == [
        "Slack did not reach ana: Slack had trouble: 503. Now by e-mail.",
    ]
    lines = await story.story()
    assert "03:00:00 The page went to ana by e-mail." in lines
    assert "03:01:00 ana acknowledged it by e-mail." in lines


async def test_while_slack_is_down_the_rest_of_the_order_keeps_its_time(night: Night) -> None:
    story = night()
    story.slack_is_down(minutes=60)
    await story.fires()
    await story.after(minutes=20)
    assert story.timetable() == ["03:00:00 Ana by email", "03:05:00 Ana by voice"]
    await story.after(minutes=60)
    late = [line for line in story.timetable() if line.endswith("Ana by slack")]
    assert len(late) == 1
    assert late[0].startswith("04:0")


async def test_a_slack_that_cannot_be_reached_lets_everybody_who_waits_go(night: Night) -> None:
    story = night(reaching(steps=policy(page(PRIMARY, SECONDARY, wait=30))))

    def unreachable(job: Job) -> None:
        if job.payload.get("person") != "bo":
            raise RetryLaterError("cannot reach Slack", whole_lane=True)

    story.slack.fault = unreachable
    await story.fires("one")
    await story.fires("two")
    await story.fires("three")
    await story.after(seconds=3)  # one lane lets one go a second
    found = [line for line in story.timetable() if "Ana by email" in line]
    assert found == ["03:00:00 Ana by email", "03:00:01 Ana by email", "03:00:02 Ana by email"]


@pytest.mark.parametrize(("seconds", "reached"), [(5, "slack"), (300, "email")])
async def test_a_short_429_is_waited_for_and_a_long_one_is_not(
    night: Night, seconds: int, reached: str
) -> None:
    story = night()
    end = story.clock.now() + timedelta(seconds=seconds)

    def throttled(_: Job) -> None:
        if story.clock.now() < end:
            raise RetryLaterError("wait", after=timedelta(seconds=seconds), throttled=True)

    story.slack.fault = throttled
    await story.fires()
    await story.after(seconds=30)
    assert [line.partition(" ")[2] for line in story.timetable()] == [f"Ana by {reached}"]


async def test_a_refused_email_lets_the_call_go_at_once(night: Night) -> None:
    story = night()
    story.phones[Method.EMAIL].fault = refuses("550 no such mailbox")
    await story.fires()
    await story.after(minutes=2)
    assert story.timetable() == ["03:00:00 Ana by slack", "03:02:00 Ana by voice"]
    told = "E-mail did not reach ana: 550 no such mailbox. Now by phone call."
    assert f"03:02:00 {told}" in await story.story()
    assert told in story.said()
    assert (await story.ledger())[1] == "03:02:00 email failed: 550 no such mailbox"


async def test_an_email_in_trouble_is_tried_again_and_the_call_does_not_wait(night: Night) -> None:
    story = night()
    story.phones[Method.EMAIL].fault = fails("451 try again")
    await story.fires()
    await story.after(minutes=2, seconds=30)
    found = story.timetable()
    assert found[0] == "03:00:00 Ana by slack"
    assert found[1].endswith("Ana by voice")
    assert found[1] < "03:02:10"
    story.phones[Method.EMAIL].fault = lambda: None
    await story.after(minutes=3)
    assert [line.partition(" ")[2] for line in story.timetable()] == ["Ana by email"]


async def test_a_person_whom_slack_does_not_know_is_reached_all_the_same(night: Night) -> None:
    story = night()

    def unknown(job: Job) -> None:
        if job.kind == "page":
            raise GiveUpError("Slack knows nobody with this e-mail")

    story.slack.fault = unknown
    await story.fires()
    assert story.timetable() == ["03:00:00 Ana by email"]
    assert (await story.incident()).step == 1, "the policy does not go on: Ana may answer"
    await story.after(minutes=29)
    assert story.timetable() == ["03:05:00 Ana by voice"]
    await story.after(minutes=1)
    assert (await story.incident()).step == 2


async def test_when_nothing_works_the_policy_goes_on_at_once(night: Night) -> None:
    story = night()

    def nobody_home(job: Job) -> None:
        if job.payload.get("person") == "ana" and job.kind == "page":
            raise GiveUpError("her account is closed")

    story.slack.fault = nobody_home
    for method in (Method.EMAIL, Method.VOICE):
        story.phones[method].fault = refuses("unknown here")
    await story.fires()
    assert story.timetable() == ["03:00:00 Bo by slack"]
    await story.after(seconds=10)
    assert any("ana could not be paged" in line for line in story.said())


async def test_a_call_that_nobody_answers_lets_the_next_method_go(night: Night) -> None:
    story = night(reaching(steps=LONG, order="voice 1m, sms 10m"))
    await story.fires()
    await story.after(minutes=1)
    _, call = story.summonses[-1]
    assert call.status_url
    assert await story.tells_later("voice-1", Result.UNANSWERED, "nobody answered the call")
    assert story.timetable()[1:] == ["03:01:00 Ana by sms", "03:01:00 Ana by voice"]
    assert not await story.tells_later("voice-9", Result.FAILED, "x")
    assert "03:01:00 voice unanswered: nobody answered the call" in await story.ledger()
    again = await story.tells_later("voice-1", Result.UNANSWERED, "nobody answered the call")
    assert again, "told twice"
    assert sum("nobody answered" in line for line in await story.story()) == 1


async def test_a_call_that_nobody_answers_is_the_end_of_a_page_that_slack_refused(
    night: Night,
) -> None:
    story = night(reaching(steps=LONG, order="voice 1m"))

    def nobody_home(job: Job) -> None:
        if job.payload.get("person") == "ana" and job.kind == "page":
            raise GiveUpError("her account is closed")

    story.slack.fault = nobody_home
    await story.fires()
    assert story.timetable() == ["03:00:00 Ana by voice"]
    await story.after(seconds=30)
    assert await story.tells_later("voice-1", Result.UNANSWERED, "nobody answered the call")
    await story.after(seconds=1)
    assert [line[9:] for line in story.timetable()][:1] == ["Bo by slack"]
    assert any("ana could not be paged" in line for line in story.said())


async def test_a_call_that_rang_while_it_was_acknowledged_is_not_told_in_the_thread(
    night: Night,
) -> None:
    story = night(reaching(steps=LONG, order="voice 1m"))
    await story.fires()
    await story.after(minutes=1)
    await story.does("ana", "acked")
    assert await story.tells_later("voice-1", Result.UNANSWERED, "nobody answered the call")
    await story.after(minutes=1)
    assert not any("did not reach" in line for line in story.said())
    told = "Phone call did not reach ana: nobody answered the call."
    assert any(told in line for line in await story.story()), "the timeline keeps it"


async def test_a_reply_to_a_text_message_acknowledges(night: Night) -> None:
    story = night(reaching(steps=LONG, order="sms 1m"))
    await story.fires()
    await story.after(minutes=1)
    _, text = story.summonses[-1]
    wrong = "111111" if text.code != "111111" else "222222"
    assert await story.replies.hear(ANA.phone, wrong) == (
        "That code is not known, or too old. Open Slack to see what is open."
    )
    assert (await story.replies.hear(BO.phone, text.code)).startswith("That code is not known")
    assert (await story.replies.hear("+4999999999", text.code)).startswith("This number is nobody")
    assert (await story.replies.hear(ANA.phone, "hello")).startswith("Reply with the six digits")
    assert await story.state() is State.TRIGGERED
    told = await story.replies.hear(ANA.phone, f" {text.code}\nok")
    assert told == "#1 is yours. Nobody else is called."
    assert "03:01:00 ana acknowledged it by text message." in await story.story()


async def test_pushover_is_asked_until_it_was_acknowledged_there(night: Night) -> None:
    story = night(reaching(replace(ANA, pushover="u" * 30), BO, DEE, steps=LONG, order="pushover"))
    await story.fires()
    pushover = story.phones[Method.PUSHOVER]
    await story.after(minutes=2)
    assert 5 <= pushover.asked <= 15
    pushover.acknowledged_at["pushover-1"] = True
    await story.after(seconds=11)
    assert (await story.incident()).acked_by == "ana"
    assert any("acknowledged it by Pushover" in line for line in await story.story())
    asked = pushover.asked
    await story.after(minutes=5)
    assert pushover.asked == asked


async def test_pushover_is_silenced_when_somebody_answers_elsewhere(night: Night) -> None:
    story = night(reaching(replace(ANA, pushover="u" * 30), BO, DEE, steps=LONG, order="pushover"))
    await story.fires()
    await story.does("bo", "acked")
    await story.after(seconds=11)
    assert story.phones[Method.PUSHOVER].cancelled == [story.summonses[0][1].key]


async def test_who_is_asked_for_help_is_called_until_they_do_something(night: Night) -> None:
    story = night()
    await story.fires()
    await story.does("ana", "acked")
    await story.does("ana", "looped_in", person="bo")
    await story.after(minutes=2)
    assert story.timetable()[-1] == "03:02:00 Bo by email"
    answered = await story.clicks()
    assert (answered.standing, answered.by) == (Standing.ASKED, "Ana")
    await story.after(minutes=30)
    assert story.timetable() == [], "Bo is awake"


async def test_a_call_for_help_that_nobody_answers_is_told_to_who_asked(night: Night) -> None:
    story = night(reaching(steps=LONG, order="voice 1m"))
    await story.fires()
    await story.does("ana", "acked")
    await story.does("ana", "looped_in", person="bo")
    await story.after(minutes=1)
    assert await story.tells_later("voice-1", Result.UNANSWERED, "nobody answered the call")
    await story.after(minutes=1)
    assert any("did not reach" in line for line in story.said())


async def test_who_is_asked_for_help_and_answers_in_slack_is_not_rung_by_pushover_any_more(
    night: Night,
) -> None:
    loud = [replace(one, pushover=letter * 30) for one, letter in ((BO, "b"), (DEE, "d"))]
    story = night(reaching(ANA, *loud, steps=LONG, order="pushover"))
    await story.fires()
    await story.does("ana", "acked")
    await story.does("ana", "looped_in", person="bo")
    await story.does("ana", "looped_in", person="dee")
    await story.after(seconds=30)
    pushover = story.phones[Method.PUSHOVER]
    assert pushover.cancelled == []
    await story.does("bo", "acked")
    await story.after(seconds=11)
    whose = {summons.key: summons.person for _, summons in story.summonses}
    assert [whose[key] for key in pushover.cancelled] == ["Bo"]
    asked = pushover.asked
    await story.after(minutes=1)
    assert pushover.asked > asked, "Dee is still waited for"


async def test_who_helps_with_what_is_snoozed_does_not_take_it(night: Night) -> None:
    story = night()
    await story.fires()
    until = story.clock.now() + timedelta(hours=2)
    await story.does("ana", "snoozed", until=until)
    await story.does("ana", "looped_in", person="bo")
    await story.after(minutes=2)
    assert (await story.clicks()).standing is Standing.ASKED
    assert story.timetable()[-1].endswith("Bo by email")
    await story.after(minutes=30)
    assert story.timetable() == [], "Bo is awake"
    incident = await story.incident()
    assert (incident.acked_by, incident.snoozed_until) == ("ana", until)


async def test_what_is_handed_to_somebody_wakes_nobody_else_any_more(night: Night) -> None:
    loud = replace(ANA, pushover="a" * 30)
    story = night(reaching(loud, BO, DEE, steps=LONG, order="pushover, email 2m, voice 5m"))
    await story.fires()
    await story.after(minutes=1)
    await story.does("bo", "reassigned", person="dee")
    story.timetable()
    await story.after(minutes=10)
    assert [line[9:] for line in story.timetable()] == ["Dee by email"]
    assert story.phones[Method.PUSHOVER].cancelled == [story.summonses[0][1].key]
    assert (await story.clicks()).standing is Standing.YOURS
    assert (await story.incident()).acked_by == "dee"


async def test_what_is_resolved_calls_nobody_any_more(night: Night) -> None:
    story = night()
    await story.fires()
    await story.does("ana", "acked")
    await story.does("ana", "looped_in", person="bo")
    await story.does("ana", "resolved")
    await story.after(hours=1)
    assert not any("Bo by email" in line for line in story.timetable())


async def test_each_step_of_the_policy_reaches_its_own_people(night: Night) -> None:
    story = night(reaching(steps=policy(page(PRIMARY, wait=3), page(SECONDARY, wait=30))))
    await story.fires()
    await story.after(minutes=8)
    assert story.timetable() == [
        "03:00:00 Ana by slack",
        "03:02:00 Ana by email",
        "03:03:00 Bo by slack",
        "03:05:00 Ana by voice",
        "03:05:00 Bo by email",
        "03:08:00 Bo by voice",
    ]


@pytest.mark.parametrize(("own", "emails"), [("low", 1), ("high", 0)])
async def test_what_is_less_urgent_may_only_be_written_in_slack(
    night: Night, own: str, emails: int
) -> None:
    story = night(reaching(steps=LONG, order=f"email 2m; {own}: slack"))
    await story.fires()
    assert (await story.incident()).priority is Priority.P2, "that is of high urgency"
    await story.after(minutes=20)
    assert sum("email" in line for line in story.timetable()) == emails


async def test_a_restart_neither_loses_nor_repeats_a_step(night: Night) -> None:
    story = night()
    await story.fires()
    await story.after(minutes=1)
    await story.down(minutes=3)
    await story.after(minutes=1)
    assert story.timetable() == [
        "03:00:00 Ana by slack",
        "03:04:00 Ana by email",
        "03:05:00 Ana by voice",
    ]


async def test_a_call_that_could_not_be_made_does_not_keep_its_own_line_busy(night: Night) -> None:
    story = night(reaching(steps=LONG, order="voice 1m"))
    story.phones[Method.VOICE].fault = fails("Twilio answered 503")
    await story.fires()
    await story.after(minutes=1, seconds=1)
    story.phones[Method.VOICE].fault = lambda: None
    await story.after(seconds=10)
    assert [line for line in story.timetable() if line.endswith("voice")]


async def test_many_incidents_are_one_call_after_another_and_one_key_takes_them_all(
    night: Night,
) -> None:
    story = night(reaching(steps=LONG, order="voice 1m"))
    for number in range(4):
        await story.fires(f"table-{number}")
    await story.after(minutes=2)
    calls = [line for line in story.timetable() if line.endswith("voice")]
    assert calls == ["03:01:00 Ana by voice", "03:01:45 Ana by voice"]
    assert [one.others for _, one in story.summonses] == [3, 3]
    assert not any("voice trouble" in line for line in await story.ledger())
    assert await story.presses_2("ana") == 4
    await story.after(minutes=10)
    assert story.timetable() == [], "nobody is called for what is taken"
    for number in range(1, 5):
        assert (await story.incident(number)).acked_by == "ana"


async def test_somebody_without_an_address_is_only_written_to_in_slack(night: Night) -> None:
    story = night(reaching(Person("ana", "Ana", slack="U1"), BO, DEE, steps=LONG))
    await story.fires()
    await story.after(minutes=20)
    assert story.timetable() == ["03:00:00 Ana by slack"]
