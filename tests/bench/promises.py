"""Every bound that the bench holds figures against: what is promised, and what CI lets through.

A gate is looser than its promise: it must never stop a good change because a machine was busy, and
it catches a change that makes things half as fast. Raise a gate when what it guards got better.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """The bound of one figure: at least, or `at_most`; `gate` None: CI does not ask."""

    bound: float
    at_most: bool = False
    gate: float | None = None


PROMISES = {
    # against a bare aiohttp handler that parses the same JSON, in the same run
    "accept": Promise(0.50, gate=0.35),
    "process": Promise(0.27, gate=0.06),
    "answer": Promise(8, at_most=True, gate=14),
    # the disk
    "commit rate": Promise(0.35, gate=0.2),
    "rows together": Promise(5, gate=3),
    "full": Promise(0.85, gate=0.7),
    "group commit": Promise(3, gate=2),
    "claims": Promise(2, gate=0.4),
    # milliseconds from the request to the page
    "page p50": Promise(8, at_most=True, gate=60),
    "page p95": Promise(25, at_most=True, gate=250),
    "page p99 in a storm": Promise(1_000, at_most=True),
    "storm calls": Promise(30, at_most=True),
    "storm truth": Promise(60, at_most=True),
    # seconds
    "timer p99": Promise(0.25, at_most=True, gate=1.0),
    "lane rate": Promise(0.9, gate=0.8),
    "lane gap": Promise(0.9, gate=0.85),
    # microseconds of a core
    "classification": Promise(100, at_most=True, gate=250),
    "classification flat": Promise(1.5, at_most=True, gate=2),
    # with 1,000,000 alerts stored, against 1,000
    "growth": Promise(0.9),
    "list": Promise(50, at_most=True),
    "search": Promise(50, at_most=True),
    # the 95th percentile of accepting while much is forgotten, or backed up, against without
    "forgetting": Promise(3, at_most=True),
    "backing up": Promise(3, at_most=True),
    # rosters: seconds, milliseconds
    "year": Promise(0.5, at_most=True, gate=1.5),
    "who": Promise(1, at_most=True, gate=3),
    # the process
    "start": Promise(1.5, at_most=True),
    "memory": Promise(120, at_most=True, gate=130),
    "idle": Promise(1, at_most=True, gate=4),
}
