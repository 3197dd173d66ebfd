"""Judges a life: what it broke, a digest that two runs of a seed share, and its story in short."""

import atexit
import hashlib
import logging
import os
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.bot import silence_logs
from tests.simulation.invariants import broken
from tests.simulation.life import Past, live
from tests.simulation.planted import PLANTED
from tests.simulation.storage import Disk
from tests.simulation.world import Parts

_MEMORY = Path("/dev/shm")
_STORY = 40
_NAMES = re.compile(r"#\d+|[0-9a-f]{32}|\w+@example\.com|delivery-\d+|act-\d+|job-\d+")
_TURNS = re.compile(r" (bot \d|weather|life) | clock jumps | roster now ")
_TABLES = ("inbound", "incident", "alert", "timeline", "job", "lane", "access_grant", "message",
           "contact_attempt")  # fmt: skip


@dataclass(slots=True)
class Verdict:
    """What became of one seed; `faults` is empty when every invariant held."""

    seed: int
    faults: list[str]
    story: list[str] = field(default_factory=list)
    digest: str = ""
    hours: float = 0.0
    deaths: int = 0
    cpu: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)


@contextmanager
def disk() -> Iterator[Disk]:
    """Yield a disk in memory, where there is one, with an empty database ready."""
    where = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="watchbill-simulation-", dir=where) as folder:
        made = Disk(Path(folder))
        made.prepare()
        try:
            yield made
        finally:
            made.close()


def judge(seed: int, on: Disk, parts: Parts | None = None) -> Verdict:
    """Live the life of a seed and look at all invariants; a bot that ends by itself breaks one."""
    began = time.process_time()
    try:
        past = live(seed, on, parts)
    except Exception as error:  # noqa: BLE001 - whatever ends the bot is what we look for
        return Verdict(seed, [f"the bot ended: {error!r} {error.__cause__!r}"])
    story = list(past.world.diary.told())
    return Verdict(
        seed,
        broken(past),
        story,
        _digest(past, story),
        past.lasted.total_seconds() / 3600,
        past.deaths,
        time.process_time() - began,
        past.world.fate.happened,
    )


def short(verdict: Verdict) -> list[str]:
    """Return the lines of the story that its faults are about, and the turns it took."""
    names = {name for fault in verdict.faults for name in _NAMES.findall(fault)}
    lines = [
        line for line in verdict.story if _TURNS.search(line) or any(name in line for name in names)
    ]
    return (lines if names else verdict.story)[-_STORY:]


def _digest(past: Past, story: Sequence[str]) -> str:
    made = hashlib.sha256("\n".join(story).encode())
    for post in past.world.slack.posts:
        made.update(repr(post).encode())
    for table in _TABLES:
        for row in past.world.disk.looker.execute(f"SELECT * FROM {table} ORDER BY rowid"):
            made.update(repr(tuple(row)).encode())
    return made.hexdigest()


_here: list[Disk] = []


def begin_worker() -> None:
    """Make this process one that judges: quiet, with a disk of its own."""
    silence_logs()
    logging.disable(logging.CRITICAL)
    stack = ExitStack()
    _here[:] = [stack.enter_context(disk())]
    atexit.register(stack.close)


def judge_some(seeds: Sequence[int], planted: str = "") -> list[Verdict]:
    parts = PLANTED[planted] if planted else None
    return [judge(seed, _here[0], parts) for seed in seeds]
