"""The clock of expected runs: raises what has not started, and lets runs end it again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.engine.aftercare.proving import awaiting
from bot.engine.work import Work
from bot.ports.inbox import Parsed
from bot.ports.store import Transaction
from rules.alert import Alert
from rules.expected_runs import (
    Expectation,
    ExpectedRuns,
    Judgement,
    Standing,
    adapt,
    begin,
    judge,
    observe,
    retire,
)
from rules.products.running import products_of
from rules.rulebook import RuleBook
from rules.run import Run

log = structlog.get_logger()

BATCH = 200
COMPARE_EVERY = timedelta(minutes=1)
"""How often the clocks are compared with the configuration, even if it stays the same."""
FAULTY_PAUSE = timedelta(minutes=1)


class Clocks:
    """Keeps the stored clocks as the rules have them; knows only when it last compared them."""

    def __init__(self) -> None:
        self._kept: ExpectedRuns | None = None
        self._again_at: datetime | None = None

    def behind(self, book: RuleBook, now: datetime) -> bool:
        """Tell whether the stored clocks must be compared with the rules."""
        changed = book.expected is not self._kept
        return changed or self._again_at is None or self._again_at <= now

    def compared(self, book: RuleBook, now: datetime) -> None:
        self._kept, self._again_at = book.expected, now + COMPARE_EVERY


async def compare(work: Work, stored: Sequence[Standing]) -> int:
    """Begin, change and retire clocks, to be those the rules ask for; returns how many.

    `stored` is how they stood a moment ago; only those that differ are locked.
    """
    expected, now = work.book.expected, work.now
    known = {standing.name: standing for standing in stored}
    differ = [e.name for e in expected if _differs(known.get(e.name), e)]
    if expected.complete:
        gone = (s.name for s in stored if s.retired_at is None and expected.get(s.name) is None)
        differ += gone
    if not differ:
        return 0
    await work.load_for([])
    standings = await work.tx.expectations(differ)
    judged = []
    for name in differ:
        one, standing = expected.get(name), standings.get(name)
        if one is None:
            judged += [retire(standing, now)] if standing else []
        elif standing is None:
            judged.append(Judgement(standing=begin(one, now)))
        else:
            judged.append(adapt(standing, one, now))
    await _keep(work, judged)
    return len(judged)


async def judge_overdue(work: Work) -> int:
    """Judge the clocks whose deadline has come; returns how many there were.

    A clock that the rules do not know (yet) stops, so that it does not wake anybody. What came
    before a deadline is heard before it is judged: much may wait after an outage.
    """
    await work.load_for([])
    heard = await work.tx.heard_until(work.now)
    overdue = await work.tx.overdue_expectations(heard, BATCH)
    judged = []
    for standing in overdue:
        one = work.book.expected.get(standing.name)
        if one is None or one.rule != standing.rule:
            judged.append(Judgement(standing=replace(standing, look_at=None)))
        else:
            judged.append(_judged(standing, one, heard))
    await _keep(work, judged)
    return len(overdue)


async def knowing_starts(tx: Transaction, read: Mapping[str, Parsed]) -> Mapping[str, Parsed]:
    """Give a run whose end alone is told the start that was told before: it is no later run."""
    runs = [run for said in read.values() for run in said.runs]
    bare = [run for run in runs if run.state.is_over and run.started_at is None]
    if not bare:
        return read
    known = {run.identity: run.started_at for run in runs if run.started_at}
    known |= await tx.starts_of(bare)
    return {
        name: replace(
            said,
            runs=tuple(
                replace(run, started_at=run.started_at or known.get(run.identity))
                for run in said.runs
            ),
        )
        if said.runs
        else said
        for name, said in read.items()
    }


async def hear(work: Work, runs: Sequence[Run]) -> None:
    """Keep the runs, and let each serve the occasions it is about."""
    met = [(run, one) for run in runs for one in _met_by(run, work.book)]
    for run in runs:
        work.tx.record_run(run)
    if not met:
        return
    standings = dict(await work.tx.expectations(sorted({one.name for _, one in met})))
    alerts: dict[str, Alert] = {}
    for run, one in met:
        standing = standings.get(one.name) or begin(one, work.now)
        if judged := observe(standing, one, run, work.now):
            standings[one.name] = judged.standing
            _write(work, judged)
            alerts |= {one.name: judged.alert} if judged.alert else {}
    await _receive(work, list(alerts.values()))


def _differs(standing: Standing | None, expected: Expectation) -> bool:
    """Tell whether a clock must be begun, changed or set going again."""
    if standing is None or standing.retired_at is not None or standing.rule != expected.rule:
        return True
    return standing.look_at is None and standing.due_at is not None


def _judged(standing: Standing, expected: Expectation, now: datetime) -> Judgement:
    try:
        return judge(standing, expected, now)
    except (ArithmeticError, LookupError, ValueError) as error:
        # one faulty clock must not stop the others
        log.warning("clock failed", action="judge_run", name=expected.name, error=str(error))
        return Judgement(standing=replace(standing, look_at=now + FAULTY_PAUSE))


def _met_by(run: Run, book: RuleBook) -> tuple[Expectation, ...]:
    expected, trials = book.expected, book.priority_rules.impact.trials
    about = products_of(run, book.catalogue, trials) if expected.by_product else ()
    return expected.met_by(run, about)


async def _keep(work: Work, judged: Sequence[Judgement]) -> None:
    for one in judged:
        _write(work, one)
    await _receive(work, [one.alert for one in judged if one.alert])


def _write(work: Work, judged: Judgement) -> None:
    work.tx.save_expectation(judged.standing)
    for occasion in judged.occasions:
        work.tx.record_occasion(occasion)
    for occasion in judged.amended:
        work.tx.record_occasion(occasion, known_only=True)


async def _receive(work: Work, alerts: Sequence[Alert]) -> None:
    if alerts:
        await work.load_for(alerts)
        awaited = await awaiting(work, alerts)
        for alert in alerts:
            work.receive(alert, work.now, joins=awaited.get(alert.dedup_key))
