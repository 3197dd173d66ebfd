"""Whatever the tabs hold, reading ends in plans that resolve, or in messages on one line."""

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bot.roster.book import TABS
from bot.roster.outlook import outlook
from bot.roster.table import TableError
from rules.schedule.override_merge import merged
from rules.schedule.resolution import on_call
from rules.schedule.roster import LOOK_AHEAD, Schedule
from tests.bot.roster.books import NOW, read_tabs, text_of

HEADERS = {
    "Rotations": ["Rotation", "Role", "Order", "Every", "Hand-off", "Time zone", "Start", "From",
                  "Until", "Layer", "Days", "Hours", "Skip", "Holidays", "Advances on", "Stand-in",
                  "Fallback"],
    "Shifts": ["Rotation", "Role", "Start", "End", "Person"],
    "People": ["Name", "E-mail", "Slack", "Time zone", "Weight", "Active"],
    "Overrides": ["Id", "Rotation", "Role", "Start", "End", "Person", "Instead of", "Kind", "By",
                  "Created", "State"],
    "Away": ["Person", "From", "To", "Kind"],
    "Holidays": ["Date", "Name", "Where"],
}  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(
        ["", "data", "web", "primary", "secondary", "ana", "bo, cy", "ana + bo", "-", "Zed", "Sam",
         "2026-11-16", "2026-11-20 09:00", "2026-11-23", "24:00", "2099-12-31", "2000-01-01",
         "9999-12-31", "03/04/2026", "1 week", "366 months", "12 h", "Mon 09:00", "24:00", "UTC",
         "Europe/Berlin", "CET", "1", "99", "-99", "1e400", "nan", "50%", "mon-fri", "sun-mon",
         "22:00-06:00", "00:00-24:00", "off", "only DE", "active", "cancelled", "remove", "add",
         "2026-12-24, 2026-12-25", "#REF!", "<@U1>", "x@y.zz", "'" * 300, "9" * 400]
    ),
    st.text(max_size=6),
)  # fmt: skip
TAB = st.lists(st.lists(CELLS, min_size=1, max_size=17), max_size=5)


@given(st.fixed_dictionaries(dict.fromkeys(HEADERS, TAB)))
@examples(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_the_tabs_hold_is_plans_or_problems(tabs: dict[str, list[list[str]]]) -> None:
    cleaned = {
        name: text_of([HEADERS[name], *([c.replace("\0", "") for c in row] for row in rows)])
        for name, rows in tabs.items()
    }
    try:
        read = read_tabs(cleaned)
    except TableError:  # which says so: a quotation mark that is never closed ends a tab's text
        return
    assert all("\n" not in str(problem) for problem in read.problems)
    assert read.plans or read.problems
    schedule = Schedule(plans=tuple(read.plans.values()), people=read.people)
    answer = on_call(schedule, NOW, NOW + LOOK_AHEAD, whole=True)
    assert set(answer.rotations) <= set(read.plans)
    assert all("\n" not in str(problem) for problem in outlook(schedule, NOW))
    overrides = [override for plan in schedule.plans for override in plan.overrides]
    assert merged(schedule.plans, overrides, NOW)[1:] == ((), ())


@given(st.dictionaries(st.sampled_from([*TABS, "x", "Sheet1"]), TAB, min_size=1, max_size=4))
@examples(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_is_no_roster_says_so(tabs: dict[str, list[list[str]]]) -> None:
    texts = {
        name: text_of([[c.replace("\0", "") for c in row] for row in rows] or [["-"]])
        for name, rows in tabs.items()
    }
    read = read_tabs({name: text if text.strip() else "-" for name, text in texts.items()})
    assert read.plans or read.problems
