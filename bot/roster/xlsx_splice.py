"""Changes cells of an Excel workbook and leaves everything else in it byte for byte.

A library that reads and writes the whole file would drop formulas' results, pictures and rules
that it does not know; here only the rows concerned are written again.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET
from xml.parsers import expat
from xml.sax.saxutils import escape

from bot.roster.table import TableError, column_letters

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_PLACE = re.compile(r"([A-Z]+)(\d+)")
_SPANS = re.compile(rb'\s+spans="[^"]*"')
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(slots=True)
class _Element:
    """Where an element stands, in bytes; `body` is where its content begins, 0 without one."""

    start: int
    number: int
    style: str = ""
    end: int = 0
    body: int = 0
    close: int = 0
    formula: bool = False
    cells: list["_Element"] = field(default_factory=list)


def splice_sheet(data: bytes, title: str, edits: Mapping[tuple[int, int], str]) -> bytes:
    """Return the workbook with texts in cells, by row and column from 1. Raises TableError."""
    parts = _parts(data)
    name = _sheets(parts).get(title)
    if name is None or name not in parts:
        raise TableError(f"the tab {title} cannot be found in the file. Save it again.")
    return _packed(data, {name: _spliced(parts[name], edits)})


def add_sheet(data: bytes, title: str, header: Sequence[str]) -> bytes:
    """Return the workbook with one more tab at its end. Raises TableError."""
    parts = _parts(data)
    book, rels, types = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml"
    if not {book, rels, types} <= parts.keys():
        raise TableError(f"a tab {title} cannot be added to the file. Add one with a header.")
    number = 1
    while f"xl/worksheets/sheet{number}.xml" in parts:
        number += 1
    name, relation = f"xl/worksheets/sheet{number}.xml", f"rIdWatchbill{number}"
    ids = [int(one) for one in re.findall(rb'sheetId="(\d+)"', parts[book])]
    sheet = (
        f'<sheet xmlns="{_MAIN}" xmlns:r="{_RELATIONS}" name="{escape(title)}" '
        f'sheetId="{max(ids, default=0) + 1}" r:id="{relation}"/>'
    )
    target = f'<Relationship Id="{relation}" Type="{_RELATIONS}/worksheet" Target="/{name}"/>'
    override = f'<Override PartName="/{name}" ContentType="{_SHEET_TYPE}"/>'
    empty = (
        f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{_MAIN}"><sheetData/></worksheet>'
    )
    cells = {(1, column): text for column, text in enumerate(header, 1)}
    changed = {
        book: _before_end(parts[book], "sheets", sheet),
        rels: _before_end(parts[rels], "Relationships", target),
        types: _before_end(parts[types], "Types", override),
        name: _spliced(empty.encode(), cells),
    }
    return _packed(data, changed)


def _parts(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, OSError, KeyError):
        raise TableError("this is no XLSX file, or it is cut off. Save it again.") from None


def _packed(data: bytes, changed: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for entry in old.infolist():
            new.writestr(entry, changed.get(entry.filename, old.read(entry)))
        for name in changed.keys() - set(old.namelist()):
            new.writestr(name, changed[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _sheets(parts: Mapping[str, bytes]) -> dict[str, str]:
    """Return the parts of tabs by their titles."""
    try:
        relations = {
            one.get("Id"): posixpath.normpath(posixpath.join("/xl", str(one.get("Target"))))[1:]
            for one in _tree(parts["xl/_rels/workbook.xml.rels"])
        }
        book = _tree(parts["xl/workbook.xml"])
    except KeyError:
        raise TableError("the file has no xl/workbook.xml. Save it again as .xlsx.") from None
    return {
        str(one.get("name")): relations.get(one.get(f"{{{_RELATIONS}}}id"), "")
        for one in book.iter(f"{{{_MAIN}}}sheet")
    }


def _tree(xml: bytes) -> ET.Element:
    if b"<!DOCTYPE" in xml:
        raise TableError("the XLSX file has a DTD and is not written to.")
    try:
        return ET.fromstring(xml)  # noqa: S314 - without a DTD there are no entities
    except ET.ParseError:
        raise TableError("the XLSX file cannot be read. Save it again.") from None


def _before_end(xml: bytes, element: str, added: str) -> bytes:
    ends = list(re.finditer(rf"</(?:\w+:)?{element}\s*>".encode(), xml))
    if not ends:
        raise TableError("a tab cannot be added to the file. Add a tab Overrides with a header.")
    at = ends[-1].start()
    return xml[:at] + added.encode() + xml[at:]


class _Map:
    """Where rows and cells stand in a tab's XML."""

    def __init__(self, xml: bytes) -> None:
        self.rows: list[_Element] = []
        self.data: _Element | None = None
        self.prefix = ""
        self._xml = xml
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._open: list[_Element | None] = []
        try:
            self._parser.Parse(xml, True)
        except expat.ExpatError:
            raise TableError("the XLSX file cannot be read. Save it again.") from None

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        prefix, _, local = name.rpartition(":")
        at = self._parser.CurrentByteIndex
        found: _Element | None = None
        if local == "sheetData":
            self.prefix = f"{prefix}:" if prefix else ""
            self.data = found = _Element(at, 0)
        elif local == "row" and self.data is not None:
            last = self.rows[-1].number if self.rows else 0
            found = _Element(at, int(attributes.get("r", last + 1)))
            self.rows.append(found)
        elif local == "c" and self.rows:
            place = _PLACE.fullmatch(attributes.get("r", ""))
            cells = self.rows[-1].cells
            last = cells[-1].number if cells else 0
            number = _column(place[1]) if place else last + 1
            found = _Element(at, number, attributes.get("s", ""))
            cells.append(found)
        elif local == "f" and self.rows and self.rows[-1].cells:
            self.rows[-1].cells[-1].formula = True
        if found is not None:
            stop = self._xml.index(b">", at)
            found.body = 0 if self._xml[stop - 1 : stop] == b"/" else stop + 1
        self._open.append(found)

    def _end(self, _name: str) -> None:
        found = self._open.pop()
        if found is not None:
            at = self._parser.CurrentByteIndex
            found.close = at
            start = at if found.body else found.start
            found.end = self._xml.index(b">", start) + 1


def _spliced(xml: bytes, edits: Mapping[tuple[int, int], str]) -> bytes:
    declared = re.match(rb'\s*<\?xml[^>]*encoding=["\']([\w-]+)', xml.removeprefix(b"\xef\xbb\xbf"))
    if (declared and declared[1].lower() not in {b"utf-8", b"utf8"}) or b"<!DOCTYPE" in xml:
        raise TableError("the XLSX file is not in UTF-8. Save it again.")
    places = _Map(xml)
    if places.data is None:
        raise TableError("the tab of overrides has no cells. Save the file again.")
    by_row: dict[int, dict[int, str]] = {}
    for (row, column), text in edits.items():
        by_row.setdefault(row, {})[column] = text
    pieces: list[tuple[int, int, bytes]] = []
    known = {row.number: row for row in places.rows}
    for number, cells in sorted(by_row.items()):
        if number in known:
            found = known[number]
            pieces.append((found.start, found.end, _row(xml, found, cells, places.prefix)))
        else:
            above = max((r for r in known if 1 < r < number), default=0)
            looks = {c.number: c.style for c in known[above].cells} if above else {}
            at = next((r.start for r in places.rows if r.number > number), -1)
            pieces.append((at, at, _new_row(number, cells, looks, places.prefix)))
    return _put(xml, places.data, pieces, places.prefix)


def _put(
    xml: bytes, data: _Element, pieces: Sequence[tuple[int, int, bytes]], prefix: str
) -> bytes:
    at_end = b"".join(text for start, _, text in pieces if start < 0)
    inside = sorted((piece for piece in pieces if piece[0] >= 0), key=lambda one: one[:2])
    if not data.body:
        tag = f"{prefix}sheetData".encode()
        whole = b"<" + tag + b">" + at_end + b"</" + tag + b">"
        return xml[: data.start] + whole + xml[data.end :]
    made, done = [], 0
    for start, end, text in [*inside, (data.close, data.close, at_end)]:
        made += [xml[done:start], text]
        done = max(end, done)
    return b"".join(made) + xml[done:]


def _row(xml: bytes, row: _Element, cells: Mapping[int, str], prefix: str) -> bytes:
    kept = {cell.number: xml[cell.start : cell.end] for cell in row.cells}
    for cell in row.cells:
        if cell.number in cells and cell.formula:
            place = f"{column_letters(cell.number)}{row.number}"
            raise TableError(f"{place} is a formula, and is not written over. Write a value.")
    looks = {cell.number: cell.style for cell in row.cells}
    kept |= {n: _cell(row.number, n, text, looks.get(n, ""), prefix) for n, text in cells.items()}
    head = xml[row.start : row.body or row.end]
    head = _SPANS.sub(b"", head if row.body else head.rstrip(b">").rstrip(b"/ ") + b">")
    inside = b"".join(kept[number] for number in sorted(kept))
    return head + inside + f"</{prefix}row>".encode()


def _new_row(number: int, cells: Mapping[int, str], looks: Mapping[int, str], prefix: str) -> bytes:
    made = [
        _cell(number, column, text, looks.get(column, ""), prefix)
        for column, text in sorted(cells.items())
    ]
    return f'<{prefix}row r="{number}">'.encode() + b"".join(made) + f"</{prefix}row>".encode()


def _cell(row: int, column: int, text: str, style: str, prefix: str) -> bytes:
    """Write a text: never a formula, whatever it begins with."""
    look = f' s="{style}"' if style else ""
    clean = escape(_ILLEGAL.sub(" ", text))
    place, p = f"{column_letters(column)}{row}", prefix
    return (
        f'<{p}c r="{place}"{look} t="inlineStr"><{p}is><{p}t xml:space="preserve">{clean}</{p}t>'
        f"</{p}is></{p}c>"
    ).encode()


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
