"""What was measured, beside what was promised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from tests.bench.promises import PROMISES


@dataclass(frozen=True)
class Figure:
    """One measurement; `bound` None: it is only told. Bounds are least or, `at_most`, most.

    `beside` is what the same run measured of the baseline, `spread` the least and the most of its
    rounds. A `gate` is the bound that CI asks for.
    """

    name: str
    value: float
    unit: str = ""
    bound: float | None = None
    at_most: bool = False
    note: str = ""
    beside: str = ""
    spread: tuple[float, float] | None = None
    gate: float | None = None
    peer: bool = False
    """The bound is what another tool did, and no promise."""

    @property
    def kept(self) -> bool:
        return self._within(self.bound)

    @property
    def let_through(self) -> bool:
        """Whether CI's own bound is kept."""
        return self._within(self.gate)

    @property
    def promise(self) -> str:
        return self._told(self.bound)

    @property
    def gate_told(self) -> str:
        return self._told(self.gate)

    @property
    def mark(self) -> str:
        if self.bound is None:
            return ""
        return "kept" if self.kept else "not kept"

    @property
    def shown(self) -> str:
        return f"{told(self.value)} {self.unit}".rstrip()

    @property
    def spread_shown(self) -> str:
        return "" if self.spread is None else " to ".join(told(one) for one in self.spread)

    def _within(self, bound: float | None) -> bool:
        if bound is None:
            return True
        return self.value <= bound if self.at_most else self.value >= bound

    def _told(self, bound: float | None) -> str:
        if bound is None:
            return ""
        return f"{'<=' if self.at_most else '>='} {bound:,g} {self.unit}".rstrip()


def told(value: float) -> str:
    """Return a number with as many digits as mean something."""
    if value == int(value) and abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def promised(key: str, figure: Figure) -> Figure:
    """Hold a figure against a promise."""
    promise = PROMISES[key]
    return replace(figure, bound=promise.bound, at_most=promise.at_most, gate=promise.gate)


def of_rounds(name: str, rounds: Sequence[float], unit: str = "", beside: str = "") -> Figure:
    """Return the median of several rounds with their spread."""
    return Figure(name, median(rounds), unit, beside=beside, spread=(min(rounds), max(rounds)))


def ratios(ours: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return round by round how often the baseline's figure is in ours."""
    return [one / other for one, other in zip(ours, base, strict=True)]


def rendered(figures: Sequence[Figure], *, gates: bool = False) -> Iterator[str]:
    """Yield the lines of the table for a terminal; `gates`: held against CI's own bounds."""
    wide = max((len(figure.name) for figure in figures), default=0)
    for figure in figures:
        shown = f"{figure.name:<{wide}}  {told(figure.value):>9} {figure.unit:<8}"
        bound, mark = figure.promise, figure.mark
        if gates:
            bound = figure.gate_told
            mark = "" if figure.gate is None else "kept" if figure.let_through else "NOT KEPT"
        extra = "; ".join(part for part in (_rounds(figure), figure.beside, figure.note) if part)
        yield f"{shown} {bound:<13} {mark:<8} {extra}".rstrip()


def _rounds(figure: Figure) -> str:
    return f"rounds {figure.spread_shown}" if figure.spread else ""


_HEADINGS = ("", "measured", "least to most", "beside it in the same run", "promise", "kept")


def markdown(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of the table for a document."""
    yield row(_HEADINGS)
    yield row(["---"] * len(_HEADINGS))
    for figure in figures:
        kept = {"kept": "yes", "not kept": "**no**"}.get(figure.mark, "")
        beside = "; ".join(part for part in (figure.beside, figure.note) if part)
        yield row([figure.name, figure.shown, figure.spread_shown, beside, figure.promise, kept])


def row(cells: Sequence[str]) -> str:
    """Return one line of a table of a document."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
