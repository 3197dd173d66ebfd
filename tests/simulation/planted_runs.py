"""Faults in runs and proofs that are built in on purpose."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from rules.expected_runs import Standing
from rules.incident import Incident, State
from rules.verification import Verdict, Verification
from tests.simulation.around import Around
from tests.simulation.world import Lives, Parts

RUNNING = Lives(runs=True)
_LONG = timedelta(hours=1)


def _saving(change: Callable[[Incident], Incident]) -> Callable[[Any], None]:
    """Change each incident as it is saved."""

    def opened(store: Any) -> None:
        begin = store.store.begin

        def changes(tx: Any) -> None:
            save = tx.save
            tx.save = lambda incident: save(change(incident))

        store.store.begin = lambda: Around(begin(), changes)

    return opened


def _proving(change: Callable[[Verification], Verification]) -> Callable[[Any], None]:
    """Change what is known of each fix as it is saved."""
    return _saving(
        lambda at: at.but(verification=change(at.verification)) if at.verification else at
    )


def _claimed_early(at: Incident) -> Incident:
    """Count a fix as claimed an hour before it was."""
    seen = at.verification
    if seen is None or not at.is_pending or seen.claimed_at != at.resolved_at:
        return at
    return at.but(verification=replace(seen, claimed_at=seen.claimed_at - _LONG))


def _unproved(seen: Verification) -> Verification:
    """Let nothing but a person's word prove a fix."""
    by_itself = seen.verdict is Verdict.PASSED and not seen.ended_by
    return replace(seen, verdict=Verdict.PENDING) if by_itself else seen


def _open_again(at: Incident) -> Incident:
    """Open again what was proved, as though it fired."""
    return at.but(state=State.TRIGGERED) if at.verified_at is not None else at


def _standing(change: Callable[[Standing], Standing | None]) -> Callable[[Any], None]:
    """Change each clock of an expected run as it is saved; None leaves it as it was."""

    def opened(store: Any) -> None:
        begin = store.store.begin

        def changes(tx: Any) -> None:
            save = tx.save_expectation

            def saves(standing: Standing) -> None:
                if (changed := change(standing)) is not None:
                    save(changed)

            tx.save_expectation = saves

        store.store.begin = lambda: Around(begin(), changes)

    return opened


PLANTED_RUNS: dict[str, Parts] = {
    "takes runs of before the fix": Parts(opened=_saving(_claimed_early), lives=RUNNING),
    "lets no run prove a fix": Parts(opened=_proving(_unproved), lives=RUNNING),
    "never looks for a proof": Parts(
        opened=_proving(lambda seen: replace(seen, look_at=None)), lives=RUNNING
    ),
    "opens again what was proved": Parts(opened=_saving(_open_again), lives=RUNNING),
    "forgets what is expected": Parts(
        opened=_standing(lambda one: replace(one, look_at=None) if one.missed else one),
        lives=RUNNING,
    ),
    "raises what has started": Parts(
        opened=_standing(lambda one: None if one.run_id and not one.missed else one), lives=RUNNING
    ),
}
