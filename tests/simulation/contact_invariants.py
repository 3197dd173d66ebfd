"""What must hold of reaching people besides Slack, read from the services' records and the database."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bot.contact.delivery import ONE_CALL
from bot.contact_jobs import key_of
from rules.contacting.method import ContactStep, Method, read_order
from tests.simulation.records import Invariant, Records, micros
from tests.simulation.services import Sending

_AT_ONCE = 20.0
"""Seconds in which somebody is reached whom Slack does not reach, when nothing else fails."""
_SETTLED = 15.0
"""Seconds after some trouble in which it may still be felt."""
_LOOKED_FOR = frozenset({Method.SMS, Method.NTFY})
"""What the service can be asked for before it is sent again."""
_CLOCKS_APART = timedelta(minutes=2)
"""Further ahead of a service's clock, a bot does not find what it sent a moment ago."""
_ENDINGS = (
    *("Acked", "AckConfirmed", "Resolved", "AlertReceived", "Snoozed", "Muted", "Reassigned"),
    *("Reopened", "Unacked", "Unmuted", "Unsnoozed", "Escalated", "LoopedIn"),
)
"""What may let a page be called off, beside the page itself."""
_STORED = ("is stored", "already has", "asked to help")
"""How an answer begins that was written down as something that somebody did."""


def in_time(it: Records) -> Iterator[str]:
    """Whoever is paged is reached within the wait of their first other method, Slack or no Slack."""
    if it.services is None or it.past.heard.jumped:
        return
    reached: dict[str, list[datetime]] = defaultdict(list)
    for sending in it.services.taken:
        if sending.taken_at is not None:
            reached[sending.page].append(sending.taken_at)
    for post in it.posts:
        reached[post.key].append(post.at)
    first = {
        row["page"]: row
        for row in it.rows(
            "SELECT json_extract(payload, '$.page') AS page, incident_id, created_at, key"
            " FROM job WHERE kind = 'contact' AND json_extract(payload, '$.step') = 1"
        )
    }
    for page, row in first.items():
        began = (row["created_at"] - micros(it.past.world.clock.start)) / 1e6
        wait = _wait(it, page, began)
        soonest = min(map(micros, reached[page]), default=None)
        if soonest is not None and soonest <= row["created_at"] + wait * 1e6:
            continue
        if _waits_everywhere(it, page, began - _SETTLED, began + wait):
            continue
        if _is_calm(it, began - _SETTLED, began + wait) and _is_waited_for(it, row, wait):
            yield f"{page} was decided and {wait:.0f} s later had reached nobody"


def _wait(it: Records, page: str, began: float) -> float:
    """Return within how many seconds a page must have come by some way."""
    if _is_down(it, began, began + _AT_ONCE):
        return _AT_ONCE
    firsts = [steps[0].after for steps in _orders(it, page)]
    return _AT_ONCE + max(firsts).total_seconds()


def _orders(it: Records, page: str) -> list[tuple[ContactStep, ...]]:
    order = read_order(it.past.world.people.by_key(page.rpartition(":")[2]).contact)
    return [order.usual, *order.by_urgency.values()]


def _waits_everywhere(it: Records, page: str, since: float, until: float) -> bool:
    """Tell whether every service that could reach the person asked to wait at some time then."""
    person = page.rpartition(":")[2]

    def shut(step: ContactStep) -> bool:
        waits = _waits(it, step.method, person)
        return any(begins <= until and since <= ends for begins, ends in waits)

    return any(all(map(shut, steps)) for steps in _orders(it, page))


def _waits(it: Records, method: Method, person: str) -> Iterator[tuple[float, float]]:
    """Give when a method was shut, or in a call, for a person."""
    if it.services is None:
        return
    yield from it.services.waits.get((method, person), ())
    for one in it.services.taken:
        if one.method is method is Method.VOICE and one.person == person:
            at = (one.at - it.past.world.clock.start).total_seconds()
            yield at, at + ONE_CALL.total_seconds()


def _is_down(it: Records, since: float, until: float) -> bool:
    """Tell whether Slack took nothing at all in that time."""
    skies = [*it.past.world.fate.skies, (it.past.lasted.total_seconds(), None)]
    return any(
        sky is not None and sky.unreachable == 1.0 and begins <= since - _SETTLED and until <= ends
        for (begins, sky), (ends, _) in pairwise(skies)
    )


def _is_calm(it: Records, since: float, until: float) -> bool:
    """Tell whether nothing but Slack failed in that time, which is part of the life."""
    fails = any(since <= at <= until for at in it.past.world.fate.services)
    return since >= 0 and not fails and _is_whole(it, since, until)


def _is_waited_for(it: Records, row: sqlite3.Row, wait: float) -> bool:
    """Tell whether the incident stayed as it was until then."""
    since = row["created_at"]
    marks = ", ".join(f"'{one}'" for one in _ENDINGS)
    return not it.rows(
        f"SELECT 1 FROM timeline WHERE incident_id = '{row['incident_id']}'"
        f" AND what IN ({marks}) AND at > {since} AND at <= {since + wait * 1e6:.0f}"
    )


def nothing_is_sent_twice(it: Records) -> Iterator[str]:
    """But for what was taken while its sender died, or never heard that it was taken."""
    if it.services is None:
        return
    for (page, method), sent in _by_method(it.services.taken).items():
        for one, again in pairwise(sent):
            if method in _LOOKED_FOR:
                doubtful = it.past.heard.ahead > _CLOCKS_APART
            else:
                doubtful = one.told != "taken" or one.troubles != again.troubles
            if not doubtful:
                yield f"{page} was sent by {method} at {one.at:%H:%M:%S} and at {again.at:%H:%M:%S}"


def _by_method(sendings: Sequence[Sending]) -> dict[tuple[str, Method], list[Sending]]:
    found: dict[tuple[str, Method], list[Sending]] = defaultdict(list)
    for one in sendings:
        found[one.page, one.method].append(one)
    return found


def every_attempt_is_written(it: Records) -> Iterator[str]:
    """Whatever a service was asked, and answered, stands in the ledger: with what came of it."""
    if it.services is None:
        return
    lines: dict[tuple[str, str], int] = defaultdict(int)
    for row in it.rows("SELECT page_key, method FROM contact_attempt WHERE step > 0"):
        lines[row["page_key"], row["method"]] += 1
    for (page, method), tried in _by_method(it.services.sendings).items():
        sure = [one for one in tried if one.told and _is_written(it, one)]
        if len(sure) > lines[page, method]:
            yield f"{page} was tried by {method} {len(sure)} times, the ledger has {lines[page, method]}"


def _is_written(it: Records, sending: Sending) -> bool:
    """Tell whether nothing kept the sender from writing down how it went."""
    began = (sending.at - it.past.world.clock.start).total_seconds()
    return _is_whole(it, began, began + _SETTLED)


def _is_whole(it: Records, since: float, until: float) -> bool:
    """Tell whether every process lived and its database worked in that time."""
    fate = it.past.world.fate
    if until > it.past.lasted.total_seconds():
        return False
    if any(begins < until and ends > since for begins, ends in fate.away):
        return False
    return not any(since <= at <= until for at in fate.inside)


def answers_count(it: Records) -> Iterator[str]:
    """Whoever was told that their acknowledgement is taken, by whatever way, has acknowledged."""
    stored = {row["key"] for row in it.rows("SELECT key FROM inbound WHERE state = 'done'")}
    done = {
        (row["incident_id"], row["by"]) for row in it.rows("SELECT incident_id, by FROM timeline")
    }
    for incident, person, said in it.past.heard.answers:
        begins, ends = f"ack:{incident}:", f":{person}"
        if any(key.startswith(begins) and key.endswith(ends) for key in stored):
            continue
        if any(words in said for words in _STORED) or (
            "is yours" in said and (incident, person) not in done
        ):
            yield f"{person} was told '{said[-90:]}', and nothing of it is stored"


def is_refused(it: Records, key: str) -> bool:
    """Tell whether a service said that it would never take this."""
    return it.services is not None and any(
        one.told == "refused" and key in {key_of(one.page, step) for step in (1, 2)}
        for one in it.services.sendings
    )


CONTACT_INVARIANTS: dict[str, Invariant] = {
    "I4 whoever is paged is reached in time": in_time,
    "I6 nothing is sent twice": nothing_is_sent_twice,
    "I6 every attempt is written down": every_attempt_is_written,
    "I1 an answer by another way counts": answers_count,
}
