"""The evidence that an incident is solved: what is waited for, until when, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What is known of a fix that somebody claimed."""

    NOT_NEEDED = "not_needed"
    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"


class Proof(StrEnum):
    """What would prove a fix."""

    SAME_RUN = "same_run"
    NEXT_RUN = "next_run"
    CHECK = "check"
    BACKFILL = "backfill"
    SOURCE = "source"
    WORDS = "words"


Interval = tuple[datetime, datetime]
"""A stretch of data, from and until; both alike where a run is named by an instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expects:
    """What would prove one fix.

    `pipeline` is what must run, as people call it, and `node` the part of it that a run must not
    leave out. `due_at` is when its next run is due, None where nobody knows; then nobody is paged
    for its silence, and people are asked instead. `expectation` names the expected run. `bad` is
    the interval that a backfill must load again, None where no alert told it; `bad_parts` are the
    stretches of it that failed, none where all of it did.
    """

    proof: Proof
    pipeline: str = ""
    node: str = ""
    expectation: str = ""
    due_at: datetime | None = None
    bad: Interval | None = None
    bad_parts: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Whether a claimed fix is proved.

    `claimed_by` is "" where the source said it. While it is pending, `look_at` is when silence is
    too long, and `asked` how often people were asked for a proof; `covered` are the parts of the
    bad interval that were loaded again. `silent_run` is a run that went well and did not tell whether
    the part that had failed ran; `ran_in` is a run in which other copies of a mapped task went well.
    `ended_at`, `ended_by`, `evidence` and `url` tell how it ended: the run, what a person said, or
    why it was waived or failed.
    """

    verdict: Verdict
    claimed_at: datetime
    claimed_by: str = ""
    expects: Expects | None = None
    look_at: datetime | None = None
    asked: int = 0
    covered: tuple[Interval, ...] = ()
    silent_run: str = ""
    ran_in: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""
    evidence: str = ""
    url: str = ""

    @property
    def is_pending(self) -> bool:
        return self.verdict is Verdict.PENDING
