"""Real XLSX and CSV files, each with one fault: the message, and the cell it names."""

import json
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.roster.files import FileSource
from bot.roster.table import Problem, TableError
from bot.roster.xlsx import read_xlsx
from tests.bot.roster.books import NOW, lines, roster_file

BOOKS = Path(__file__).parents[2] / "payloads" / "roster"
FAULTS = json.loads((BOOKS / "faults.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "says"), FAULTS.items(), ids=list(FAULTS))
def test_a_broken_book_names_the_cell_and_what_to_do(name: str, says: list[str]) -> None:
    told = lines(roster_file(BOOKS / name).check(NOW))
    assert [line for line in told if line in says] == says, told


@pytest.mark.parametrize(("name", "says"), FAULTS.items(), ids=list(FAULTS))
def test_a_fault_is_told_once_and_nothing_else_is_an_error(name: str, says: list[str]) -> None:
    told = lines(roster_file(BOOKS / name).check(NOW))
    assert len(told) == len(set(told))
    errors = [line for line in told if line.split(" ")[0] == "error" or " error " in line]
    assert errors == [line for line in errors if line in says], told


def test_every_kind_of_message_but_those_of_versions_has_a_file() -> None:
    codes = {line.split(" ")[0] for says in FAULTS.values() for line in says}
    # E15 needs a version before, E17 an override of Slack: tests of acceptance have them.
    assert {f"E{n:02}" for n in range(1, 18)} - codes == {"E15", "E17"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty. Write the roster again, or restore it."),
        (b"PK\x03\x04 cut off", "this is no XLSX file, or it is cut off. Save it again."),
        (
            b"\xd0\xcf\x11\xe0 old",
            "this is an old .xls file, or it has a password. Save it as .xlsx.",
        ),
        (
            b"x" * 5_000_001,
            "the file has 5,000,001 bytes; at most 5,000,000 are read. Remove old rows.",
        ),
    ],
)
def test_what_is_no_workbook_says_so(data: bytes, says: str) -> None:
    with pytest.raises(TableError) as refused:
        read_xlsx(data)
    assert str(refused.value) == says


def test_every_cut_of_a_workbook_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    whole = (BOOKS / "21-unread-tab.xlsx").read_bytes()
    path = tmp_path / "roster.xlsx"
    path.write_bytes(whole)
    file = roster_file(path)
    before = file.load(NOW).plans
    assert before
    for length in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:length])
        loaded = file.load(NOW)
        assert loaded.plans == before
        assert loaded.refused == ("data",)


@given(st.data())
def test_whatever_bytes_are_damaged_it_is_a_book_or_a_reason(data: st.DataObject) -> None:
    whole = bytearray((BOOKS / "21-unread-tab.xlsx").read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(TableError):
        assert read_xlsx(bytes(whole)).tabs


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml"])
@pytest.mark.parametrize(
    "text", [b"", b"<", b"<a/>", b"\x00" * 99, b"<!DOCTYPE a [<!ENTITY b 'c'>]>"]
)
def test_a_part_that_is_not_well_made_is_a_reason(part: str, text: bytes) -> None:
    with ZipFile(BOOKS / "21-unread-tab.xlsx") as before, ZipFile(made := BytesIO(), "w") as after:
        for name in before.namelist():
            after.writestr(name, text if name == part else before.read(name))
    with suppress(TableError):
        read_xlsx(made.getvalue())


@pytest.mark.parametrize("packed", [ZIP_LZMA, ZIP_BZIP2])
def test_a_book_packed_as_no_program_packs_it_is_refused(packed: int) -> None:
    made = BytesIO()
    with ZipFile(BOOKS / "21-unread-tab.xlsx") as before, ZipFile(made, "w", packed) as after:
        for name in before.namelist():
            after.writestr(name, before.read(name))
    damaged = bytearray(made.getvalue())
    damaged[60:80] = b"\xff" * 20
    with pytest.raises(TableError, match=r"no XLSX file\. Save the roster as \.xlsx\."):
        read_xlsx(bytes(damaged))


def test_a_file_that_unpacks_to_too_much_is_refused() -> None:
    with ZipFile(made := BytesIO(), "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 70_000_000)
    with pytest.raises(TableError, match=r"unpacked the file has 70,000,008 bytes"):
        read_xlsx(made.getvalue())


def test_an_empty_folder_and_a_missing_file_say_so(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"the folder has no \.csv file"):
        FileSource(tmp_path).read()
    with pytest.raises(TableError, match=r"cannot be read: No such file"):
        FileSource(tmp_path / "roster.xlsx").read()


@pytest.mark.parametrize("place", [(4, b"\xff"), (6, b"\xff\xff"), (8, b"\x63\x00")])
def test_a_workbook_packed_in_a_way_of_tomorrow_is_refused(place: tuple[int, bytes]) -> None:
    """The zip's own directory says how it is packed: a newer version, or a secret one."""
    data = bytearray((BOOKS / "03-slash-date.xlsx").read_bytes())
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) > 0:
        begin = at + place[0] + 2
        data[begin : begin + len(place[1])] = place[1]
        at += 4
    with pytest.raises(TableError, match=r"XLSX|Save it again"):
        read_xlsx(bytes(data))


def test_a_problem_is_one_line_whatever_a_tab_is_called() -> None:
    said = str(Problem("Shifts\u2028b\r\n!A3", "x\u202egnp" + "y" * 9_000))
    assert said.isprintable()
    assert len(said) <= 1_000
