"""Puts the tables of a run into a document, between two marks that stay, and a picture beside it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.chart import drawn
from tests.bench.peers.columns import ROWS, Column, standings
from tests.bench.result import Result, Section
from tests.bench.table import Figure, markdown, row

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


class MarkMissingError(ValueError):
    """The document does not say where the tables go."""


def check(path: Path) -> tuple[str, str]:
    """Return what stands before and after the tables; raise when they have no place."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise MarkMissingError(f"{path}: write {BEGIN} and {END} where the tables go")
    return before, after


def write(path: Path, result: Result) -> None:
    """Replace what stands between the marks, and draw the picture where others are compared."""
    before, after = check(path)
    picture = path.with_suffix(".svg") if result.columns else None
    if picture is not None:
        picture.write_text(drawn(result.columns), encoding="utf-8")
    told = "\n".join(document(result, picture.name if picture else ""))
    path.write_text(f"{before}{BEGIN}\n\n{told}\n\n{END}{after}", encoding="utf-8")


def document(result: Result, picture: str = "") -> Iterator[str]:
    """Yield the lines of all tables."""
    yield f"{result.machine.told}. The run took {result.seconds:.0f} s."
    yield ""
    yield from _in_short(result)
    for section in result.sections:
        if section.name != "peers":
            yield from _section(section)
    if result.columns:
        yield ""
        yield from _peers(result.columns, picture)


def _in_short(result: Result) -> Iterator[str]:
    bound = [figure for figure in result.figures if figure.bound is not None and not figure.peer]
    short = [figure for figure in bound if not figure.kept]
    yield f"{len(bound) - len(short)} of {len(bound)} bounds were kept."
    if short:
        yield ""
        yield "Not kept:"
        yield ""
        yield from (f"- {_short(figure)}" for figure in short)


def _short(figure: Figure) -> str:
    return f"{figure.name}: {figure.shown}, promised {figure.promise}"


def _section(section: Section) -> Iterator[str]:
    yield ""
    yield f"### {section.title}"
    yield ""
    if section.disturbed:
        yield f"*{section.disturbed.strip(' ()').capitalize()}.*"
        yield ""
    if section.failed:
        yield f"It could not be measured: {section.failed}."
        return
    yield from markdown(section.figures)


def _peers(columns: Sequence[Column], picture: str) -> Iterator[str]:
    yield "### Beside others"
    yield ""
    if picture:
        yield f"![Watchbill beside others]({picture})"
        yield ""
    names = [f"{one.name}{'' if one.here else ', cited'}" for one in columns]
    yield row(["", *names])
    yield row(["---"] * (len(names) + 1))
    stores = ["yes" if one.stores else "no" for one in columns]
    yield row(["stores what it accepts", *stores])
    for asked in ROWS:
        cells = [one.cells.get(asked.key) for one in columns]
        yield row([asked.title, *(cell.shown(asked) if cell else "" for cell in cells)])
    ours = [one for one in columns if one.name.startswith("Watchbill")]
    others = [one for one in columns if one not in ours]
    for one in ours:
        yield ""
        yield from _standing(one, others)


def _standing(ours: Column, others: Sequence[Column]) -> Iterator[str]:
    found = standings([ours, *others])
    worse = [standing for standing in found if not standing.better]
    total = len(found)
    yield (
        f"{ours.name} is at least as good as the best of those that store anything"
        f" in {total - len(worse)} of {total} rows."
    )
    if worse:
        told = (
            f"{one.row.title} ({one.ours.shown(one.row)} against {one.best.shown(one.row)},"
            f" {one.of})"
            for one in worse
        )
        yield f"Not in: {'; '.join(told)}."
