"""A blast radius drawn as SVG: the broken asset, the ways from it, and who reads it in the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.picture.text import FONT, Face, fit, printable, text_element, title_element, wrap
from rules.products.blast import Blast, Consumer, Group, told

WIDTH = 720
_EDGE = 24
_ROOT_X, _ROOT_W = _EDGE, 172
_WAY_X, _WAY_W = 236, 184
_END_X, _END_W = 456, WIDTH - _EDGE - 456
_GAP = 12
_PAD = 13
_MOST_WAYS = 4

_TITLE, _PROMISE = Face(28, bold=True), Face(21, bold=True)
_NAME, _SMALL, _GROUP = Face(21, bold=True), Face(18), Face(18, bold=True)
_LEADING = {_NAME: 25, _SMALL: 22}

_PAPER, _RIM, _INK, _FAINT = "#f5f6f8", "#c9ced6", "#1c2430", "#56606e"
_RED, _RED_TEXT, _LINE = "#c5302f", "#ffffff", "#98a1ae"
_ACCENTS = ("#c5302f", "#2f6db5", "#98a1ae")


@dataclass(slots=True)
class _Box:
    """A rectangle with its lines of text; `y` is set when it is placed."""

    x: int
    width: int
    names: tuple[str, ...]
    details: tuple[str, ...]
    kind: str
    accent: str = ""
    y: float = 0.0
    wanted: float = 0.0
    best: bool = False
    ends: list["_Box"] = field(default_factory=list)

    @property
    def height(self) -> float:
        rows = len(self.names) * _LEADING[_NAME] + len(self.details) * _LEADING[_SMALL]
        return rows + 2 * _PAD - 5

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def blast_svg(shown: Blast) -> str:
    """Return the picture as an SVG document; its size does not depend on the lineage's."""
    head, top = _head(shown)
    ends, parts, bottom = _ends(shown.groups, top + 8)
    ways = _ways(ends)
    bottom = max(bottom, _stack(list(ways), top + 8 + _LEADING[_SMALL] + 6))
    root = _box(_ROOT_X, _ROOT_W, shown.name, shown.detail, "root")
    root.y = max(top + 8, (top + 8 + bottom - root.height) / 2)
    bottom = max(bottom, root.y + root.height)
    foot, height = _foot(shown, bottom + 18)
    lines = _edges(root, ways)
    boxes = [_drawn(box) for box in (root, *ways, *(box for box, _ in ends))]
    return _document(told(shown), height, [*head, *lines, *boxes, *parts, *foot])


def _document(described: str, height: float, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    heads = "".join(
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9"'
        ' markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for name, colour in (("tip", _LINE), ("best", _RED))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}"'
        f' viewBox="0 0 {WIDTH} {height:.0f}" role="img" font-family="{FONT}, sans-serif">\n'
        f"{title_element(described)}\n<defs>{heads}</defs>\n"
        f'<rect x="1" y="1" width="{WIDTH - 2}" height="{height - 2:.0f}" rx="16"'
        f' fill="{_PAPER}" stroke="{_RIM}" stroke-width="2"/>\n{body}\n</svg>\n'
    )


def _head(shown: Blast) -> tuple[list[str], float]:
    room = WIDTH - 2 * _EDGE
    lead = "What breaks with "
    title = lead + fit(shown.name, room - _TITLE.width(lead), _TITLE)
    parts = [text_element(title, _EDGE, 48, _TITLE, _INK)]
    if not shown.promise:
        return parts, 66
    promise = fit(shown.promise, room, _PROMISE)
    return [*parts, text_element(promise, _EDGE, 80, _PROMISE, _RED)], 96


def _foot(shown: Blast, top: float) -> tuple[list[str], float]:
    room = WIDTH - 2 * _EDGE
    lines = [fit(shown.counts, room, _SMALL)]
    if shown.owners:
        lines.append(fit(f"Owners: {shown.owners}", room, _SMALL))
    rule = (
        f'<line x1="{_EDGE}" y1="{top:.0f}" x2="{WIDTH - _EDGE}" y2="{top:.0f}" stroke="{_RIM}"/>'
    )
    parts = [rule]
    for at, line in enumerate(lines, start=1):
        parts.append(text_element(line, _EDGE, top + 4 + at * 23, _SMALL, _FAINT))
    return parts, top + 22 + len(lines) * 23


def _box(x: int, width: int, name: str, detail: str, kind: str, accent: str = "") -> _Box:
    room = width - 2 * _PAD - (4 if accent else 0)
    details = _details(detail, room)
    names = wrap(name, room, _NAME, lines=2 if accent else 3)
    return _Box(x, width, names, details, kind, accent)


def _details(text: str, room: float) -> tuple[str, ...]:
    """Set small text on one line, else break it at its last dot, else anywhere."""
    if not text or fit(text, room, _SMALL) == printable(text):
        return (printable(text),) if text else ()
    head, dot, tail = text.rpartition(" · ")
    return (fit(head, room, _SMALL), fit(tail, room, _SMALL)) if dot else wrap(text, room, _SMALL)


def _ends(
    groups: Sequence[Group], top: float
) -> tuple[list[tuple[_Box, Consumer]], list[str], float]:
    """Stack the consumers in their groups; return them, what stands between, and the bottom."""
    boxes: list[tuple[_Box, Consumer]] = []
    parts: list[str] = []
    y = top
    for group in groups:
        parts.append(text_element(group.title, _END_X, y + 15, _GROUP, _FAINT))
        y += _LEADING[_SMALL] + 6
        for one in group.shown:
            box = _box(_END_X, _END_W, one.name, one.detail, "end", _ACCENTS[one.weight])
            box.y, box.best = y, one.best
            boxes.append((box, one))
            y += box.height + _GAP
        if group.more:
            parts.append(_more(group.more, y))
            y += 42 + _GAP
        y += 6
    return boxes, parts, max(top, y - _GAP - 6)


def _more(count: int, y: float) -> str:
    """Draw the one box that stands for all that are left out."""
    frame = (
        f'<rect x="{_END_X}" y="{y:.0f}" width="{_END_W}" height="42" rx="8" fill="none"'
        f' stroke="{_LINE}" stroke-width="2" stroke-dasharray="6 5"/>'
    )
    words = text_element(f"+ {count:,} more", _END_X + _END_W / 2, y + 28, _NAME, _FAINT,
                         anchor="middle")  # fmt: skip
    return frame + words


def _ways(ends: Sequence[tuple[_Box, Consumer]]) -> list[_Box]:
    """Draw each first step once, in the order of those it leads to; the rarest become one box."""
    led: dict[str, list[tuple[_Box, Consumer]]] = {}
    for box, one in ends:
        led.setdefault(one.way[0] if one.way else "", []).append((box, one))
    most = sorted(led.values(), key=lambda found: (not any(b.best for b, _ in found), -len(found)))
    kept = most if len(most) <= _MOST_WAYS else most[: _MOST_WAYS - 1]
    rest = [pair for found in most[len(kept) :] for pair in found]
    ways = [_way(found, *_way_words([one for _, one in found])) for found in kept]
    if rest:
        ways.append(_way(rest, f"{len(most) - len(kept)} other ways", "", kind="loose"))
    return sorted(ways, key=lambda way: way.ends[0].y)


def _way(found: Sequence[tuple[_Box, Consumer]], name: str, detail: str, *, kind: str = "") -> _Box:
    direct = not found[0][1].way and not kind
    way = _box(_WAY_X, _WAY_W, name, detail, kind or ("loose" if direct else "way"))
    way.ends = [box for box, _ in found]
    way.best = any(box.best for box in way.ends)
    middles = [box.middle for box in way.ends]
    way.wanted = sum(middles) / len(middles) - way.height / 2
    return way


def _way_words(ones: Sequence[Consumer]) -> tuple[str, str]:
    """Return the first step's name, and where it goes on to."""
    first = next((one for one in ones if one.best), ones[0])
    if not first.way:
        return "read directly", ""
    left_out = first.steps - len(first.way)
    then = list(first.way[1:])
    if left_out > 0 and then:
        then.insert(-1, f"{left_out:,} more")
    if not all(one.way == first.way for one in ones):
        then.append("…")
    return first.way[0], f"then {', '.join(then)}" if then else ""


def _stack(boxes: Sequence[_Box], top: float) -> float:
    """Place boxes where they want to be, in order and without touching; return the bottom."""
    y = top
    for box in boxes:
        box.y = max(y, box.wanted)
        y = box.y + box.height + _GAP
    return max((box.y + box.height for box in boxes), default=top)


def _edges(root: _Box, ways: Sequence[_Box]) -> list[str]:
    """Draw the lines, the emphasised way last, so that it lies on top."""
    pairs = [(root, way, way.best) for way in ways]
    pairs += [(way, end, way.best and end.best) for way in ways for end in way.ends]
    return [_edge(*pair) for pair in sorted(pairs, key=lambda pair: pair[2])]


def _edge(left: _Box, right: _Box, best: bool) -> str:  # noqa: FBT001 - one of a triple
    x1, x2 = left.x + left.width, right.x - 2
    y1, y2 = left.middle, right.middle
    bend = (x2 - x1) / 2
    colour, width, tip = (_RED, 3.5, "best") if best else (_LINE, 2, "tip")
    return (
        f'<path d="M{x1} {y1:.0f}C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f}'
        f' {x2} {y2:.0f}" fill="none" stroke="{colour}" stroke-width="{width}"'
        f' marker-end="url(#{tip})"/>'
    )


_LOOKS = {
    "root": (_RED, _RED, _RED_TEXT, "#ffdedd"),
    "way": ("#ffffff", _LINE, _INK, _FAINT),
    "loose": (_PAPER, _RIM, _FAINT, _FAINT),
    "end": ("#ffffff", _RIM, _INK, _FAINT),
}


def _drawn(box: _Box) -> str:
    fill, rim, ink, faint = _LOOKS[box.kind]
    frame = (
        f'<rect x="{box.x}" y="{box.y:.0f}" width="{box.width}" height="{box.height:.0f}" rx="8"'
        f' fill="{fill}" stroke="{_RED if box.best else rim}" stroke-width="2"/>'
    )
    parts = [frame]
    if box.accent:
        parts.append(
            f'<rect x="{box.x}" y="{box.y + 6:.0f}" width="6" height="{box.height - 12:.0f}"'
            f' rx="3" fill="{box.accent}"/>'
        )
    x = box.x + _PAD + (4 if box.accent else 0)
    y = box.y + _PAD - 5
    for face, ink_of, lines in ((_NAME, ink, box.names), (_SMALL, faint, box.details)):
        for line in lines:
            y += _LEADING[face]
            parts.append(text_element(line, x, y - 2, face, ink_of))
    return "".join(parts)
