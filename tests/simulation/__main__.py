"""Lives many seeds of a simulated team on call, and tells the story of one that went wrong.

`python -m tests.simulation --seeds 0-999`, `python -m tests.simulation --seed 17 --story`
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.config.settings import environment
from tests.simulation.bot import Parts, silence_logs
from tests.simulation.invariants import broken
from tests.simulation.life import Past, live
from tests.simulation.planted import PLANTED
from tests.simulation.storage import Disk

_MEMORY = Path("/dev/shm")
_STORY = 40
_BAR = 30


@dataclass(slots=True)
class Verdict:
    """What became of one seed; `faults` is empty when every invariant held."""

    seed: int
    faults: list[str]
    past: Past | None = None
    story: list[str] = field(default_factory=list)


@contextmanager
def disk() -> Iterator[Disk]:
    """Yield a disk in memory, where there is one, with an empty database ready."""
    where = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="watchbill-simulation-", dir=where) as folder:
        made = Disk(Path(folder))
        made.prepare()
        yield made


def judge(seed: int, on: Disk, parts: Parts | None = None) -> Verdict:
    """Live the life of a seed and look at all invariants; a bot that ends by itself breaks one."""
    try:
        past = live(seed, on, parts)
    except Exception as error:  # noqa: BLE001 - whatever ends the bot is what we look for
        return Verdict(seed, [f"the bot ended: {error!r} {error.__cause__!r}"])
    return Verdict(seed, broken(past), past, list(past.world.diary.told()))


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", default="0-99", help="first-last")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--story", action="store_true", help="tell all that happened")
    parser.add_argument("--plant", choices=sorted(PLANTED), help="build this fault in")
    options = parser.parse_args()
    if environment().get("PYTHONHASHSEED") != "0":
        # the order of sets is a matter of luck, and ours is to be the seed's
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
                  {**environment(), "PYTHONHASHSEED": "0"})  # fmt: skip
    first, _, last = options.seeds.partition("-")
    seeds = (
        [options.seed] if options.seed is not None else range(int(first), int(last or first) + 1)
    )
    silence_logs()
    logging.disable(logging.CRITICAL)
    parts = PLANTED[options.plant] if options.plant else None
    with disk() as on:
        return _campaign(list(seeds), on, parts, story=options.story)


def _campaign(seeds: list[int], on: Disk, parts: Parts | None, *, story: bool) -> int:
    began, cpu, failed = time.monotonic(), time.process_time(), []
    hours, deaths, struck = 0.0, 0, Counter[str]()
    for done, seed in enumerate(seeds, 1):
        verdict = judge(seed, on, parts)
        if verdict.past is not None:
            hours += verdict.past.lasted.total_seconds() / 3600
            deaths += verdict.past.deaths
            struck += verdict.past.world.fate.happened
        if verdict.faults:
            failed.append(seed)
            _tell(verdict, whole=story)
        elif story:
            sys.stdout.write("\n".join(verdict.story) + "\n")
        _show_progress(done, len(seeds), len(failed))
    lasted = time.monotonic() - began
    sys.stdout.write(
        f"\n{len(seeds)} seeds, {hours:.0f} hours of life, {deaths} deaths, {len(failed)} failed"
        f"\n{len(seeds) / lasted * 60:.0f} seeds a minute"
        f" ({len(seeds) / (time.process_time() - cpu) * 60:.0f} a minute of processor time)"
        f"\nfaults that struck: {dict(sorted(struck.items()))}\n"
    )
    return 1 if failed else 0


def _tell(verdict: Verdict, *, whole: bool) -> None:
    lines = verdict.story if whole else verdict.story[-_STORY:]
    sys.stdout.write(f"\nseed {verdict.seed} broke:\n")
    sys.stdout.write("".join(f"  {fault}\n" for fault in verdict.faults[:10]))
    if whole:
        sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.write(f"  tell it all: python -m tests.simulation --seed {verdict.seed} --story\n")


def _show_progress(done: int, all_of_them: int, failed: int) -> None:
    filled = round(_BAR * done / all_of_them)
    bar = "#" * filled + "." * (_BAR - filled)
    sys.stderr.write(f"\r[{bar}] {done}/{all_of_them}, {failed} failed ")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(_main())
