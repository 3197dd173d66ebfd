"""What is waited for, in words."""

from datetime import datetime

from rules.sentence import Sentence, say
from rules.verification import Expects, Proof

_NEXT = say("its next run")


def by_what(expects: Expects) -> Sentence:
    """Return what follows "to be proved by"."""
    due, pipeline = expects.due_at, expects.pipeline
    match expects.proof:
        case Proof.WORDS:
            return say("somebody who has looked: no run repairs a snapshot")
        case Proof.SOURCE:
            return say("its source, once it says so")
        case Proof.BACKFILL if expects.bad is not None:
            start, end = expects.bad
            return say("a backfill of {start} to {end}", start=start, end=end)
        case Proof.BACKFILL:
            return say("a backfill of what is bad, or a full refresh")
        case Proof.CHECK if due is not None:
            return say("the check after the run due {due}", due=due)
        case Proof.CHECK:
            return say("the same check on a later load")
        case _:
            return _by_run(pipeline, due)


def _by_run(pipeline: str, due: datetime | None) -> Sentence:
    if due is None:
        return say("the next run of {pipeline}", pipeline=pipeline) if pipeline else _NEXT
    words = "the run of {pipeline} due {due}" if pipeline else "the run due {due}"
    return say(words, pipeline=pipeline, due=due)


def what_to_do(expects: Expects, number: int, silent_run: str = "") -> Sentence:
    """Return what is asked of people where no run will do, or a run did not tell of the part."""
    end = " Say how you know: `/oncall verify {number} <words>`."
    if silent_run:
        words = "{run} went well, and nobody said whether {node} ran in it."
        node = expects.node or expects.pipeline
        return say(words + end, run=silent_run, node=node, number=number)
    match expects.proof:
        case Proof.WORDS:
            words = "No run can prove this fix." + end
            return say(words, number=number)
        case Proof.BACKFILL if expects.bad is not None:
            words = "The next run does not repair what is loaded: backfill {start} to {end}."
            start, stop = expects.bad
            return say(words, start=start, end=stop)
        case Proof.BACKFILL:
            return say("The next run does not repair what is loaded: backfill it, or load it all.")
        case _:
            words = "Nothing has proved this fix yet." + end
            return say(words, number=number)
