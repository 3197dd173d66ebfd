"""What would prove that an incident is fixed, by its alert and by how its product is loaded."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from rules.catalogue import Catalogue, LoadType
from rules.category import Category
from rules.cron import GRACE, Schedule
from rules.expected_runs import EXPECTED, Expectation, ExpectedRuns
from rules.incident import Incident
from rules.verification import Expects, Proof, Verdict, Verification
from rules.verifying.about import node_of, pipeline_key
from rules.verifying.interval import interval_of
from rules.verifying.settings import VerifyingRules
from rules.verifying.signals import Signal, signal_of

_NEVER = frozenset({Category.ACCESS, Category.ADHOC_REQUEST})
_NAMES = ("dag_id", "job", "workflow", "pipeline", "job_id")
_CHECKS = ("test", "expectation", "check")
_BY_RUN = frozenset({Proof.SAME_RUN, Proof.NEXT_RUN, Proof.CHECK})


class Known(Protocol):
    """What must be known to say what would prove a fix; a rulebook knows it."""

    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def expected(self) -> ExpectedRuns: ...
    @property
    def verifying(self) -> VerifyingRules: ...


def claimed(at: Incident, by: str, book: Known, now: datetime) -> Verification:
    """Return the verification of a fix that is claimed now."""
    expects = expects_of(at, book, now)
    if expects is None:
        return Verification(verdict=Verdict.NOT_NEEDED, claimed_at=now, claimed_by=by)
    return Verification(
        verdict=Verdict.PENDING,
        claimed_at=now,
        claimed_by=by,
        expects=expects,
        look_at=_look_at(at, expects, book, now),
    )


def rescheduled(at: Incident, seen: Verification, book: Known) -> Verification:
    """Return what is waited for by today's schedules; the same unless one was changed or ended.

    Where nobody expects a run any more, people are asked instead.
    """
    before = seen.expects
    if before is None or not pages_for_silence(before) or not book.expected.complete:
        return seen
    found = expects_of(at, book, seen.claimed_at)
    if found is not None and found.due_at == before.due_at:
        return seen
    due, name = (found.due_at, found.expectation) if found else (None, "")
    expects = replace(before, due_at=due, expectation=name)
    look_at = seen.look_at if due is None else _look_at(at, expects, book, due)
    return replace(seen, expects=expects, look_at=look_at)


def pages_for_silence(expects: Expects) -> bool:
    """Tell whether a proof that never comes pages; else people are asked."""
    return expects.due_at is not None and expects.proof in _BY_RUN


def is_needed(at: Incident, book: Known) -> bool:
    """Tell whether a fix of the incident must be proved."""
    if book.verifying.off or at.unreadable or at.storm or at.hidden or not at.is_actionable:
        return False
    if at.category in _NEVER or (at.source.startswith("@") and at.source != EXPECTED):
        return False
    signal = signal_of(at.source, book.verifying.kinds)
    if _is_catalogued(at, book) or signal is Signal.MONITOR:
        return True
    return signal is Signal.RUN and bool(pipeline_key(at.labels) or node_of(at.labels))


def expects_of(at: Incident, book: Known, now: datetime) -> Expects | None:
    """Return what would prove that it is fixed, None where no proof is needed."""
    if not is_needed(at, book):
        return None
    expected = expectation_of(at, book)
    due = _due_after(at, expected, book, now)
    return Expects(
        proof=_proof(at, book, due),
        pipeline=_pipeline(at, expected, book),
        node=_node(at),
        expectation=expected.name if expected else "",
        due_at=due,
        bad=at.bad or interval_of(at.labels),
        bad_parts=at.bad_parts,
    )


def load_type(at: Incident, book: Known) -> LoadType | None:
    """Return how what is broken is loaded, as its asset, its product or its own labels tell."""
    asset = book.catalogue.asset(at.asset) if at.asset else None
    product = book.catalogue.product(at.product) if at.product else None
    told = (asset.load_type if asset else None) or (product.load_type if product else None)
    if told is not None:
        return told
    word = at.labels.get("materialized", "").lower()
    return LoadType(word) if word in {LoadType.INCREMENTAL, LoadType.SNAPSHOT} else None


def expectation_of(at: Incident, book: Known) -> Expectation | None:
    """Return the expected run that would bring the proof, None where nobody waits for one."""
    expected, labels = book.expected, at.labels
    if at.source == EXPECTED:
        return expected.get(labels.get("expected_run", ""))
    dag, instance = labels.get("dag_id", ""), labels.get("instance", "")
    names = (f"{instance}/{dag}", *(labels.get(name, "") for name in _NAMES))
    for name in filter(None, names):
        if found := expected.of_pipeline(at.source, name):
            return found[0]
    return expected.about(at.product)


def _is_catalogued(at: Incident, book: Known) -> bool:
    known = book.catalogue.product(at.product) if at.product else None
    return known is not None or (bool(at.asset) and book.catalogue.asset(at.asset) is not None)


def _proof(at: Incident, book: Known, due: datetime | None) -> Proof:
    match load_type(at, book):
        case LoadType.SNAPSHOT:
            return Proof.WORDS
        case LoadType.INCREMENTAL if at.source != EXPECTED:
            return Proof.BACKFILL
        case _:
            pass
    signal = signal_of(at.source, book.verifying.kinds)
    if signal is Signal.MONITOR:
        return Proof.SOURCE
    if any(at.labels.get(name) for name in _CHECKS):
        return Proof.CHECK
    if due is not None:
        return Proof.NEXT_RUN
    return Proof.SOURCE if signal is None else Proof.SAME_RUN


def _pipeline(at: Incident, expected: Expectation | None, book: Known) -> str:
    told = next((at.labels[name] for name in _NAMES if at.labels.get(name)), "")
    product = book.catalogue.product(at.product) if at.product else None
    return told or (expected.name if expected else "") or (product.name if product else "")


def _node(at: Incident) -> str:
    return at.labels.get("task_id") or at.labels.get("model") or at.labels.get("unique_id", "")


def _due_after(
    at: Incident, expected: Expectation | None, book: Known, now: datetime
) -> datetime | None:
    if at.labels.get("map_index") and not at.labels.get("dag_id"):
        return None  # OpenLineage tells of no run of a copy, and the next one may have fewer
    if expected is not None:
        return expected.schedule.due_after(now)
    product = book.catalogue.product(at.product) if at.product else None
    if product is None or not product.schedule:
        return None
    written = Schedule(product.schedule, product.timezone)
    return book.expected.schedules.get(product.id, written).due_after(now)


def _look_at(at: Incident, expects: Expects, book: Known, now: datetime) -> datetime:
    if not pages_for_silence(expects) or expects.due_at is None:
        return now + book.verifying.ask_every
    expected = book.expected.get(expects.expectation) if expects.expectation else None
    product = book.catalogue.product(at.product) if at.product else None
    grace = expected.grace if expected else (product.grace if product else None) or GRACE
    takes = (product.run_takes if product else None) or book.verifying.run_takes
    return expects.due_at + max(grace, timedelta(0)) + takes
