"""What must hold of every life that is over, read from Slack's records and the database."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.contact_jobs import CONTACT
from rules.audit import lost_pages
from rules.incident import Incident, State
from tests.simulation.contact_invariants import CONTACT_INVARIANTS, is_refused
from tests.simulation.journal_invariants import JOURNAL_INVARIANTS
from tests.simulation.life import Past
from tests.simulation.records import Invariant, Records, micros
from tests.simulation.run_invariants import RUN_INVARIANTS

_SOON = timedelta(minutes=2)
_CLOCKS_APART = timedelta(minutes=2)
"""Further ahead of Slack's clock, a bot does not look for its own posts where they are."""
_HOSTILE = ("<!channel>", "<https://evil", "<!here>")
_BUTTON = {State.TRIGGERED: "ack", State.ACKNOWLEDGED: "unack", State.RESOLVED: "reopen"}


def broken(past: Past) -> list[str]:
    """Return every invariant that the life broke, in words; nothing when all hold."""
    records = Records(past)
    return [f"{name}: {fault}" for name, check in INVARIANTS.items() for fault in check(records)]


def accepted_is_durable(it: Records) -> Iterator[str]:
    stored = {row["key"]: row["state"] for row in it.rows("SELECT key, state FROM inbound")}
    heard = it.past.heard
    for key in [*heard.accepted, *heard.acts]:
        if stored.get(key) != "done":
            yield f"{key} was accepted and is {stored.get(key, 'gone')}"
    for row in it.rows("SELECT key, error FROM inbound WHERE error != ''"):
        yield f"{row['key']} could not be decided: {row['error']}"
    things = {row["dedup_key"] for row in it.rows("SELECT dedup_key FROM alert")}
    for key, thing in heard.accepted.items():
        if thing not in things:
            yield f"the alert of {thing} ({key}) is lost"


def unreadable_is_an_alert(it: Records) -> Iterator[str]:
    stored = {row["key"]: row["state"] for row in it.rows("SELECT key, state FROM inbound")}
    for key in it.past.heard.babbled:
        if stored.get(key) != "done":
            yield f"{key} was accepted and is {stored.get(key, 'gone')}"
    shown = it.rows("SELECT 1 FROM alert WHERE source = 'generic' AND dedup_key NOT LIKE 'job-%'")
    if it.past.heard.babbled and not shown:
        yield f"{it.past.heard.babbled} cannot be read, and nobody hears of it"


def each_delivery_counts_once(it: Records) -> Iterator[str]:
    tried = Counter(
        json.loads(row["body"])["key"]
        for row in it.rows("SELECT key, body FROM inbound WHERE source = 'generic'")
        if row["key"] not in it.past.heard.babble
    )
    for row in it.rows("SELECT dedup_key, sum(count) AS n FROM alert GROUP BY dedup_key"):
        if row["dedup_key"] in tried and row["n"] > tried[row["dedup_key"]]:
            yield f"{row['dedup_key']} was counted {row['n']} times of {tried[row['dedup_key']]}"


def one_root(it: Records) -> Iterator[str]:
    for incident in it.incidents:
        found = len(it.roots(incident))
        wanted = 0 if incident.hidden else 1
        if found > 1 and it.past.heard.ahead > _CLOCKS_APART:
            continue
        if found < wanted and f"show:{incident.id}" in it.under_way:
            continue
        if found > 1 or (found < wanted and incident.channel):
            yield f"#{incident.number} has {found} messages in the channel"


def root_tells_the_truth(it: Records) -> Iterator[str]:
    for incident in it.incidents:
        if f"show:{incident.id}" in it.under_way:
            continue
        for root in it.roots(incident)[-1:]:
            buttons = set(_actions(root.blocks))
            if incident.is_open and _BUTTON[incident.state] not in buttons:
                yield f"#{incident.number} is {incident.state} and shows {sorted(buttons)}"
            if not incident.is_open and "ack" in buttons:
                yield f"#{incident.number} is {incident.state} and can be acknowledged"


def nobody_is_left_unpaged(it: Records) -> Iterator[str]:
    stored = {row["id"]: row["wake_at"] for row in it.rows("SELECT id, wake_at FROM incident")}
    done = {post.key for post in it.posts} | it.under_way
    for at in it.incidents:
        if not at.is_open:
            continue
        if at.wake_at is not None and stored[at.id] != micros(at.wake_at):
            yield f"#{at.number} is not woken when it asked to be"
        if at.wake_at is not None and at.wake_at < it.past.ended_at - _SOON:
            yield f"#{at.number} should have been woken at {at.wake_at:%H:%M}"
        if at.state is not State.TRIGGERED or not at.pages or at.muted:
            continue
        if at.step_due_at is None:
            yield f"#{at.number} waits for somebody, and nothing is due"
        if lost := lost_pages(at, done):
            yield f"#{at.number}: the page of {', '.join(lost)} never reached Slack"


def no_page_starts_after_the_ack(it: Records) -> Iterator[str]:
    yield from it.past.world.slack.late_pages
    yield from it.services.late if it.services else ()


def nothing_is_posted_twice(it: Records) -> Iterator[str]:
    if it.past.heard.ahead > _CLOCKS_APART:
        return
    for key, times in it.by_key.items():
        if key and times > 1:
            yield f"{key} was posted {times} times"


def nothing_is_made_up(it: Records) -> Iterator[str]:
    """Whatever was posted had been decided, and the decision stored."""
    decided = {row["key"] for row in it.rows("SELECT key FROM job")}
    for key in it.by_key:
        if key and key not in decided:
            yield f"{key} was posted and nobody had decided it"


def who_asked_is_answered(it: Records) -> Iterator[str]:
    keys = {row["key"]: row["id"] for row in it.rows("SELECT key, id FROM inbound")}
    answered = {row["key"] for row in it.rows("SELECT key FROM job WHERE kind = 'answer'")}
    for key, act in it.past.heard.acts.items():
        if key in keys and f"answer:{keys[key]}" not in answered:
            yield f"nobody answered {key}: {act[:80]}"


def steps_are_whole(it: Records) -> Iterator[str]:
    """No step of a policy whose time has passed is missing, and none came under another key."""
    done = {key.rpartition(":")[0] for key in it.by_key}
    for at in it.incidents:
        waits = at.state is State.TRIGGERED and at.pages and at.muted is None
        if not (waits and _is_over(it, at)) or _forced(it, at):
            continue
        for step in range(len(at.policy.steps)):
            if f"{at.id}:{at.generation}.0.{step}" not in done:
                yield f"#{at.number}: step {step + 1} of its policy paged nobody"


def _is_over(it: Records, at: Incident) -> bool:
    """Tell whether the whole policy has had its time, as it says itself or as the clock does."""
    if at.exhausted and at.step >= len(at.policy.steps):
        return True
    if it.past.heard.jumped or it.rows("SELECT 1 FROM silence"):
        return False
    began = it.rows(
        "SELECT min(created_at) AS at FROM job"
        f" WHERE kind = 'page' AND key LIKE '{at.id}:{at.generation}.0.%'"
    )[0]["at"]
    needed = sum((step.wait for step in at.policy.steps), 2 * _SOON)
    return began is not None and began < micros(it.past.ended_at - needed)


def no_step_comes_early(it: Records) -> Iterator[str]:
    """Between the decisions on two steps lies the wait, unless a person asked for more.

    What a process decided before it slept and stored afterwards counts from the decision.
    """
    if it.past.heard.jumped or it.past.heard.slept:
        return
    times = {
        row["key"].rpartition(":")[0]: row["created_at"]
        for row in it.rows("SELECT key, created_at FROM job WHERE kind = 'page'")
    }
    for at in it.incidents:
        if _forced(it, at):
            continue
        for generation in range(at.generation + 1):
            for step, one in enumerate(at.policy.steps[:-1]):
                key = f"{at.id}:{generation}.0.{step}"
                then = f"{at.id}:{generation}.0.{step + 1}"
                if key in times and then in times:
                    early = one.wait / timedelta(microseconds=1) - (times[then] - times[key])
                    if early > 1e6:
                        yield f"#{at.number}: step {step + 2} came {early / 1e6:.0f} s early"


def nothing_is_stuck(it: Records) -> Iterator[str]:
    late = micros(it.past.ended_at - _SOON)
    for row in it.rows(
        f"SELECT key, kind, error FROM job WHERE state = 'todo' AND next_at < {late}"
    ):
        yield f"{row['kind']} {row['key']} is still to do: {row['error']}"
    for row in it.rows("SELECT key, kind, error FROM job WHERE state = 'dead'"):
        if row["kind"] == CONTACT and is_refused(it, row["key"]):
            continue
        yield f"{row['kind']} {row['key']} was given up: {row['error']}"


def retry_after_is_respected(it: Records) -> Iterator[str]:
    if not it.past.heard.jumped:
        yield from it.past.world.slack.hasty
        yield from it.services.hasty if it.services else ()


def grants_end_and_follow(it: Records) -> Iterator[str]:
    """Who is in the group is who is on call, and whoever was granted it and still is."""
    now, world = it.past.ended_at, it.past.world
    wanted = set()
    for row in it.rows("SELECT person, body FROM access_grant WHERE open = 1"):
        body = json.loads(row["body"])
        until = body.get("until")
        if until and _at(until) < now - _SOON:
            yield f"the grant of {row['person']} should have ended at {until}"
        if body["state"] in {"granting", "active"}:
            wanted.add(row["person"])
    if set(world.groups.held.get("prod", {})) != wanted:
        yield f"in the group are {sorted(world.groups.held.get('prod', {}))}, granted is {sorted(wanted)}"
    missing = set(it.past.on_call) - wanted
    # asked of one that slept, it is answered to nobody and carried out all the same
    emergency = it.rows("SELECT 1 FROM inbound WHERE CAST(body AS TEXT) LIKE '%revoke_all%'")
    if missing and not emergency:
        yield f"{sorted(missing)} is on call and has no access"


def outside_text_is_text(it: Records) -> Iterator[str]:
    for post in it.posts:
        said = " ".join([post.text, *_marked_up(post.blocks)])
        for words in _HOSTILE:
            if words in said:
                yield f"{post.key} holds {words} from outside"


INVARIANTS: dict[str, Invariant] = {
    "I1 accepted is durable": accepted_is_durable,
    "I2 unreadable is an alert": unreadable_is_an_alert,
    "I1 each delivery counts once": each_delivery_counts_once,
    "I3 one root message": one_root,
    "I3 the root tells the truth": root_tells_the_truth,
    "I4 nobody is left un-paged": nobody_is_left_unpaged,
    "I5 ack stops it": no_page_starts_after_the_ack,
    "I6 nothing is posted twice": nothing_is_posted_twice,
    "I6 nothing is made up": nothing_is_made_up,
    "I1 who asked is answered": who_asked_is_answered,
    "I7 no step is lost": steps_are_whole,
    "I7 no step comes early": no_step_comes_early,
    "I7 nothing is stuck": nothing_is_stuck,
    "I9 grants end": grants_end_and_follow,
    "I10 text is text": outside_text_is_text,
    "I12 Retry-After is respected": retry_after_is_respected,
    **CONTACT_INVARIANTS,
    **JOURNAL_INVARIANTS,
    **RUN_INVARIANTS,
}


def _actions(blocks: object) -> Iterator[str]:
    if isinstance(blocks, dict):
        if "action_id" in blocks:
            yield str(blocks["action_id"])
        blocks = list(blocks.values())
    if isinstance(blocks, list):
        for one in blocks:
            yield from _actions(one)
    elif isinstance(blocks, str) and ":" in blocks:
        yield blocks.partition(":")[0]  # what an overflow menu offers


def _marked_up(blocks: object) -> Iterator[str]:
    """Yield what Slack would read as its markup; plain text is shown as it is."""
    if isinstance(blocks, dict):
        if blocks.get("type") == "mrkdwn":
            yield str(blocks["text"])
        blocks = list(blocks.values())
    if isinstance(blocks, list):
        for one in blocks:
            yield from _marked_up(one)


def _forced(it: Records, at: Incident) -> bool:
    """Tell whether a person moved its policy by hand."""
    found = it.rows(f"SELECT what FROM timeline WHERE incident_id = '{at.id}'")
    return any(row["what"] in {"Escalated", "Reassigned", "Resumed", "Snoozed"} for row in found)


def _at(written: str) -> datetime:
    return datetime.fromisoformat(written)
