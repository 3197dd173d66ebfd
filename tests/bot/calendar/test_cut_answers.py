"""An answer that ends in the middle is no answer, and is asked for again later."""

import pytest

from bot.calendar.google import GoogleCalendarApi
from bot.calendar.google_faults import LaterError
from tests.bot.calendar.conftest import TEAM
from tests.fakes.google_calendar import FakeGoogleCalendar


async def test_a_list_that_is_cut_off_is_tried_later(
    api: GoogleCalendarApi, google: FakeGoogleCalendar
) -> None:
    google.cut_answers = 1
    with pytest.raises(LaterError, match="IncompleteRead"):
        await api.changes(TEAM, "")
    assert (await api.changes(TEAM, "")).whole
