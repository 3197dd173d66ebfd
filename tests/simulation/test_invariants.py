"""Each invariant can break: a life that went well is altered afterwards, and that is found."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from rules.incident import Incident, State
from rules.verification import Verdict
from tests.simulation.invariants import INVARIANTS, broken
from tests.simulation.life import Past, live
from tests.simulation.planted import LIVING
from tests.simulation.records import Records
from tests.simulation.storage import Disk
from tests.simulation.verdict import disk

SEEDS = range(120)
"""Lives that are tried until one has what is altered."""

Alter = Callable[[Records], bool]


def _rows(it: Records, statement: str, *values: object) -> bool:
    """Alter rows, and tell whether there were any."""
    return it.past.world.disk.looker.execute(statement, values).rowcount > 0


def undecided(it: Records) -> bool:
    keys = [*it.past.heard.accepted, *it.past.heard.acts]
    return any(_rows(it, "UPDATE inbound SET state = 'todo' WHERE key = ?", key) for key in keys)


def thrown_away(it: Records) -> bool:
    found = [_rows(it, "DELETE FROM inbound WHERE key = ?", key) for key in it.past.heard.accepted]
    return any(found)


def without_its_alert(it: Records) -> bool:
    return _rows(it, "DELETE FROM alert WHERE dedup_key LIKE 'job-%'")


def babble_undecided(it: Records) -> bool:
    return any(
        _rows(it, "UPDATE inbound SET state = 'todo' WHERE key = ?", key)
        for key in it.past.heard.babbled
    )


def babble_unheard(it: Records) -> bool:
    shown = "DELETE FROM alert WHERE source = 'generic' AND dedup_key NOT LIKE 'job-%'"
    return bool(it.past.heard.babbled) and _rows(it, shown)


def counted_again(it: Records) -> bool:
    return _rows(it, "UPDATE alert SET count = count + 100 WHERE dedup_key LIKE 'job-%'")


def root_again(it: Records) -> bool:
    roots = [post for at in it.incidents for post in it.roots(at)]
    it.posts += [replace(post) for post in roots[:1]]
    return bool(roots) and not it.past.heard.ahead


def root_gone(it: Records) -> bool:
    roots = [post for at in it.incidents if at.channel and not at.hidden for post in it.roots(at)]
    for post in roots[:1]:
        it.posts.remove(post)
    return bool(roots)


def buttons_gone(it: Records) -> bool:
    roots = [post for at in it.incidents if at.is_open for post in it.roots(at)[-1:]]
    for post in roots:
        post.blocks = []
    return bool(roots)


def ack_left(it: Records) -> bool:
    roots = [post for at in it.incidents if not at.is_open for post in it.roots(at)[-1:]]
    for post in roots:
        post.blocks = [{"type": "actions", "elements": [{"action_id": "ack"}]}]
    return bool(roots)


def woken_late(it: Records) -> bool:
    alive = "('triggered', 'acknowledged')"
    return _rows(it, f"UPDATE incident SET wake_at = wake_at + 60 WHERE state IN {alive}")


def pages_lost(it: Records) -> bool:
    waiting = [at for at in it.incidents if at.state is State.TRIGGERED and at.pages]
    waiting = [at for at in waiting if not at.muted]
    it.posts[:] = [post for post in it.posts if not any(at.id in post.key for at in waiting)]
    return bool(waiting)


def posted_again(it: Records) -> bool:
    it.by_key.update(key for key in list(it.by_key) if key)
    return bool(it.by_key) and not it.past.heard.ahead


def undecided_post(it: Records) -> bool:
    return any(_rows(it, "DELETE FROM job WHERE key = ?", key) for key in it.by_key if key)


def unanswered(it: Records) -> bool:
    return bool(it.past.heard.acts) and _rows(it, "DELETE FROM job WHERE kind = 'answer'")


def first_step_gone(it: Records) -> bool:
    steps = [key for key in it.by_key if ":0.0.0:" in key]
    for key in steps:
        del it.by_key[key]
    return bool(steps)


def all_at_once(it: Records) -> bool:
    pages = "UPDATE job SET created_at = 0 WHERE kind = 'page' AND key LIKE '%:0.0.%'"
    return not (it.past.heard.jumped or it.past.heard.slept) and _rows(it, pages)


def left_over(it: Records) -> bool:
    return _rows(it, "UPDATE job SET state = 'todo', next_at = 0")


def given_up(it: Records) -> bool:
    return _rows(it, "UPDATE job SET state = 'dead' WHERE kind = 'show'")


def grant_gone(it: Records) -> bool:
    open_ones = it.rows("SELECT id, body FROM access_grant WHERE open = 1")
    held = [row["id"] for row in open_ones if json.loads(row["body"])["state"] == "active"]
    return any(_rows(it, "DELETE FROM access_grant WHERE id = ?", one) for one in held)


def marked_up(it: Records) -> bool:
    for post in it.posts[-1:]:
        post.blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "<!here>"}}]
    return bool(it.posts)


def mentions(it: Records) -> bool:
    for post in it.posts[-1:]:
        post.text = "<https://evil.example|a bank>"
    return bool(it.posts)


def unreached(it: Records) -> bool:
    if it.services is None:
        return False
    it.services.sendings.clear()
    it.posts[:] = [post for post in it.posts if post.key.startswith("show:")]
    return True


def sent_again(it: Records) -> bool:
    taken = it.services.taken if it.services else []
    sure = [one for one in taken if one.told == "taken"]
    for one in sure[:1]:
        it.services.sendings.append(one)  # type: ignore[union-attr]
    return bool(sure) and not it.past.heard.ahead


def unwritten(it: Records) -> bool:
    return bool(it.services) and _rows(it, "DELETE FROM contact_attempt WHERE step > 0")


def answers_gone(it: Records) -> bool:
    _rows(it, "DELETE FROM timeline")
    return bool(it.past.heard.answers) and _rows(it, "DELETE FROM inbound WHERE key LIKE 'ack:%'")


def questions_gone(it: Records) -> bool:
    return _rows(it, "DELETE FROM journal_prompt")


def asked_again(it: Records) -> bool:
    return _rows(it, "UPDATE job SET kind = 'journal_remind', state = 'todo' WHERE kind = 'show'")


def runs_gone(it: Records) -> bool:
    return _rows(it, "DELETE FROM run")


def occasions_gone(it: Records) -> bool:
    return _rows(it, "DELETE FROM occasion WHERE due_at NOT IN (SELECT min(due_at) FROM occasion)")


def starts_missed(it: Records) -> bool:
    return _rows(it, "UPDATE occasion SET outcome = 'missed' WHERE outcome != 'missed'")


def misses_served(it: Records) -> bool:
    return _rows(it, "UPDATE occasion SET outcome = 'started' WHERE outcome = 'missed'")


def misses_untold(it: Records) -> bool:
    return _rows(it, "DELETE FROM alert WHERE source = '@expected'")


def ended_again(it: Records) -> bool:
    what = "incident_id, at, what, sentence, by, rule"
    ends = "rule IN ('verification.passed', 'verification.failed', 'verification.waived')"
    return _rows(it, f"INSERT INTO timeline ({what}) SELECT {what} FROM timeline WHERE {ends}")


def proof_overdue(it: Records) -> bool:
    return _proofs(it, lambda at: at.is_pending, look_at=it.past.world.clock.start)


def claimed_later(it: Records) -> bool:
    claims = "what = 'Resolved' AND rule = 'person'"
    return _rows(it, f"UPDATE timeline SET at = at + 600000000 WHERE {claims}")


def proof_forgotten(it: Records) -> bool:
    return _proofs(it, lambda at: at.verified_at is not None, verdict=Verdict.PENDING)


def open_though_proved(it: Records) -> bool:
    it.incidents[:] = [
        at if at.verified_at is None else at.but(state=State.TRIGGERED) for at in it.incidents
    ]
    return any(at.verified_at for at in it.incidents)


def _proofs(it: Records, which: Callable[[Incident], bool], **changes: object) -> bool:
    """Alter what is known of the proofs of some incidents, and tell whether there were any."""
    chosen = [at for at in it.incidents if at.verification and which(at)]
    for at in chosen:
        seen = replace(at.verification, **changes)  # type: ignore[type-var]
        it.incidents[it.incidents.index(at)] = at.but(verification=seen)
    return bool(chosen)


ALTERED: dict[Alter, str] = {
    runs_gone: "I1 runs are durable",
    occasions_gone: "I4 what never starts is raised",
    starts_missed: "I4 what never starts is raised",
    misses_served: "I4 what never starts is raised",
    misses_untold: "I4 what never starts is raised",
    ended_again: "I7 each fix ends once",
    proof_overdue: "I7 each fix ends once",
    claimed_later: "I7 a proof began after the fix",
    proof_forgotten: "I7 a proof counts",
    open_though_proved: "I7 what is proved stays",
    questions_gone: "I7 journal entries are asked for",
    asked_again: "I7 nobody is asked for an entry twice",
    unreached: "I4 whoever is paged is reached in time",
    sent_again: "I6 nothing is sent twice",
    unwritten: "I6 every attempt is written down",
    answers_gone: "I1 an answer by another way counts",
    undecided: "I1 accepted is durable",
    thrown_away: "I1 accepted is durable",
    without_its_alert: "I1 accepted is durable",
    babble_undecided: "I2 unreadable is an alert",
    babble_unheard: "I2 unreadable is an alert",
    counted_again: "I1 each delivery counts once",
    root_again: "I3 one root message",
    root_gone: "I3 one root message",
    buttons_gone: "I3 the root tells the truth",
    ack_left: "I3 the root tells the truth",
    woken_late: "I4 nobody is left un-paged",
    pages_lost: "I4 nobody is left un-paged",
    posted_again: "I6 nothing is posted twice",
    undecided_post: "I6 nothing is made up",
    unanswered: "I1 who asked is answered",
    first_step_gone: "I7 no step is lost",
    all_at_once: "I7 no step comes early",
    left_over: "I7 nothing is stuck",
    given_up: "I7 nothing is stuck",
    grant_gone: "I9 grants end",
    marked_up: "I10 text is text",
    mentions: "I10 text is text",
}


@pytest.fixture(scope="module")
def one_disk() -> Iterator[Disk]:
    with disk() as made:
        yield made


@contextmanager
def taken_back(past: Past) -> Iterator[None]:
    """Let nothing that is altered inside outlast it."""
    world = past.world
    posts = [replace(post) for post in world.slack.posts]
    sendings = [*world.services.sendings] if world.services else []
    world.disk.looker.execute("BEGIN")
    try:
        yield
    finally:
        world.disk.looker.execute("ROLLBACK")
        world.slack.posts[:] = posts
        if world.services:
            world.services.sendings[:] = sendings


def breaks(past: Past, alter: Alter) -> bool:
    check = INVARIANTS[ALTERED[alter]]
    with taken_back(past):
        records = Records(past)
        return alter(records) and bool(list(check(records)))


@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore:The garbage collector is trying to clean up")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_is_altered_afterwards_is_found(one_disk: Disk) -> None:
    """Each life is lived once, and altered in each way that no life before it showed."""
    unfound = [*ALTERED]
    for seed in SEEDS:
        past = live(seed, one_disk)
        assert broken(past) == []
        unfound = [alter for alter in unfound if not breaks(past, alter)]
        if not unfound:
            return
    pytest.fail(f"no life of {len(SEEDS)} is broken by {[alter.__name__ for alter in unfound]}")


def test_every_invariant_is_broken_once() -> None:
    assert {*ALTERED.values(), *LIVING.values()} == set(INVARIANTS)
