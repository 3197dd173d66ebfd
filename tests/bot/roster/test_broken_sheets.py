import pytest

from bot.roster.csv_table import MOST_BYTES, read_csv
from bot.roster.table import Problem, Severity, TableError, show_problems
from tests.bot.roster.sheets import read, said

GRID = "Week of,Primary,Secondary\n"
ROWS = "Start,End,Who\n"
NEXT = "2026-11-23,2026-11-29,"
WRITE = 'Write it as "2026-11-16" or "2026-11-16 09:00".'


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (GRID + "2026-11-23,Anna Ruis,bo\n", 'B2: nobody is called "Anna Ruis". Nearest: "Ana Ruiz".'),
        (GRID + "2026-11-23,bo,Sam\n", 'C2: "Sam" fits Sam Ito and Sam Rey. Write the e-mail or @handle.'),
        (GRID + "2026-11-23,bo / Zed Q,cy\n", 'B2: nobody is called "Zed Q". Write their e-mail, or add them to people.'),
        (GRID + "2026-11-23,bo@example,cy\n", 'B2: "bo@example" is not an e-mail. Write a name or name@example.com.'),
        (GRID + "2026-11-23,#REF!,cy\n", "B2: a formula that gave #REF!. Correct it."),
        (GRID + "#N/A,bo,cy\n", "A2: a formula that gave #N/A. Correct it."),
        (GRID + '2026-11-23,"/,/",cy\n', "B2: the cell names nobody. Write a name or an e-mail."),
        (GRID + "2026-11-23," + "/".join(["bo"] * 21) + ",cy\n", "B2: 21 people in one cell; at most 20."),
        (GRID + ",bo,cy\n", "A2: no start in this row. Write a date, or clear the row."),
        (GRID + "next week,bo,cy\n", f'A2: "next week" is not a date. {WRITE}'),
        (GRID + "03/04/2026,bo,cy\n", 'A2: "03/04/2026" can be 3 April or 4 March. Write "2026-04-03" or "2026-03-04".'),
        (GRID + "30.02.2026,bo,cy\n", f'A2: "30.02.2026" is not in the calendar. {WRITE}'),
        (GRID + "2026-W54,bo,cy\n", f'A2: "2026-W54" is not in the calendar. {WRITE}'),
        (GRID + "16.11.,bo,cy\n", f'A2: "16.11." is not a date. {WRITE}'),
        (GRID + "16.11.26,bo,cy\n", f'A2: "16.11.26" is not a date. {WRITE}'),
        (GRID + "12 Foo 2026,bo,cy\n", f'A2: "12 foo 2026" has no month that is known. {WRITE}'),
        (GRID + "46342,bo,cy\n", f'A2: "46342" is not a date. {WRITE}'),
        (GRID + "2926-11-23,bo,cy\n", f'A2: "2926-11-23" is in the year 2926. {WRITE}'),
        (GRID + "Tue 2026-11-23,bo,cy\n", 'A2: "Tue 2026-11-23" names a Tuesday, but 2026-11-23 is a Monday. Correct one of them.'),
        (GRID + "2026-11-23 25:00,bo,cy\n", 'A2: in "2026-11-23 25:00", "25:00" is not a time: a day ends at 24:00.'),
        (GRID + "2026-11-23 24:00,bo,cy\n", 'A2: "24:00" is only an end. Write "00:00" of the next day.'),
        (GRID + "2026-11-23 09:00+99:00,bo,cy\n", f'A2: "+99:00" in "2026-11-23 09:00+99:00" is not an offset. {WRITE}'),
        (ROWS + "2026-11-23,2026-11-20,bo\n", "B2: the end (2026-11-20) is not after the start in A2 (2026-11-23). Correct one of them."),
        (ROWS + "2026-11-23 09:00,2026-11-23 09:00,bo\n", "B2: the end (2026-11-23 09:00) is not after the start in A2 (2026-11-23 09:00). Correct one of them."),
        (ROWS + "2026-11-23 09:00,2026-11-23T07:00Z,bo\n", "B2: the end (2026-11-23T07:00Z) is not after the start in A2 (2026-11-23 09:00). Correct one of them."),
        (ROWS + "2026-11-23,later,bo\n", f'B2: "later" is not a date. {WRITE}'),
        (ROWS, "A2: no row below the header. Write at least one shift."),
        ("Monday,Ana,Bo\n1,2,3\n", "A1:C1: no column for the start. Name one of these: Start, From, Week of, Date, Von, Début, Inicio."),
        ("Start,End,From,Who\n" + NEXT + ",bo\n", 'A1 and C1: both columns mean "start". Rename one of them.'),
        ("Start,Bis,Until,Who\n", 'B1 and C1: both columns mean "end". Rename one of them.'),
        ("Week of,Primary,Primär\n2026-11-23,bo,cy\n", 'B1 and C1: both columns mean the role "primary". Rename one of them.'),
        ("Start,End,Role\n2026-11-23,,primary\n", "A1:C1: no column for the person. Name one of these: Person, Who."),
        ("Start,End,Notes\n2026-11-23,,x\n", "A1:C1: no column for people. Name one Person, or one for each role: Primary, Secondary."),
        ("Rotation,Start,Who\n,2026-11-23,bo\n", "A2: no rotation in this row. Write its name."),
        ("# zone: CET\n" + GRID + "2026-11-23,bo,cy\n", 'A1: "CET" is not a time zone; did you mean `Europe/Berlin`?'),
        ("# zone: Europa/Berlim\n" + GRID + "2026-11-23,bo,cy\n", 'A1: "Europa/Berlim" is not a time zone; did you mean `Europe/Berlin`?'),
        ("# zone: ../etc/passwd\n" + GRID + "2026-11-23,bo,cy\n", 'A1: "../etc/passwd" is not a time zone; write it like `Europe/Berlin`, or `UTC`.'),
        ("# hand-off: nine\n" + GRID + "2026-11-23,bo,cy\n", 'A1: "nine" is not a time. Write "09:00".'),
    ],
)  # fmt: skip
def test_a_broken_sheet_names_the_cell_and_what_to_do(sheet: str, message: str) -> None:
    assert said(read(sheet)) == [f"error: {message}"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty. Write the roster again, or restore it."),
        (b"\xef\xbb\xbf \r\n", "the file is empty. Write the roster again, or restore it."),
        (b"PK\x03\x04rest", "this is an XLSX or ZIP file. Save it as CSV, or name it .xlsx."),
        (b"Start\x00,Who", "this is not a text file. Save the roster as CSV (UTF-8)."),
        (b"\xff\xfeabc", "the UTF-16 text is broken. Save the roster as CSV (UTF-8)."),
        (b"Start,Who\n2026,\x81\n", "line 2 is neither UTF-8 nor Windows text. Save the roster as CSV (UTF-8)."),
        (b'Start,Who\n2026-11-23,"bo\n', "the row that begins in line 2 cannot be read (unexpected end of data). Close its quotation marks."),
        (b'Start,Who\na,"b"c\n', "the row that begins in line 2 cannot be read (',' expected after '\"'). Close its quotation marks."),
        (b"x" * (MOST_BYTES + 1), "the file has 2,000,001 bytes; at most 2,000,000 are read. Remove old rows."),
        (b"a,b\n" * 20_001, "the file has 20,001 rows of up to 2 cells; at most 20,000 rows of 200 cells are read. Remove old rows."),
        (b"," * 300, "the file has 1 rows of up to 301 cells; at most 20,000 rows of 200 cells are read. Remove old rows."),
    ],
)  # fmt: skip
def test_a_file_that_is_no_roster_at_all_says_so(data: bytes, message: str) -> None:
    with pytest.raises(TableError) as refused:
        read_csv(data)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (
            ROWS + "2026-11-23 09:00,2026-11-25 09:00,ana ruiz\n2026-11-24 09:00,2026-11-26 09:00,bo\n",
            ("warning: C2 and C3: row 2 and row 3 overlap by 1 d (from Tue 2026-11-24 09:00 to "
            "Wed 2026-11-25 09:00): Ana Ruiz and Bo Chen are primary in that time."),
        ),
        (
            GRID + "2026-11-23,bo,bo / cy\n",
            ("warning: B2 and C2: Bo Chen is both primary and secondary for 7 d "
            "(from Mon 2026-11-23 09:00 to Mon 2026-11-30 09:00)."),
        ),
        (
            GRID + "2026-11-23,bo,TBD\n",
            ("info: C2: nobody is secondary on purpose "
            "(from Mon 2026-11-23 09:00 to Mon 2026-11-30 09:00)."),
        ),
        (
            ROWS + "2026-11-23,2026-11-23,\n",
            ('warning: C2: no person. Write one, or "-" if nobody is meant '
            "(from Mon 2026-11-23 09:00 to Tue 2026-11-24 09:00)."),
        ),
        (
            ROWS + "2026-11-02,2026-11-08,Gone Person\n2026-11-23,,bo\n",
            ('warning: C2: nobody is called "Gone Person". Nearest: "Bo Chen". '
            "The row is over and was left out."),
        ),
        ("Start,Who,Mood\n2026-11-23,bo,fine\n", 'info: C1: the column "Mood" is not read.'),
    ],
)  # fmt: skip
def test_what_is_odd_but_usable_is_told(sheet: str, message: str) -> None:
    assert said(read(sheet)) == [message]


def test_clock_changes_under_a_shift_are_told() -> None:
    sheet = ROWS + "2027-03-14 02:30,2027-03-15,bo\n2027-11-07 01:30,2027-11-08,cy\n"
    assert said(read(sheet, zone="America/New_York")) == [
        (
            "warning: A2: 2027-03-14 02:30 does not exist in America/New_York: clocks jump over it. "
            "Read as 03:30."
        ),
        (
            "warning: A3: 2027-11-07 01:30 happens twice in America/New_York. "
            "Read as the first one (EDT, 05:30 UTC)."
        ),
    ]


def test_one_bad_rotation_does_not_spoil_the_other() -> None:
    sheet = "Rotation,Start,Who\ndata,soon,bo\nweb,2026-11-23,bo\n"
    parsed = read(sheet)
    assert parsed.broken_rotations == {"data"}
    assert not parsed.unusable
    assert [row.rotation for row in parsed.rows] == ["web"]


def test_hostile_text_is_quoted_short_and_on_one_line() -> None:
    (message,) = said(read(GRID + '"' + "x\n" * 5000 + '",bo,cy\n'))
    assert "\n" not in message
    assert len(message) < 200
    (message,) = said(read(GRID + '2026-11-23,"' + "x\n" * 5000 + '",cy\n'))
    assert "\n" not in message
    assert len(message) < 200


def test_problems_are_shown_errors_first_and_at_most_ten() -> None:
    problems = [
        Problem("A1", "odd", Severity.WARNING),
        *(Problem(f"B{n}", "bad") for n in range(11)),
    ]
    lines = show_problems(problems).splitlines()
    assert lines[0] == "error: B0: bad"
    assert len(lines) == 11
    assert lines[-1] == "... and 2 more"
    assert show_problems([Problem("", "file")]) == "error: file"
