"""What was measured, beside what was promised."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement; `bound` None: it is only told. Bounds are least or, `at_most`, most."""

    name: str
    value: float
    unit: str = ""
    bound: float | None = None
    at_most: bool = False
    note: str = ""

    @property
    def kept(self) -> bool:
        if self.bound is None:
            return True
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    @property
    def promise(self) -> str:
        if self.bound is None:
            return ""
        return f"{'<=' if self.at_most else '>='} {self.bound:g} {self.unit}".rstrip()

    @property
    def mark(self) -> str:
        if self.bound is None:
            return ""
        return "ok" if self.kept else "short"


def rendered(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the lines of the table."""
    wide = max(len(figure.name) for figure in figures)
    for figure in figures:
        value = f"{figure.value:,.2f}" if abs(figure.value) < 100 else f"{figure.value:,.0f}"
        shown = f"{figure.name:<{wide}}  {value:>9} {figure.unit:<5}"
        yield f"{shown} {figure.promise:<13} {figure.mark:<5} {figure.note}".rstrip()
