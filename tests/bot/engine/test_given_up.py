"""What an incident's story says of what was never delivered."""

from datetime import UTC, datetime

import pytest

from bot.engine.jobs import given_up
from bot.ports.jobs import Job, JobPriority
from rules.sentence import plain

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    "kind", ["nudge", "journal_ask", "journal_remind", "journal_shown", "runbook_result"]
)
def test_it_names_what_was_lost_in_words(kind: str) -> None:
    job = Job(
        id="j1", key="k", kind=kind, lane="", priority=JobPriority.NOTE, payload={},
        incident_id="i1", due_at=NOW, created_at=NOW, first_attempt_at=NOW, attempts=1, lease=1,
        leased_until=NOW, revision=0, unsure=False,
    )  # fmt: skip
    told = given_up(job, "Bo: account_inactive", NOW).sentence.render(plain)
    assert told.startswith(("The ", "What "))
    assert told.endswith(" was given up: Bo: account_inactive")
    assert kind not in told.split()
