"""What must hold of runs: fixes and their proofs, and what was expected to run."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rules.expected_runs import EXPECTED, Expectation
from rules.incident import Incident, State
from rules.verification import Verdict, Verification
from tests.simulation.pipelines import AIRFLOW, Ran, dag_of
from tests.simulation.records import Invariant, Records, instant, micros

_SOON = timedelta(minutes=2)
_AT_ONCE = timedelta(seconds=2)
"""What was heard so long before it was looked for has been heard of in time."""
_PASSED, _FAILED, _WAIVED = (f"verification.{word}" for word in ("passed", "failed", "waived"))
_ENDS = {_PASSED: Verdict.PASSED, _FAILED: Verdict.FAILED, _WAIVED: Verdict.WAIVED}
_BY_ITSELF = frozenset({"AlertReceived", "PageDelivered", "PageFailed", "ContactFailed", "Resumed"})


@dataclass(slots=True)
class Claim:
    """One time at which an incident was said to be fixed, and what ended that."""

    at: int
    ends: list[sqlite3.Row] = field(default_factory=list)
    asked: int = 0


def _claims(it: Records, at: Incident) -> list[Claim]:
    claims: list[Claim] = []
    for row in _timeline(it, at):
        what, rule = row["what"], row["rule"]
        if (what, rule) in {
            ("Resolved", "person"),
            ("Woken", "flapping.quiet"),
        } or rule == "alert.all_resolved":
            claims.append(Claim(row["at"]))
        elif claims and (rule in _ENDS or (what, rule) == ("Reopened", "person")):
            claims[-1].ends.append(row)
        elif claims and rule == "verification.asked":
            claims[-1].asked += 1
    return claims


def _timeline(it: Records, at: Incident) -> list[sqlite3.Row]:
    return it.rows(f"SELECT * FROM timeline WHERE incident_id = '{at.id}' ORDER BY id")


def each_fix_ends_once(it: Records) -> Iterator[str]:
    """A fix is proved, waived, disproved or told overdue once, and waits for that no longer than due."""
    most = it.past.world.book.verifying.most_asks + 1
    for at in it.incidents:
        claims = _claims(it, at)
        for claim in claims:
            ends = [_ENDS.get(row["rule"]) for row in claim.ends]
            if ends[1:] and (ends[0] is Verdict.FAILED or ends[1:] != [None]):
                yield f"the fix of #{at.number} ended {len(ends)} times"
            if claim is not claims[-1] and ends[-1:] not in ([Verdict.FAILED], [None]):
                yield f"#{at.number} was fixed again and had not been open"
            if claim.asked > most:
                yield f"people were asked {claim.asked} times whether #{at.number} is fixed"
        if claims and (wrong := _stands_wrong(at, claims[-1])):
            yield wrong
        if at.is_pending and at.verification and (late := _is_late(it, at.verification)):
            yield f"#{at.number} {late}"


def _is_late(it: Records, seen: Verification) -> str:
    """Say that a proof is overdue, or that nobody will look whether it is; "" when all is well."""
    if seen.look_at is None:
        asks = seen.asked < it.past.world.book.verifying.most_asks
        return "waits for a proof, and nobody looks for it" if asks else ""
    if seen.look_at < it.past.ended_at - _SOON:
        return f"was to be proved until {seen.look_at:%H:%M:%S}, and nobody was told"
    return ""


def _stands_wrong(at: Incident, last: Claim) -> str:
    """Say where an incident stands otherwise than its last claim left it."""
    seen = at.verification
    ends = [_ENDS.get(row["rule"]) for row in last.ends]
    told = ends[-1] if ends else Verdict.PENDING
    told = Verdict.FAILED if told is None else told  # reopened by hand
    unneeded = told is Verdict.PENDING and seen is not None and seen.verdict is Verdict.NOT_NEEDED
    if seen is not None and (seen.verdict is told or unneeded):
        return ""
    return f"#{at.number} is {seen.verdict if seen else 'claimed by nobody'}, and it was {told}"


def proofs_are_of_runs_after_the_fix(it: Records) -> Iterator[str]:
    """What proved or disproved a fix began after it was claimed, and had been told of."""
    if it.past.heard.jumped:
        return
    for at in it.incidents:
        for claim in _claims(it, at):
            for end in claim.ends[:1]:
                fault = ""
                if end["rule"] == _PASSED and end["what"] != "Verified":
                    fault = _unproved(it, at, claim, end)
                elif end["rule"] == _FAILED:
                    fault = _undisproved(it, at, claim, end)
                if fault:
                    yield f"#{at.number} {fault}"


def _unproved(it: Records, at: Incident, claim: Claim, end: sqlite3.Row) -> str:
    if end["at"] == claim.at and end["what"] == "AlertReceived":
        return ""  # its source's own word was both
    if at.source == EXPECTED:  # any start ends that nothing had started, also one before the click
        return "" if _told(it, at, end["at"], "") else "was proved, and nothing had started"
    after = [ran for ran in _told(it, at, end["at"]) if ran.well and micros(ran.began) >= claim.at]
    return "" if after else "was proved, and no run that began after its fix went well"


def _undisproved(it: Records, at: Incident, claim: Claim, end: sqlite3.Row) -> str:
    told = _told(it, at, end["at"])
    began = [ran for ran in told if micros(ran.began) >= claim.at]
    if end["what"] != "Woken":
        if _was_missed(it, at, claim.at, end["at"]) or any(
            ran.over and not ran.well for ran in began
        ):
            return ""
        return "was disproved, and nothing failed that began after its fix"
    if any(_was_heard(ran, end["at"]) for ran in began if ran.well):
        return "was told overdue, and a run had proved it"
    return ""


def _told(it: Records, at: Incident, until: int, *events: str) -> list[Ran]:
    """Return the runs of the incident's pipeline of whose end had been told by then."""
    dag = _dag(it, at)
    return [
        ran
        for ran in it.past.heard.ran
        if ran.dag == dag
        and any(
            micros(sent) <= until
            for name, sent in ran.sent.items()
            if name.endswith(events or ("succeeded", "failed"))
        )
    ]


def _was_heard(ran: Ran, until: int) -> bool:
    heard = ran.heard.get("dag_run_succeeded")
    return heard is not None and heard + _AT_ONCE <= instant(until)


def _dag(it: Records, at: Incident) -> str:
    name = at.labels.get("expected_run", "")
    expected = it.past.world.book.expected.get(name)
    return dag_of(expected) if expected else at.labels.get("dag_id", "")


def _was_missed(it: Records, at: Incident, since: int, until: int) -> bool:
    """Tell whether its pipeline was found not to have started, between two instants."""
    dag = _dag(it, at)
    for one in it.past.world.book.expected:
        rows = it.rows(f"SELECT due_at FROM occasion WHERE name = '{one.name}'")
        dues = [instant(row["due_at"]) for row in rows] if dag_of(one) == dag else []
        if any(
            since <= micros(one.late_at(due)) <= until and not _in_time(it, one, due)
            for due in dues
        ):
            return True
    return False


def proofs_count(it: Records) -> Iterator[str]:
    """What a run that was told of proves or disproves, is proved or disproved."""
    if it.past.heard.jumped or it.past.heard.slept:
        return
    for at in it.incidents:
        seen = at.verification
        if not at.is_pending or seen is None or at.labels.get("task_id"):
            continue
        for ran in it.past.heard.ran:
            told = {"dag_run_succeeded", "dag_run_failed"} & ran.heard.keys()
            if told and ran.dag == _dag(it, at) and ran.began >= seen.claimed_at:
                how = "went well" if ran.well else "failed"
                yield f"{ran.run_id} {how} after #{at.number} was fixed, and it still waits for a proof"


def what_is_proved_stays(it: Records) -> Iterator[str]:
    """Nothing whose fix was proved or waived is open again, but by a person's hand."""
    for at in it.incidents:
        claims = _claims(it, at)
        last = claims[-1].ends[-1:] if claims else []
        if last and last[0]["rule"] in {_PASSED, _WAIVED} and at.state is not State.RESOLVED:
            yield f"#{at.number} was {last[0]['rule'].rpartition('.')[2]} and is {at.state}"


def what_never_starts_is_raised(it: Records) -> Iterator[str]:
    """Each occasion at which nothing started is missed once; where it did in time, nobody is told."""
    if it.past.heard.jumped:
        return
    missed: dict[str, int] = {}
    for one in it.past.world.book.expected:
        rows = it.rows(f"SELECT * FROM occasion WHERE name = '{one.name}' ORDER BY due_at")
        known = {instant(row["due_at"]): row["outcome"] for row in rows}
        missed[one.name] = sum(not _in_time(it, one, due) for due in known)
        for due in _due(it, one, min(known, default=None)):
            yield from _judged(it, one, due, known.get(due, "forgotten"))
        alerts = it.rows(
            f"SELECT 1 FROM alert WHERE source = '{EXPECTED}' AND dedup_key = '{one.dedup_key}'"
        )
        if "missed" in known.values() and not alerts:
            yield f"{one.name} was missed, and nobody hears of it"
    for at in it.incidents:
        name = at.labels.get("expected_run", "")
        if at.source != EXPECTED:
            continue
        missed[name] -= 1
        if missed[name] < 0:
            yield f"#{at.number} tells that {name} did not start, oftener than it was missed"
        if at.generation and {row["what"] for row in _timeline(it, at)} <= _BY_ITSELF:
            yield f"#{at.number} paged from its beginning again, and nothing had happened"


def _due(it: Records, one: Expectation, first: datetime | None) -> Iterator[datetime]:
    """Yield the occasions whose time is over; those before the first that is known are nobody's."""
    since = first or it.past.ended_at - timedelta(minutes=it.past.calm) + _SOON / 2
    until = it.past.ended_at - _SOON
    yield from (due for due in one.schedule.due_between(since, until) if one.late_at(due) < until)


def _of(it: Records, one: Expectation, due: datetime) -> list[Ran]:
    ran = (ran for ran in it.past.heard.ran if ran.dag == dag_of(one))
    return [each for each in ran if one.occasion_of(each.moment) == due]


def _serving(it: Records, one: Expectation, due: datetime) -> list[Ran]:
    """Return the runs of the occasion, and those of later ones at which it was not late yet."""
    ran = (ran for ran in it.past.heard.ran if ran.dag == dag_of(one))
    occasions = ((each, one.occasion_of(each.moment)) for each in ran)
    late = one.late_at(due)
    return [
        each
        for each, at in occasions
        if at is not None and (at == due or (due < at and each.moment <= late))
    ]


def _in_time(it: Records, one: Expectation, due: datetime) -> bool:
    """Tell whether a run that serves the occasion had been told of before its time was over."""
    until = one.late_at(due) - _AT_ONCE
    return any(at <= until for ran in _of(it, one, due) for at in ran.heard.values())


def _judged(it: Records, one: Expectation, due: datetime, outcome: str) -> Iterator[str]:
    if outcome == "forgotten":
        yield f"nobody looked whether {one.name} of {due:%H:%M} had started"
    elif outcome == "missed" and _in_time(it, one, due):
        yield f"{one.name} of {due:%H:%M} had started, and was said not to have"
    elif outcome != "missed" and not any(ran.sent for ran in _serving(it, one, due)):
        yield f"{one.name} of {due:%H:%M} never started, and was taken for {outcome}"


def runs_are_durable(it: Records) -> Iterator[str]:
    """Whatever was told of a run and accepted is decided, and the run is as it was told."""
    stored = {row["key"]: row["state"] for row in it.rows("SELECT key, state FROM inbound")}
    states = {
        row["run_id"]: row["state"]
        for row in it.rows(f"SELECT run_id, state FROM run WHERE source = '{AIRFLOW.name}'")
    }
    for ran in it.past.heard.ran:
        for key in ran.keys:
            if stored.get(key) != "done":
                yield f"{key} was accepted and is {stored.get(key, 'gone')}"
        wanted = _as_told(ran)
        if wanted and states.get(ran.run_id) not in wanted:
            yield f"{ran.run_id} is {states.get(ran.run_id, 'gone')}, and it was told {wanted[-1]}"


def _as_told(ran: Ran) -> Sequence[str]:
    """Return the states that a run may be stored in."""
    over = "succeeded" if ran.well else "failed"
    if f"dag_run_{over}" in ran.heard:
        return (over,)
    return ("started", over) if ran.heard else ()


def _where_they_run(check: Invariant) -> Invariant:
    return lambda it: check(it) if it.past.world.has_runs else iter(())


_ALL: dict[str, Invariant] = {
    "I1 runs are durable": runs_are_durable,
    "I4 what never starts is raised": what_never_starts_is_raised,
    "I7 each fix ends once": each_fix_ends_once,
    "I7 a proof began after the fix": proofs_are_of_runs_after_the_fix,
    "I7 a proof counts": proofs_count,
    "I7 what is proved stays": what_is_proved_stays,
}
RUN_INVARIANTS = {name: _where_they_run(check) for name, check in _ALL.items()}
