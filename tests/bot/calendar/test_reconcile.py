"""The real Google client against a Google of one's own: what is written, what is left alone."""

from datetime import timedelta

import pytest
from google.oauth2.credentials import Credentials

from bot.calendar.budget import Budget
from bot.calendar.google import GoogleCalendarApi, service_account_file
from bot.calendar.google_faults import LaterError, RefusedError
from bot.calendar.reconcile import Reconciler
from rules.calendar.plan import Act
from tests.bot.calendar.conftest import MON, TEAM, WEEK, weeks
from tests.fakes.clock import FakeClock
from tests.fakes.google_calendar import FakeGoogleCalendar, Fault, RefusalError

YEAR = ["ana", "bo"] * 26


def again(google: FakeGoogleCalendar) -> None:
    google.reset_counts()


async def test_a_year_takes_three_calls_and_then_one(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    report = await reconciler.reconcile(weeks(*YEAR))
    assert google.calls == {"list": 1, "batch": 2}
    assert report.calls == 3
    assert report.writes == {Act.INSERT: 52}
    assert report.events == len(google.calendar().live()) == 52
    event = google.calendar().live()[0]
    assert event["summary"] == "Ana Ruiz · data"
    assert event["transparency"] == "transparent"
    assert "attendees" not in event
    assert event["extendedProperties"]["private"]["owner"] == "watchbill"
    again(google)
    report = await reconciler.reconcile(weeks(*YEAR))
    assert google.calls == {"list": 1}
    assert report.written == 0


async def test_a_swap_of_two_weeks_is_two_updates(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    await reconciler.reconcile(weeks("ana", "bo", "ana"))
    again(google)
    report = await reconciler.reconcile(weeks("bo", "ana", "ana"))
    assert google.calls == {"list": 1, "batch": 1}
    assert google.writes == {"PUT": 2}
    assert report.writes == {Act.UPDATE: 2}
    assert [e["summary"] for e in google.calendar().live()][:2] == [
        "Bo Chen · data",
        "Ana Ruiz · data",
    ]


async def test_a_gone_span_is_deleted_and_its_id_revived(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    await reconciler.reconcile(weeks("ana", "bo"))
    report = await reconciler.reconcile(weeks("ana"))
    assert report.writes == {Act.DELETE: 1}
    assert len(google.calendar().live()) == 1
    report = await reconciler.reconcile(weeks("ana", "cy"))
    assert report.written == 1
    assert google.writes == {"POST": 2, "DELETE": 1, "PUT": 1}
    assert {e["summary"] for e in google.calendar().live()} == {
        "Ana Ruiz · data",
        "Cy Haddad · data",
    }


async def test_an_expired_token_and_lost_state_cause_no_writes(
    reconciler: Reconciler, api: GoogleCalendarApi, google: FakeGoogleCalendar
) -> None:
    await reconciler.reconcile(weeks(*YEAR))
    google.expire_tokens()
    again(google)
    assert (await reconciler.reconcile(weeks(*YEAR))).written == 0
    assert google.calls == {"list": 2}
    again(google)
    clock = FakeClock(MON)
    fresh = Reconciler(api, TEAM, "data", clock=clock, budget=Budget(1_000, clock))
    assert (await fresh.reconcile(weeks(*YEAR))).written == 0
    assert google.calls == {"list": 1}


async def test_short_pages_are_followed_to_the_end(
    reconciler: Reconciler, api: GoogleCalendarApi, google: FakeGoogleCalendar
) -> None:
    await reconciler.reconcile(weeks(*YEAR))
    google.page_size = 10
    again(google)
    clock = FakeClock(MON)
    fresh = Reconciler(api, TEAM, "data", clock=clock, budget=Budget(1_000, clock))
    report = await fresh.reconcile(weeks(*YEAR))
    assert (report.written, report.calls) == (0, 6)


async def test_what_a_person_does_to_our_event_is_undone_but_for_what_is_theirs(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    wanted = weeks("ana", "bo")
    await reconciler.reconcile(wanted)
    google.edit(wanted[0].id, summary="Party", colorId="7", location="Room 1")
    google.remove(wanted[1].id)
    again(google)
    report = await reconciler.reconcile(wanted)
    assert google.calls == {"list": 1, "batch": 1}
    assert google.writes == {"PUT": 2}
    assert report.written == 2
    event = google.calendar().events[wanted[0].id]
    assert (event["summary"], event["colorId"], event["location"]) == (
        "Ana Ruiz · data",
        "7",
        "Room 1",
    )
    google.edit(wanted[0].id, colorId="3")
    assert (await reconciler.reconcile(wanted)).written == 0


async def test_an_event_turned_into_whole_days_or_a_series_is_set_right(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    wanted = weeks("ana", "bo")
    await reconciler.reconcile(wanted)
    google.edit(wanted[0].id, start={"date": "2026-11-23"}, end={"date": "2026-11-24"})
    google.edit(wanted[1].id, recurrence=["RRULE:FREQ=DAILY"])
    assert (await reconciler.reconcile(wanted)).writes == {Act.REPAIR: 2}
    assert "recurrence" not in google.calendar().events[wanted[1].id]
    assert (await reconciler.reconcile(wanted)).written == 0


async def test_peoples_own_events_survive_everything(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    wanted = weeks("ana", "bo")
    await reconciler.reconcile(wanted)
    when = {"start": {"date": "2026-11-23"}, "end": {"date": "2026-11-24"}}
    dentist = {"id": "0dentist", "status": "confirmed", "summary": "Dentist", **when}
    copy = {**google.calendar().events[wanted[0].id], "id": "copied0by0hand"}
    google.answers_are_checked = False
    odd = {"id": "odd00", "status": "confirmed", "start": 7, "extendedProperties": "x"}
    for event in (dentist, copy, odd):
        google.calendar().put(dict(event))
    before = {
        key: dict(google.calendar().events[key]) for key in ("0dentist", "copied0by0hand", "odd00")
    }
    google.expire_tokens()
    await reconciler.reconcile(weeks("bo", "ana", "cy"))
    await reconciler.reconcile([])
    assert {key: google.calendar().events[key] for key in before} == before


async def test_somebody_elses_event_with_our_id_is_told_and_left(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    wanted = weeks("ana", "bo")
    when = {"start": {"date": "2026-11-23"}, "end": {"date": "2026-11-24"}}
    google.calendar().put({"id": wanted[0].id, "status": "confirmed", "summary": "Mine", **when})
    report = await reconciler.reconcile(wanted)
    assert report.writes == {Act.INSERT: 1}
    (problem,) = report.problems
    assert wanted[0].id in problem
    assert google.calendar().events[wanted[0].id]["summary"] == "Mine"


async def test_an_id_deleted_so_long_ago_that_google_forgot_it_is_revived(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    wanted = weeks("ana")
    await reconciler.reconcile(wanted)
    google.purge(wanted[0].id)
    google.expire_tokens()
    report = await reconciler.reconcile(wanted)
    assert google.writes == {"POST": 2, "PUT": 1}
    assert report.written == 1
    assert len(google.calendar().live()) == 1


async def test_an_edit_between_looking_and_writing_is_seen_first(
    api: GoogleCalendarApi, google: FakeGoogleCalendar
) -> None:
    class Meddling(GoogleCalendarApi):
        meddled = False

        async def write(self, calendar, operations, before):
            if not self.meddled and operations[0].act is Act.UPDATE:
                self.meddled = True
                google.edit(operations[0].id, location="Room 2")
            return await super().write(calendar, operations, before)

    clock = FakeClock(MON)
    meddling = Meddling(lambda: Credentials("a-token"), api_url=google.url)
    one = Reconciler(meddling, TEAM, "data", clock=clock, budget=Budget(1_000, clock))
    await one.reconcile(weeks("ana"))
    report = await one.reconcile(weeks("bo"))
    meddling.close()
    assert report.writes == {Act.UPDATE: 1}
    (event,) = google.calendar().live()
    assert (event["summary"], event["location"]) == ("Bo Chen · data", "Room 2")


async def test_an_answer_lost_after_the_commit_leaves_no_double(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    google.drop_answers = 3
    with pytest.raises(LaterError, match="cannot be reached"):
        await reconciler.reconcile(weeks("ana", "bo"))
    google.drop_answers = 0
    again(google)
    assert (await reconciler.reconcile(weeks("ana", "bo"))).written == 0
    assert google.calls == {"list": 1}
    assert len(google.calendar().live()) == 2


async def test_a_crash_between_two_batches_leaves_no_double(
    reconciler: Reconciler, api: GoogleCalendarApi, google: FakeGoogleCalendar
) -> None:
    google.faults.append(Fault("batch", RefusalError(500, "backendError"), after=1))
    with pytest.raises(LaterError):
        await reconciler.reconcile(weeks(*YEAR))
    clock = FakeClock(MON)
    born_again = Reconciler(api, TEAM, "data", clock=clock, budget=Budget(1_000, clock))
    again(google)
    assert (await born_again.reconcile(weeks(*YEAR))).writes == {Act.INSERT: 2}
    assert google.calls == {"list": 1, "batch": 1}
    assert len(google.calendar().live()) == len(google.calendar().events) == 52


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "rateLimitExceeded"),
        (403, "userRateLimitExceeded"),
        (429, "rateLimitExceeded"),
        (503, "backendError"),
    ],
)
@pytest.mark.parametrize("where", ["list", "batch", "write"])
async def test_being_told_to_slow_down_keeps_what_was_done(
    reconciler: Reconciler, google: FakeGoogleCalendar, where: str, status: int, reason: str
) -> None:
    after = {"list": 0, "batch": 1, "write": 30}[where]
    google.faults.append(Fault(where, RefusalError(status, reason, "17"), after=after))
    with pytest.raises(LaterError) as told:
        await reconciler.reconcile(weeks(*YEAR))
    assert told.value.after == timedelta(seconds=17)
    done = len(google.calendar().live())
    assert done == {"list": 0, "batch": 50, "write": 49}[where]
    report = await reconciler.reconcile(weeks(*YEAR))
    assert report.writes == {Act.INSERT: 52 - done}


async def test_a_calendar_that_is_not_shared_says_what_to_do(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    google.calendar().role = "none"
    with pytest.raises(RefusedError, match="Share it with the service account"):
        await reconciler.reconcile(weeks("ana"))
    google.calendar().role = "reader"
    report = await reconciler.reconcile(weeks("ana"))
    assert report.written == 0
    assert "Share it with the service account" in report.problems[0]


async def test_a_spent_quota_is_not_hammered(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    google.faults.append(Fault("list", RefusalError(403, "quotaExceeded")))
    with pytest.raises(RefusedError, match="quotaExceeded"):
        await reconciler.reconcile(weeks("ana"))


@pytest.mark.parametrize("reason", ["quotaExceeded", "dailyLimitExceeded"])
async def test_a_quota_spent_on_writes_is_told_as_what_it_is_and_ends_the_writing(
    reconciler: Reconciler, google: FakeGoogleCalendar, reason: str
) -> None:
    google.faults.append(Fault("write", RefusalError(403, reason), times=100, after=10))
    with pytest.raises(LaterError, match=f"403 {reason}"):
        await reconciler.reconcile(weeks(*YEAR))
    assert len(google.calendar().live()) == 10


async def test_nobody_there_is_for_later() -> None:
    clock = FakeClock(MON)
    api = GoogleCalendarApi(lambda: Credentials("t"), api_url="http://127.0.0.1:9/", timeout=1)
    one = Reconciler(api, TEAM, "data", clock=clock, budget=Budget(10, clock))
    with pytest.raises(LaterError, match="cannot be reached"):
        await one.reconcile(weeks("ana"))
    api.close()


async def test_a_key_that_cannot_be_read_says_which(tmp_path) -> None:
    clock = FakeClock(MON)
    for name, content in {
        "none.json": None,
        "broken.json": "{",
        "other.json": '{"type": "user"}',
    }.items():
        path = tmp_path / name
        if content is not None:
            path.write_text(content)
        api = GoogleCalendarApi(service_account_file(str(path)), api_url="http://127.0.0.1:9/")
        one = Reconciler(api, TEAM, "data", clock=clock, budget=Budget(10, clock))
        with pytest.raises(RefusedError, match=name):
            await one.reconcile(weeks("ana"))
        api.close()


async def test_a_thousand_changes_cost_a_bounded_number_of_calls_and_tell_progress(
    reconciler: Reconciler, google: FakeGoogleCalendar
) -> None:
    day = WEEK / 7
    await reconciler.reconcile(weeks(*["ana"] * 1_000, each=day))
    again(google)
    told: list[tuple[int, int]] = []
    report = await reconciler.reconcile(
        weeks(*["bo"] * 1_000, each=day), lambda done, of: told.append((done, of))
    )
    assert report.writes == {Act.UPDATE: 1_000}
    assert google.calls == {"list": 1, "batch": 20}
    assert told == [(n * 50, 1_000) for n in range(1, 21)]
