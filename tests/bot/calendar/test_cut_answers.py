"""An answer that ends in the middle is no answer, and is asked for again later."""

import pytest

from bot.calendar.google import GoogleCalendarApi
from bot.calendar.google_faults import LaterError
from rules.calendar.plan import Act, Operation
from tests.bot.calendar.conftest import TEAM, weeks
from tests.fakes.google_calendar import FakeGoogleCalendar


async def test_a_list_that_is_cut_off_is_tried_later(
    api: GoogleCalendarApi, google: FakeGoogleCalendar
) -> None:
    google.cut_answers = 1
    with pytest.raises(LaterError, match="IncompleteRead"):
        await api.changes(TEAM, "")
    assert (await api.changes(TEAM, "")).whole


async def test_a_write_whose_answer_is_lost_was_sent_once(
    api: GoogleCalendarApi, google: FakeGoogleCalendar
) -> None:
    wanted = weeks("ana")[0]
    google.drop_answers = 2
    with pytest.raises(LaterError, match="ConnectionResetError"):
        await api.write(TEAM, [Operation(Act.INSERT, wanted.id, wanted=wanted)], {})
    assert google.calls["batch"] == 1
