"""What must hold of asking for journal entries, read from the database."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator

from bot.journal_jobs import JOURNAL_ASK, JOURNAL_REMIND
from rules.incident import Incident
from rules.journal.prompt import PromptState, person_to_ask
from tests.simulation.records import Invariant, Records


def entries_are_asked_for(it: Records) -> Iterator[str]:
    """Whoever resolved something that troubled somebody is asked for an entry, and is reminded."""
    asked, reminders = _jobs(it, JOURNAL_ASK), _jobs(it, JOURNAL_REMIND)
    prompts = {row["incident_id"]: row for row in it.rows("SELECT * FROM journal_prompt")}
    written = {row["id"] for row in it.rows("SELECT id FROM journal_entry WHERE written = 1")}
    for at in it.incidents:
        if at.is_open or not _is_wanted(it, at) or at.id in written:
            continue
        orders = [row for row in asked[at.id] if row["state"] in {"todo", "done"}]
        prompt = prompts.get(at.id)
        # who says that none is needed before the question could go out is not asked at all
        is_waived = prompt is not None and prompt["state"] == PromptState.WAIVED
        if not orders and not is_waived:
            yield f"nobody is asked for the journal entry of #{at.number}"
        if any(row["state"] == "done" for row in orders) and prompt is None:
            yield f"the question for the journal entry of #{at.number} is not kept"
        if prompt is not None and prompt["state"] == PromptState.OPEN:
            waiting = [row for row in reminders[at.id] if row["state"] == "todo"]
            if not waiting and not any(row["state"] == "todo" for row in orders):
                yield f"nobody is reminded of the journal entry of #{at.number}"


def nobody_is_asked_twice(it: Records) -> Iterator[str]:
    """Of one resolving there is one question and one reminder to come; what is open asks nothing."""
    asked, reminders = _jobs(it, JOURNAL_ASK), _jobs(it, JOURNAL_REMIND)
    for at in it.incidents:
        for what, jobs in (("question", asked[at.id]), ("reminder", reminders[at.id])):
            waiting = [row["key"] for row in jobs if row["state"] == "todo"]
            if len(waiting) > (0 if at.is_open else 1):
                yield f"#{at.number} is {at.state} and has {len(waiting)} of a {what} to come"
        times = Counter(row["prompt"] for row in reminders[at.id])
        if any(n > len(it.past.world.book.journal.remind) + 1 for n in times.values()):
            yield f"#{at.number} was reminded of {max(times.values())} times"
        resolved = {row["key"] for row in asked[at.id]}
        posted = [post for post in it.posts if post.key in resolved]
        if len(posted) > len({post.key for post in posted}) and not it.past.heard.ahead:
            yield f"#{at.number} was asked about twice in its thread"


def _jobs(it: Records, kind: str) -> dict[str, list[sqlite3.Row]]:
    found: dict[str, list[sqlite3.Row]] = defaultdict(list)
    what = "incident_id, key, state, json_extract(payload, '$.prompt') AS prompt"
    for row in it.rows(f"SELECT {what} FROM job WHERE kind = '{kind}'"):
        found[row["incident_id"]].append(row)
    return found


def _is_wanted(it: Records, at: Incident) -> bool:
    return bool(person_to_ask(at)) and it.past.world.book.journal.wanted(at)


JOURNAL_INVARIANTS: dict[str, Invariant] = {
    "I7 journal entries are asked for": entries_are_asked_for,
    "I7 nobody is asked for an entry twice": nobody_is_asked_twice,
}
