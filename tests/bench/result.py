"""All that one run of the bench measured."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.machine import Machine
from tests.bench.peers.columns import Column
from tests.bench.table import Figure

_NOISY = 0.15
"""So much of a core, used by other processes, makes figures rough."""


@dataclass(frozen=True, slots=True)
class Section:
    """What one part measured; `others` is how many cores other processes used meanwhile.

    `failed` says why it measured nothing.
    """

    name: str
    title: str
    figures: Sequence[Figure]
    others: float = 0.0
    failed: str = ""

    @property
    def disturbed(self) -> str:
        if self.others < _NOISY:
            return ""
        return f" (rough: other processes used {self.others:.1f} cores meanwhile)"


@dataclass(frozen=True, slots=True)
class Result:
    """`columns` is the comparison with others, where that ran."""

    machine: Machine
    sections: Sequence[Section]
    seconds: float
    columns: Sequence[Column] = ()

    @property
    def figures(self) -> Iterator[Figure]:
        for section in self.sections:
            yield from section.figures

    @property
    def failed(self) -> list[str]:
        return [f"{one.name}: {one.failed}" for one in self.sections if one.failed]

    def as_json(self) -> dict[str, Any]:
        return {
            "machine": asdict(self.machine),
            "seconds": round(self.seconds, 1),
            "sections": [
                {
                    "name": section.name,
                    "failed": section.failed,
                    "others_used_cores": round(section.others, 3),
                    "figures": [asdict(one) | {"kept": one.kept} for one in section.figures],
                }
                for section in self.sections
            ],
            "columns": [asdict(column) for column in self.columns],
        }
