"""The drawing is right, small and harmless, whatever the lineage and its names are."""

import re
import struct
import time
import zlib
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.picture.drawing import WIDTH, blast_svg
from bot.picture.raster import FONTS, ZOOM, DrawingError, png_of
from bot.picture.text import Face, fit, printable, wrap
from rules.catalogue import Asset, Catalogue
from rules.lineage import Lineage
from rules.products.blast import blast, told
from tests.bot.picture.samples import DEADLINE, lineage

SVG = "{http://www.w3.org/2000/svg}"
GOLDEN = Path(__file__).with_name("blast.txt")
_ROWS_READ = 240
ANY_TEXT = st.text(max_size=300)


def drawn(known: Lineage, seed: str = "m.fct") -> ET.Element:
    return ET.fromstring(blast_svg(blast(known, [seed], deadline=DEADLINE)))


def words(root: ET.Element) -> list[str]:
    return ["".join(one.itertext()) for one in root.iter(f"{SVG}text")]


def boxes(root: ET.Element) -> list[tuple[float, float, float, float]]:
    found = [one for one in root.iter(f"{SVG}rect") if float(one.get("width", 0)) > 10]
    shapes = [tuple(float(one.get(k, 0)) for k in ("x", "y", "width", "height")) for one in found]
    return [(x, y, w, h) for x, y, w, h in shapes[1:]]  # the first is the paper


def test_the_structure_is_as_it_was_agreed() -> None:
    root = drawn(lineage(dashboards=5, products=683))
    shapes = [
        f"{one.tag.removeprefix(SVG)} {''.join(one.itertext())}".strip()
        for one in root.iter()
        if one.tag.removeprefix(SVG) in {"rect", "text", "path", "line", "title"}
    ]
    assert shapes == GOLDEN.read_text(encoding="utf-8").splitlines()


def test_the_broken_asset_is_red_and_the_way_to_the_best_known_consumer_too() -> None:
    root = drawn(lineage())
    red = [one for one in root.iter(f"{SVG}path") if one.get("stroke") == "#c5302f"]
    assert len(red) == 2  # to the first hop, and from it to the dashboard
    filled = [one for one in root.iter(f"{SVG}rect") if one.get("fill") == "#c5302f"]
    assert float(filled[0].get("x", 0)) < 30


def test_the_promise_the_owners_and_what_is_left_out_are_told() -> None:
    text = words(drawn(lineage(dashboards=12, products=683)))
    assert "Promised to Finance by Mon 23 Nov 09:00 CET" in text
    assert "+ 8 more" in text
    assert "+ 679 more" in text
    assert any("high maturity" in one for one in text)
    assert any(one.startswith("Owners: ") for one in text)
    assert any("12 dashboards, 683 products" in one for one in text)


def test_boxes_of_a_column_never_touch_and_stay_on_the_paper() -> None:
    root = drawn(lineage(dashboards=12, products=40))
    for left in {x for x, *_ in boxes(root)}:
        column = sorted(box for box in boxes(root) if box[0] == left)
        for (_, y, _, height), (_, below, _, _) in pairwise(column):
            assert y + height <= below
    height = float(root.get("height", 0))
    assert all(y + h < height and x + w < WIDTH for x, y, w, h in boxes(root))


@settings(max_examples=40, deadline=None)
@given(name=ANY_TEXT, owner=ANY_TEXT)
def test_names_from_outside_are_only_ever_text(name: str, owner: str) -> None:
    root = drawn(lineage(name=name, owner=owner))
    harmless = {"svg", "title", "defs", "marker", "rect", "line", "path", "text"}
    assert {one.tag.removeprefix(SVG) for one in root.iter()} <= harmless


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    text = words(drawn(lineage(name="<script>x</script>&amp;")))
    assert any("<script>" in one for one in text)


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT, room=st.floats(30, 400), bold=st.booleans())
def test_text_is_cut_to_its_room(text: str, room: float, bold: bool) -> None:
    face = Face(20, bold)
    assert face.width(fit(text, room, face)) <= room
    lines = wrap(text, room, face)
    assert len(lines) <= 2
    assert all(face.width(line) <= room for line in lines)


def test_what_is_cut_keeps_its_beginning_and_its_end() -> None:
    shown = fit("fct_orders_by_customer_and_region_snapshot", 200, Face(20))
    assert re.fullmatch(r"fct_.+….+shot", shown)


def test_letters_the_font_lacks_are_shown_as_question_marks() -> None:
    assert printable("订单\u202e orders\x00\ud800") == "??? orders??"


def test_ten_thousand_assets_are_drawn_in_no_time() -> None:
    deep = [Asset(id=f"d{n}", name=f"deep {n}", kind="model") for n in range(5_000)]
    wide = [Asset(id=f"e{n}", name=f"board {n}", kind="exposure") for n in range(5_000)]
    children = {f"d{n}": [f"d{n + 1}"] for n in range(4_999)}
    children["d4999"] = [one.id for one in wide]
    known = Lineage(Catalogue((), [*deep, *wide]), children)
    began = time.thread_time()
    shown = blast(known, ["d0"])
    svg = blast_svg(shown)
    assert time.thread_time() - began < 2
    assert len(svg) < 20_000
    assert "4,992 more" in svg
    assert len(told(shown)) < 1_000


def test_the_png_is_whole_sharp_and_not_blank() -> None:
    svg = blast_svg(blast(lineage(), ["m.fct"], deadline=DEADLINE))
    width, height, rows = decoded(png_of(svg))
    assert width == WIDTH * ZOOM
    assert height == int(float(ET.fromstring(svg).get("height", 0))) * ZOOM
    assert len(set(rows)) > 50, "hardly any two rows of a real picture are alike"


@pytest.mark.parametrize(("text", "bold"), [("fct_orders by 09:00", False), ("Qualität", True)])
def test_the_widths_written_down_are_those_of_the_font(text: str, bold: bool) -> None:
    face = Face(100, bold)
    weight = "700" if bold else "400"
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="60"'
        f' viewBox="0 0 {WIDTH * ZOOM} 120">'
        f'<text x="10" y="90" font-family="Roboto" font-size="100" font-weight="{weight}">'
        f"{text}</text></svg>"
    )
    width, _, rows = decoded(png_of(svg))
    inked = [x for x in range(width) if any(row[4 * x + 3] for row in rows)]
    assert inked[-1] - 10 == pytest.approx(face.width(text), rel=0.03)


def test_the_font_comes_with_its_licence() -> None:
    assert "Apache License" in (FONTS / "LICENSE.txt").read_text(encoding="utf-8")


def decoded(png: bytes) -> tuple[int, int, list[bytes]]:
    """Decode an RGBA PNG as its specification says; return its size and its first rows."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    at, data, width, height = 8, b"", 0, 0
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlaced) == (8, 6, 0)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    raw, stride, rows = zlib.decompress(data), width * 4, []
    before = bytearray(stride)
    assert len(raw) == height * (stride + 1)
    for row in range(min(height, _ROWS_READ)):
        start = row * (stride + 1)
        before = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), before)
        rows.append(bytes(before))
    return width, height, rows


def _unfiltered(kind: int, row: bytearray, above: bytearray) -> bytearray:
    for at in range(len(row)):
        a = row[at - 4] if at >= 4 else 0
        b, c = above[at], above[at - 4] if at >= 4 else 0
        guess = (0, a, b, (a + b) // 2, _paeth(a, b, c))[kind]
        row[at] = (row[at] + guess) & 0xFF
    return row


def _paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    return min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]


@pytest.mark.parametrize("broken", ["", "no picture", "<svg", "<svg xmlns='x'></svg>"])
def test_what_cannot_be_drawn_is_one_kind_of_error(broken: str) -> None:
    with pytest.raises(DrawingError):
        png_of(broken)
