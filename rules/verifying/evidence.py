"""Does what a source tells of a run or a check prove that an incident is fixed."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from rules.alert import Alert, AlertStatus
from rules.environment import differing, environment_of
from rules.events import AlertReceived
from rules.incident import Incident
from rules.run import BACKFILL, Run, RunState
from rules.sentence import Sentence, Value, say
from rules.shown_alert import thing_of
from rules.verification import Expects, Interval, Proof, Verification
from rules.verifying.about import node_of, of_another_pipeline, same_run
from rules.verifying.interval import covers, interval_of, is_before, joined
from rules.verifying.signals import Signal

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TRUE = frozenset({"true", "1", "yes"})


class Finding(StrEnum):
    """What a piece of evidence does: proves, disproves, proves a part, or nothing.

    UNTOLD proves nothing either: all went well, and nobody said whether the part ran.
    """

    PROVES = "proves"
    DISPROVES = "disproves"
    PART = "part"
    UNTOLD = "untold"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a run or a check tells.

    `began_at` None means that nobody said. `nodes` are the parts that the run did not leave out,
    None where it lists none; `about_it`: it tells of the incident's own thing and of no other.
    `run_id` names the run, "" where it is a check.
    """

    well: bool
    name: str
    source: str
    began_at: datetime | None
    ended_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    nodes: frozenset[str] | None = None
    about_it: bool = False
    url: str = ""
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found and why; `covered` are the intervals that are loaded again by now."""

    finding: Finding
    why: Sentence
    covered: tuple[Interval, ...] = ()


def of_run(run: Run) -> Evidence:
    return Evidence(
        well=run.state is RunState.SUCCEEDED,
        name=_named(run),
        source=run.source,
        began_at=run.started_at,
        ended_at=run.ended_at,
        labels=run.labels,
        kind=run.kind,
        nodes=frozenset(run.assets) or None,
        run_id=run.run_id,
    )


def _named(run: Run) -> str:
    """Return the run as people call it; of an id that tells them nothing only the beginning."""
    name = run.run_id[:8] if _UUID.fullmatch(run.run_id) else run.run_id
    return f"Run {name} of {run.pipeline}"


def evidence_of(event: AlertReceived, signal: Signal | None, now: datetime) -> Evidence:
    """Return what an alert of the incident's own thing tells.

    A monitor looks at the thing all the time, so that its word is about now. Most monitors title
    the end of a trouble as its beginning, so that their titles prove nothing to a reader.
    """
    alert = event.alert
    told = alert.occurred_at if signal is Signal.RUN else now
    return Evidence(
        well=True,
        name=alert.title if signal is Signal.RUN else f"{alert.source} reports it no more",
        source=alert.source,
        began_at=event.began_at or told,
        ended_at=alert.occurred_at,
        labels=alert.labels,
        kind=alert.labels.get("run_type", ""),
        about_it=True,
        url=alert.url,
    )


def concerns(at: Incident, told: Evidence, trials: Collection[str] = ()) -> bool:
    """Tell whether it may say anything of the incident, whose product it is about.

    It does not where only the source can say so, where it ran elsewhere, be it one of the
    environments in `trials`, or where it ran another pipeline without what had failed.
    """
    expects = at.verification.expects if at.verification else None
    if expects is not None and expects.proof is Proof.SOURCE and not told.about_it:
        return False
    if told.source == at.source and differing(at.labels, told.labels):
        return False
    ran_in = environment_of(told.labels)
    if not told.about_it and ran_in in trials and ran_in != environment_of(at.labels):
        return False
    node = node_of(at.labels) or at.asset
    held = bool(node and told.nodes) and _includes(told.nodes or frozenset(), node, at)
    return held or not of_another_pipeline(at.labels, told.labels)


def judged(at: Incident, told: Evidence) -> Judged:
    """Say what a piece of evidence does for the fix that is claimed of a pending incident."""
    seen = at.verification
    if seen is None or seen.expects is None:
        return _nothing("Nothing is to be proved.")
    if (why := _too_early(seen, told)) is not None:
        return Judged(Finding.NOTHING, why)
    node = node_of(at.labels) or at.asset
    if not told.well:
        return _failed(told, node)
    if told.nodes is not None and node and not _includes(told.nodes, node, at):
        return _nothing(
            "{run} went well and left out {node}: it proves nothing.",
            run=told.name,
            node=seen.expects.node or node,
        )
    held = bool(seen.ran_in) and seen.ran_in == told.run_id
    if told.nodes is None and not (told.about_it or held) and at.labels.get("task_id"):
        words = "{run} went well and does not tell whether {node} ran: it proves nothing."
        part = seen.expects.node or node
        return Judged(Finding.UNTOLD, say(words, run=told.name, node=part))
    if seen.expects.proof is Proof.CHECK and (unchecked := _unchecked(at, told)) is not None:
        return unchecked
    return _by_load(at, seen, seen.expects, told)


def ran_in(at: Incident, told: Evidence) -> str:
    """Return the run under way in which other copies of the mapped task that failed went well.

    The next run may have fewer copies, and then never tells of the one that failed.
    """
    seen = at.verification
    mapped = bool(at.labels.get("map_index")) and node_of(at.labels) in (told.nodes or ())
    if seen is None or not mapped or _too_early(seen, told) is not None:
        return ""
    return told.run_id


def as_told(alert: Alert, at: Incident) -> Alert:
    """Return an alert as an open incident must hear it: an end of an earlier interval as a remark.

    Airflow tells of a run of last week that somebody clears as of the same task as today's.
    """
    bad, loaded = at.bad or interval_of(at.labels), interval_of(alert.labels)
    dag = alert.labels.get("dag_id", "")
    its_own = thing_of(alert) == (at.source, at.dedup_key)
    same = its_own or bool(dag and dag == at.labels.get("dag_id"))
    if alert.status is not AlertStatus.RESOLVED or not at.is_open or not same:
        return alert
    if bad is None or loaded is None or not is_before(loaded, bad):
        return alert
    return replace(alert, status=AlertStatus.INFO, title=f"{alert.title}, of an earlier interval")


def repaired(at: Incident, expects: Expects, told: Evidence) -> Judged:
    """Say what a source's own word is worth for an incident that nobody claimed to have fixed."""
    seen = at.verification
    return _by_load(at, seen, expects, told)


def _by_load(at: Incident, seen: Verification | None, expects: Expects, told: Evidence) -> Judged:
    match expects.proof:
        case Proof.WORDS:
            return _nothing(
                "{run} went well; a run does not repair a snapshot's history.", run=told.name
            )
        case Proof.BACKFILL:
            return _backfilled(at, seen.covered if seen else (), expects, told)
        case _ if _loads_another(expects, told):
            return _nothing(
                "{run} went well and loaded another interval: it proves nothing.", run=told.name
            )
        case _:
            return Judged(Finding.PROVES, say("{run}", run=told.name))


def _too_early(seen: Verification, told: Evidence) -> Sentence | None:
    due = seen.expects.due_at if seen.expects else None
    began = told.began_at
    if began is None and due is not None and told.ended_at is not None and told.ended_at >= due:
        began = told.ended_at  # over after the next one was due: it can hardly be an earlier one
    if began is None:
        return say("{run} is over and nobody said when it began: it proves nothing.", run=told.name)
    if began < seen.claimed_at:
        return say("{run} began before the fix was claimed: it proves nothing.", run=told.name)
    return None


def _unchecked(at: Incident, told: Evidence) -> Judged | None:
    """Return what a run that went well is worth where it did not check again; None where it did."""
    if told.about_it or (told.nodes is not None and at.labels.get("unique_id", "") in told.nodes):
        return None
    if told.nodes is None:
        words = "{run} went well and does not tell whether it was checked again: it proves nothing."
        return Judged(Finding.UNTOLD, say(words, run=told.name))
    return _nothing("{run} went well and did not check it again: it proves nothing.", run=told.name)


def _failed(told: Evidence, node: str) -> Judged:
    if told.kind == BACKFILL or (node and told.nodes is not None):
        # what failed in it has an alert of its own
        return _nothing("{run} failed elsewhere.", run=told.name)
    if node.startswith("task:"):
        return _nothing("{run} failed, and nobody said that {node} did.", run=told.name, node=node)
    return Judged(Finding.DISPROVES, say("{run} failed.", run=told.name))


def _includes(nodes: frozenset[str], node: str, at: Incident) -> bool:
    return node in nodes or (bool(at.asset) and at.asset in nodes)


def _backfilled(
    at: Incident, before: tuple[Interval, ...], expects: Expects, told: Evidence
) -> Judged:
    if _is_true(told.labels, "full_refresh"):
        return Judged(Finding.PROVES, say("{run}, a full refresh", run=told.name))
    loaded, bad = interval_of(told.labels), expects.bad
    again = same_run(at, told.labels)
    if loaded is not None and bad is not None:
        covered = joined((*before, loaded))
        if all(covers(covered, part) for part in expects.bad_parts or (bad,)):
            return Judged(Finding.PROVES, say("{run}", run=told.name), covered)
        if covered != before:
            return Judged(Finding.PART, _still_bad(told, bad), covered)
    elif again or told.kind == BACKFILL or _is_true(told.labels, "backfill"):
        return Judged(Finding.PROVES, say("{run}", run=told.name))
    return Judged(Finding.NOTHING, _still_bad(told, bad), before)


def _loads_another(expects: Expects, told: Evidence) -> bool:
    """Tell whether it loaded another interval: as a backfill any other, else one before what is bad.

    A run of last week that is cleared, or caught up on, says nothing of today's.
    """
    loaded, bad = interval_of(told.labels), expects.bad
    if loaded is None or bad is None:
        return False
    if told.kind == BACKFILL:
        return not covers((loaded,), bad)
    return is_before(loaded, bad)


def _still_bad(told: Evidence, bad: Interval | None) -> Sentence:
    if bad is None:
        return say("{run} went well; what is bad still has to be loaded again.", run=told.name)
    return say(
        "{run} went well; {start} to {end} still has to be loaded again.",
        run=told.name,
        start=bad[0],
        end=bad[1],
    )


def _nothing(words: str, **values: Value) -> Judged:
    return Judged(Finding.NOTHING, say(words, **values))


def _is_true(labels: Mapping[str, str], name: str) -> bool:
    return labels.get(name, "").lower() in _TRUE
