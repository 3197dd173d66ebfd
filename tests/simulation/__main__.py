"""Lives many seeds of a simulated team on call, and tells the story of one that went wrong.

`python -m tests.simulation --seeds 0-999`, `python -m tests.simulation --seed 17 --story`
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.simulation.planted import PLANTED
from tests.simulation.verdict import Verdict, begin_worker, judge_some, short

_BAR = 30
_SOME = 8
"""Seeds that a worker takes at once."""


@dataclass(slots=True)
class Campaign:
    """What all lives of a campaign come to."""

    began: float = field(default_factory=time.monotonic)
    cpu: float = 0.0
    hours: float = 0.0
    deaths: int = 0
    done: int = 0
    failed: list[int] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        self.done += 1
        self.cpu += verdict.cpu
        self.hours += verdict.hours
        self.deaths += verdict.deaths
        self.struck += verdict.struck
        if verdict.faults:
            self.failed.append(verdict.seed)

    def told(self) -> str:
        lasted = time.monotonic() - self.began
        return (
            f"{self.done} seeds, {self.hours:.0f} hours of life, {self.deaths} deaths,"
            f" {len(self.failed)} failed {self.failed[:20] or ''}\n"
            f"{self.done / lasted * 60:.0f} seeds a minute"
            f" ({self.done / (self.cpu or 1) * 60:.0f} a minute of processor time)\n"
            f"faults that struck: {dict(sorted(self.struck.items()))}\n"
        )


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", default="0-99", help="first-last")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--story", action="store_true", help="tell all that happened")
    parser.add_argument("--digest", action="store_true", help="print what two runs must share")
    parser.add_argument("--plant", choices=sorted(PLANTED), help="build this fault in")
    parser.add_argument("--until-caught", action="store_true", help="stop at the first that fails")
    parser.add_argument("--jobs", type=int, default=2, help="processes, 2 unless told")
    options = parser.parse_args()
    first, _, last = options.seeds.partition("-")
    seeds = (
        [options.seed] if options.seed is not None else range(int(first), int(last or first) + 1)
    )
    campaign = Campaign()
    for verdict in _verdicts(list(seeds), options.plant or "", options.jobs):
        campaign.add(verdict)
        if options.digest:
            sys.stdout.write(f"{verdict.seed} {verdict.digest}\n")
        if verdict.faults or options.story:
            sys.stdout.write(_told(verdict, options.plant or "", whole=options.story))
        _show_progress(campaign, len(seeds))
        if verdict.faults and options.until_caught:
            break
    if not options.digest:
        sys.stdout.write("\n" + campaign.told())
    return 1 if campaign.failed else 0


def _verdicts(seeds: list[int], planted: str, jobs: int) -> Iterator[Verdict]:
    if len(seeds) == 1 or jobs == 1:
        begin_worker()
        for seed in seeds:
            yield from judge_some([seed], planted)
        return
    some = [seeds[at : at + _SOME] for at in range(0, len(seeds), _SOME)]
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=begin_worker
    ) as workers:
        try:
            for verdicts in workers.map(judge_some, some, [planted] * len(some)):
                yield from verdicts
        finally:
            workers.shutdown(cancel_futures=True)


def _told(verdict: Verdict, planted: str, *, whole: bool) -> str:
    again = f"python -m tests.simulation --seed {verdict.seed} --story"
    again += f' --plant "{planted}"' if planted else ""
    lines = verdict.story if whole else short(verdict)
    broke = [f"\nseed {verdict.seed} broke:", *(f"  {one}" for one in verdict.faults[:10])]
    shown = [*(broke if verdict.faults else ()), *lines]
    return "\n".join([*shown, *([f"  tell it all: {again}"] if verdict.faults else ()), ""])


def _show_progress(campaign: Campaign, all_of_them: int) -> None:
    if not sys.stderr.isatty() and campaign.done % 200:
        return
    filled = round(_BAR * campaign.done / all_of_them)
    bar = "#" * filled + "." * (_BAR - filled)
    sys.stderr.write(f"\r[{bar}] {campaign.done}/{all_of_them}, {len(campaign.failed)} failed ")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(_main())
