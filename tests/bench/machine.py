"""The machine that measures: its shape, and how much of it others used meanwhile."""

import os
import platform
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on."""

    cores: int
    processor: str
    memory_gb: float
    disk: str
    python: str
    sqlite: str

    @classmethod
    def found(cls) -> "Machine":
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return cls(
            os.cpu_count() or 1,
            _processor(),
            pages / 2**30,
            _disk(),
            platform.python_version(),
            sqlite3.sqlite_version,
        )

    @property
    def told(self) -> str:
        return (
            f"{self.cores} cores of {self.processor}, {self.memory_gb:.0f} GiB, {self.disk},"
            f" Python {self.python}, SQLite {self.sqlite}"
        )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _disk() -> str:
    """Return the file system and device that temporary files are on."""
    best = ("", "an unknown disk")
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    except OSError:
        return best[1]
    where = os.path.realpath(tempfile.gettempdir())
    for line in mounts:
        device, point, kind, *_ = line.split()
        inside = where == point or where.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):
            best = (point, f"{kind} on {Path(device).name}")
    return best[1]


class Spent:
    """Processor time since it was made: of the machine, and of this process and what it started."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._all, self._own = _busy(), _own()

    def others(self) -> float:
        """Return how many cores other processes used on average."""
        passed = perf_counter() - self._began
        theirs = (_busy() - self._all) - (_own() - self._own)
        return max(0.0, theirs / max(passed, 0.01))


def _busy() -> float:
    if sys.platform != "linux":
        return 0.0
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    user, nice, system, _idle, _wait, irq, soft, steal = (int(one) for one in first[1:9])
    return (user + nice + system + irq + soft + steal) / _TICKS


def _own() -> float:
    """Return the seconds of this process and all below it, ended ones included."""
    if sys.platform != "linux":
        return 0.0
    parents: dict[int, list[int]] = {}
    times: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            found = (path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        pid = int(path.name)
        parents.setdefault(int(found[1]), []).append(pid)
        times[pid] = sum(int(one) for one in found[11:15])
    total, left = 0, [os.getpid()]
    while left:
        pid = left.pop()
        total += times.get(pid, 0)
        left += parents.get(pid, [])
    return total / _TICKS
