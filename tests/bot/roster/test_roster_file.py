import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.roster.acceptance import Loaded
from bot.roster.roster import Roster, RosterFile
from bot.roster.settings import RosterSettings
from rules.schedule.reminders import gap_warnings
from rules.schedule.roster import Override
from rules.schedule.who import find_rotation, who
from tests.bot.roster.sheets import PEOPLE, settings

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
HEADER = "Week of,Primary\n"
GOOD = HEADER + "2026-11-16,ana ruiz\n2026-11-23,bo\n2026-11-30,cy\n"
OTHER = HEADER + "2026-11-16,bo\n2026-11-23,cy\n2026-11-30,ana ruiz\n"
BROKEN = HEADER + "2026-11-16,bo\n2026-11-32,cy\n"
WRITE = 'Write it as "2026-11-16" or "2026-11-16 09:00".'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "roster.csv"


def roster_file(path: Path, *, last_good: bool = False) -> RosterFile:
    kept = path.parent / "state" / "last-good.json" if last_good else None
    return RosterFile(path, PEOPLE, settings(), last_good=kept)


def primary(file: RosterFile, now: datetime = NOW, rotation: str = "default") -> str:
    people = Roster(file).on_call((), now).at(rotation, "primary", now)
    return " ".join(key.split("@")[0] for key in people)


def errors(loaded: Loaded) -> list[str]:
    return [str(problem) for problem in loaded.errors]


def write(path: Path, text: str) -> None:
    """Write anew under another inode, so that a look sees a change whatever the time."""
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(path)


def test_a_good_file_is_in_force(path: Path) -> None:
    path.write_text(GOOD)
    loaded = roster_file(path).load(NOW)
    assert loaded.problems == ()
    assert len(loaded.rows) == 3
    assert len(loaded.version) == 12
    assert loaded.zones == {"default": "UTC"}


def test_a_broken_version_is_refused_whole_and_the_last_good_one_stays(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    write(path, BROKEN)
    loaded = file.load(NOW + timedelta(hours=1))
    assert primary(file) == "ana"
    assert loaded.refused == ("default",)
    assert [str(problem) for problem in loaded.problems] == [
        f'A3: "2026-11-32" is not in the calendar. {WRITE}',
        "default keeps its version of 2026-11-18 12:00 UTC.",
    ]
    write(path, OTHER)
    assert file.load(NOW).refused == ()
    assert primary(file) == "bo"


def test_one_rotation_is_refused_while_the_other_moves_on(path: Path) -> None:
    header = "Rotation,Start,Who\n"
    path.write_text(header + "data,2026-11-16,ana ruiz\nweb,2026-11-16,bo\n")
    file = roster_file(path)
    file.load(NOW)
    write(path, header + "data,16 November,bo\nweb,2026-11-16,cy\n")
    assert file.load(NOW).refused == ("data",)
    assert primary(file, rotation="data") == "ana"
    assert primary(file, rotation="web") == "cy"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "roster.csv: the file is empty. Write the roster again, or restore it."),
        ("Week of\n", "A1: no column for the start."),
        (HEADER, "A2: no row below the header. Write at least one shift."),
        (GOOD[:-18], "roster.csv: the file stops in the middle of a row. Save it again."),
        ('Week of,Primary\n2026-11-16,"bo', "roster.csv: the row that begins in line 2"),
    ],
)
def test_an_empty_or_truncated_file_changes_nothing(path: Path, text: str, message: str) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    before = file.load(NOW)
    write(path, text)
    after = file.load(NOW)
    assert after.rows == before.rows
    assert after.refused == ("default",)
    assert errors(after)[0].startswith(message)


def test_shortening_the_last_cell_is_no_truncation(path: Path) -> None:
    path.write_text(HEADER + "2026-11-16,bo\n2026-11-23,Cy Haddad")
    file = roster_file(path)
    file.load(NOW)
    write(path, HEADER + "2026-11-16,bo\n2026-11-23,Cy")
    assert file.load(NOW).problems == ()


def test_a_missing_file_changes_nothing(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    path.unlink()
    assert errors(file.load(NOW)) == [
        "roster.csv: the file cannot be read: No such file or directory."
    ]
    assert primary(file) == "ana"


def test_an_unknown_kind_of_file_says_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "roster.doc").write_text(GOOD)
    loaded = RosterFile(tmp_path / "roster.doc", PEOPLE, RosterSettings()).load(NOW)
    assert errors(loaded) == [
        "roster.doc: files that end in '.doc' are not read; use .csv, .tsv, .txt, .xlsx."
    ]


def test_losing_all_cover_of_two_weeks_is_held_until_confirmed(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    write(path, HEADER + "2026-12-07,bo\n")
    held = file.load(NOW + timedelta(hours=1))
    assert held.held == held.refused == ("default",)
    assert errors(held) == [
        (
            "roster.csv: the new version would leave default without anybody for the next 14 days, "
            "which the version of 2026-11-18 12:00 UTC covers. Held; confirm it or fix the file."
        )
    ]
    assert primary(file) == "ana"
    confirmed = file.confirm(NOW + timedelta(hours=2))
    assert confirmed.held == ()
    assert primary(file, NOW + timedelta(hours=2)) == ""
    assert primary(file, NOW + timedelta(hours=1)) == "ana"


def test_a_rotation_that_vanishes_is_held_and_the_rest_goes_on(path: Path) -> None:
    header = "Rotation,Start,Who\n"
    path.write_text(header + "data,2026-11-16,ana ruiz\nweb,2026-11-16,bo\n")
    file = roster_file(path)
    file.load(NOW)
    write(path, header + "web,2026-11-16,cy\n")
    assert file.load(NOW).held == ("data",)
    assert primary(file, rotation="data") == "ana"
    assert primary(file, rotation="web") == "cy"


def test_a_rotation_that_was_renamed_is_asked_for_no_more(path: Path) -> None:
    header = "Rotation,Start,Who\n"
    path.write_text(header + "data,2026-11-16,ana ruiz\n")
    file = roster_file(path)
    file.load(NOW)
    write(path, header + "platform,2026-11-16,ana ruiz\n")
    assert file.load(NOW + timedelta(hours=1)).held == ("data",)
    file.confirm(NOW + timedelta(hours=2))
    later = NOW + timedelta(hours=3)
    on_call = Roster(file).on_call((), later)
    assert on_call.rotations == ("platform",), "the first is that of routes without one"
    assert [one.rotation for one in who(on_call, PEOPLE, later)] == ["platform"]
    assert {one.rotation for one in gap_warnings(on_call, later)} == {"platform"}
    assert find_rotation(on_call, "") == "platform"
    before = who(on_call, PEOPLE, NOW + timedelta(hours=1))
    assert {one.rotation: len(one.people) for one in before} == {"data": 1, "platform": 1}
    assert who(on_call, PEOPLE, NOW, rotation="data")[0].people != ()


def test_a_roster_that_has_run_out_may_be_replaced_by_one_that_starts_late(path: Path) -> None:
    path.write_text(HEADER + "2026-11-02,bo\n")
    file = roster_file(path)
    file.load(NOW)
    write(path, HEADER + "2027-01-04,bo\n")
    assert file.load(NOW).held == ()


def test_at_every_moment_somebody_is_paged_while_versions_come_and_go(path: Path) -> None:
    header = "Start,End,Who\n"
    file = roster_file(path)
    versions = [
        (
            "2026-11-16T08:00Z",
            header + "2026-11-16,2026-11-22,ana ruiz\n2026-11-23,2026-11-29,bo\n",
        ),
        ("2026-11-17T10:00Z", "Start,End\n2026-11-16,2026-11-22\n"),
        ("2026-11-18T10:00Z", header + "2026-10-05,2026-10-11,ana ruiz\n"),
        ("2026-11-18T11:00Z", header + "2026-11-18 09:00,2026-11-25 09:00,cy\n"),
    ]
    answers = []
    for seen_at, text in versions:
        write(path, text)
        seen = datetime.fromisoformat(seen_at)
        file.load(seen)
        answers.append(primary(file, seen + timedelta(hours=1)))
    assert answers == ["ana", "ana", "ana", "cy"]
    assert primary(file, datetime(2026, 11, 25, 9, tzinfo=UTC)) == ""


def test_the_last_good_version_survives_a_restart(path: Path) -> None:
    path.write_text(GOOD)
    roster_file(path, last_good=True).load(NOW)
    write(path, BROKEN)
    restarted = roster_file(path, last_good=True)
    assert restarted.load(NOW + timedelta(days=1)).refused == ("default",)
    assert primary(restarted) == "ana"
    path.unlink()
    again = roster_file(path, last_good=True)
    again.load(NOW + timedelta(days=1))
    assert primary(again) == "ana"
    assert again.loaded.zones == {"default": "UTC"}


def test_a_refused_version_is_not_remembered(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path, last_good=True)
    file.load(NOW)
    kept = path.parent / "state" / "last-good.json"
    before = kept.read_bytes()
    write(path, BROKEN)
    file.load(NOW)
    assert kept.read_bytes() == before
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]


@pytest.mark.parametrize("content", ["", "{", json.dumps({"rotations": {"a": {"rows": 3}}})])
def test_a_broken_last_good_file_is_told_and_does_not_stop_the_roster(
    path: Path, content: str
) -> None:
    path.write_text(GOOD)
    file = roster_file(path, last_good=True)
    kept = path.parent / "state" / "last-good.json"
    kept.parent.mkdir()
    kept.write_text(content)
    loaded = file.load(NOW)
    assert len(loaded.rows) == 3
    assert [str(p) for p in loaded.problems] == [
        f"{kept} is broken, so the roster before the restart is not known. Delete it."
    ]


def test_a_last_good_file_that_cannot_be_written_is_told(path: Path) -> None:
    path.write_text(GOOD)
    (path.parent / "state").write_text("a file where a folder should be")
    loaded = roster_file(path, last_good=True).load(NOW)
    assert len(loaded.rows) == 3
    assert "last-good.json cannot be" in " ".join(str(p) for p in loaded.problems)


def test_without_an_earlier_version_the_rows_that_can_be_read_are_used(path: Path) -> None:
    path.write_text(BROKEN)
    file = roster_file(path, last_good=True)
    loaded = file.load(NOW)
    assert primary(file) == "bo"
    assert loaded.refused == ("default",)
    assert str(loaded.problems[-1]) == (
        "default has no earlier version; the rows that can be read are used."
    )
    assert not roster_file(path.with_name("gone.csv"), last_good=True).load(NOW).rows


def test_a_look_waits_until_the_file_has_settled(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    assert file.poll(NOW) is None
    write(path, OTHER)
    assert file.poll(NOW) is None
    loaded = file.poll(NOW)
    assert loaded is not None
    assert primary(file) == "bo"
    assert file.poll(NOW) is None


def test_a_file_that_never_settles_is_read_all_the_same(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    seen = []
    for second in range(5):
        path.write_text(OTHER)
        os.utime(path, ns=(0, second))
        seen.append(file.poll(NOW))
    assert [loaded is None for loaded in seen] == [True, True, True, True, False]


@pytest.mark.parametrize("spoilt", [None, "", "no,heading,here\n"])
def test_a_roster_that_cannot_be_read_grows_old(path: Path, spoilt: str | None) -> None:
    """Elevated groups let nobody new in by a roster that nobody has been able to read for long."""
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    known = NOW + timedelta(minutes=1)
    file.poll(known)
    assert file.seen.as_of == known
    if spoilt is None:
        path.unlink()
    else:
        write(path, spoilt)
    for minutes in range(2, 60):
        file.poll(NOW + timedelta(minutes=minutes))
    assert file.seen.as_of == known
    write(path, OTHER)
    for minutes in (60, 61, 62):
        file.poll(NOW + timedelta(minutes=minutes))
    assert file.seen.as_of == NOW + timedelta(minutes=62)


def test_touching_the_file_without_a_change_says_nothing(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    os.utime(path, ns=(0, 5))
    assert [file.poll(NOW) for _ in range(3)] == [None, None, None]


def test_a_held_version_takes_effect_once_its_rows_come_near(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    write(path, HEADER + "2026-12-07,bo\n2026-12-14,cy\n")
    file.load(NOW)
    assert file.poll(NOW + timedelta(minutes=1)) is None
    later = NOW + timedelta(days=19)
    loaded = file.poll(later)
    assert loaded is not None
    assert loaded.held == ()


def test_a_look_tells_of_a_new_version_of_the_file_once_it_is_whole(path: Path) -> None:
    path.write_text(GOOD)
    file, now = roster_file(path), NOW
    file.load(now)
    for text, expected, refused in (
        (OTHER, "bo", ()),
        (BROKEN, "bo", ("default",)),
        (GOOD, "ana", ()),
    ):
        write(path, text)
        assert file.poll(now) is None, "it may still be being written"
        now += timedelta(seconds=1)
        loaded = file.poll(now)
        assert loaded is not None
        assert loaded.refused == refused
        assert primary(file, now) == expected
        assert file.poll(now) is None, "it has been told of"


def test_check_lists_what_is_wrong_now_and_soon_and_changes_nothing(path: Path) -> None:
    path.write_text(HEADER + "2026-11-16,bo\n2026-11-23,Zed Q\n")
    file = roster_file(path, last_good=True)
    assert [str(problem) for problem in file.check(NOW)] == [
        'B3: nobody is called "Zed Q". Write their e-mail, or add them to people.',
        "the last row of default ends Mon 2026-11-23 09:00, in 4 days. Add rows.",
    ]
    assert file.loaded == Loaded()
    assert not (path.parent / "state").exists()
    path.unlink()
    assert [str(problem) for problem in file.check(NOW)] == [
        "roster.csv: the file cannot be read: No such file or directory."
    ]


def override(person: str, start: datetime, hours: float) -> Override:
    return Override(
        id="o1",
        rotation="default",
        role="primary",
        person=person,
        starts_at=start,
        ends_at=start + timedelta(hours=hours),
        by="bo@example.com",
        created_at=start,
    )


def test_overrides_lie_over_the_file_and_answers_are_kept_by_version(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    roster = Roster(file)
    plain = roster.on_call((), NOW)
    assert roster.on_call((), NOW + timedelta(hours=1)) is plain
    taken = [override("cy@example.com", NOW, 2)]
    covered = roster.on_call(taken, NOW)
    span = covered.span_at("default", "primary", NOW)
    assert span is not None
    assert (span.people, span.source) == (("cy@example.com",), "override by Bo Chen, 12:00")
    assert roster.spans() == covered.spans("default", "primary")
    write(path, OTHER)
    file.load(NOW)
    assert roster.on_call((), NOW).at("default", "primary", NOW) == ("bo@example.com",)


class Interrupted(Roster):
    """A roster that another thread asks something else after each thing it remembers."""

    others: Sequence[Override] | None = None

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        others = self.others
        if others is not None and name != "others":
            self.others = None
            self.on_call(others, NOW)
            self.others = others


def test_a_page_is_never_decided_by_the_answer_that_another_thread_asked_for(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    roster = Interrupted(file)
    taken = [override("cy@example.com", NOW, 2)]
    roster.others = ()
    for _ in range(2):
        assert roster.on_call(taken, NOW).at("default", "primary", NOW) == ("cy@example.com",)
    roster.others = None
    assert roster.on_call(taken, NOW).at("default", "primary", NOW) == ("cy@example.com",)


def test_whoever_looks_back_further_does_not_have_the_others_work_it_out_anew(path: Path) -> None:
    path.write_text(GOOD)
    file = roster_file(path)
    file.load(NOW)
    roster = Roster(file)
    past = [override("cy@example.com", NOW - timedelta(days=9), 2)]
    pager, calendars = roster.on_call((), NOW), roster.on_call(past, NOW)
    assert roster.on_call((), NOW) is pager
    assert roster.on_call(past, NOW) is calendars


def test_rows_outside_the_window_are_left_out_and_come_in_with_time(path: Path) -> None:
    path.write_text("Start,End,Who\n2026-01-05,2026-01-11,bo\n2028-06-05,2028-06-11,cy\n")
    file = roster_file(path)
    file.load(NOW)
    roster = Roster(file)
    assert roster.on_call((), NOW).spans("default", "primary") == ()
    later = datetime(2028, 6, 6, tzinfo=UTC)
    assert roster.on_call((), later).at("default", "primary", later) == ("cy@example.com",)


def test_the_outlook_tells_of_gaps_the_end_and_people_who_cannot_be_paged(path: Path) -> None:
    path.write_text(
        "Start,End,Who,Role\n2026-11-16,2026-11-18,bo,\n2026-11-20,2026-11-26,cy,\n"
        "2026-11-16,2026-11-24,Ana Ruiz,secondary\n"
    )
    file = roster_file(path)
    file.load(NOW)
    told = [str(problem) for problem in Roster(file).outlook((), NOW)]
    assert told == [
        "the last row of default ends Fri 2026-11-27 09:00, in 8 days. Add rows.",
        (
            "nobody is primary of default from Thu 2026-11-19 09:00 to Fri 2026-11-20 09:00 (1 d), "
            "between C2 and C3."
        ),
        "nobody is secondary of default from Wed 2026-11-25 09:00 to Wed 2026-12-02 12:00 (7 d 3 h).",
    ]
    covered = [override("cy@example.com", datetime(2026, 11, 19, 9, tzinfo=UTC), 24)]
    assert len(Roster(file).outlook(covered, NOW)) == 2
    after = datetime(2026, 12, 1, tzinfo=UTC)
    assert [str(problem) for problem in Roster(file).outlook((), after)] == [
        "the last row of default ended Fri 2026-11-27 09:00. Nobody follows; add rows."
    ]
