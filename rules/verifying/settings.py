"""What a rulebook may set about proofs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyingRules:
    """When silence is too long, and how often people are asked for a proof.

    A run may take `run_takes` where its product says nothing else. People are asked every
    `ask_every`, `most_asks` times at most. `kinds` tells the kind of each configured source, and
    the runs of those that are `runnable` can be started. With `off` no fix needs a proof.
    """

    run_takes: timedelta = timedelta(hours=4)
    ask_every: timedelta = timedelta(hours=24)
    most_asks: int = 3
    off: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)
    runnable: frozenset[str] = frozenset()
