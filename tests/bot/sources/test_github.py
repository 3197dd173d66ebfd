"""Workflow runs: which workflow of which branch is broken."""

import json
from urllib.parse import urlencode

import pytest

from bot.sources import registry
from bot.sources.kind import Source, UnreadableError
from rules.alert import AlertStatus, Severity
from tests.fakes.deliveries import delivery, payload
from tests.fakes.vendors import alert_of, alerts_of


def changed(name: str, **fields: object) -> dict[str, object]:
    body = json.loads(payload(f"github/{name}.json"))
    body["workflow_run"] |= fields
    return body


def test_a_failed_run_is_a_broken_workflow() -> None:
    alert = alert_of("github", "failure")
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.title == "Load warehouse failed on main (acme/warehouse)"
    assert alert.url == "https://github.com/acme/warehouse/actions/runs/30433642"
    assert alert.labels["run_attempt"] == "1"


def test_a_second_attempt_that_succeeds_recovers_it() -> None:
    broken, whole = alert_of("github", "failure"), alert_of("github", "success")
    assert whole.status is AlertStatus.RESOLVED
    assert whole.dedup_key == broken.dedup_key
    assert whole.group_key == broken.group_key == "acme/warehouse/run/30433642"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("head_branch", "release"),
        ("workflow_id", 2),
        ("head_repository", {"full_name": "mallory/warehouse"}),
    ],
)
def test_another_branch_workflow_or_fork_is_another_thing(field: str, value: object) -> None:
    other = alert_of("github", changed("success", **{field: value}))
    assert other.dedup_key != alert_of("github", "failure").dedup_key


def test_another_run_of_the_workflow_is_the_same_thing() -> None:
    later = alert_of("github", changed("failure", id=4, run_number=9))
    assert later.dedup_key == alert_of("github", "failure").dedup_key
    assert later.group_key != alert_of("github", "failure").group_key


@pytest.mark.parametrize("conclusion", ["timed_out", "startup_failure"])
def test_a_run_that_never_ended_well_is_broken(conclusion: str) -> None:
    assert alert_of("github", changed("failure", conclusion=conclusion)).status is (
        AlertStatus.FIRING
    )


@pytest.mark.parametrize(
    "conclusion", ["cancelled", "skipped", "neutral", "stale", "action_required", "new", None]
)
def test_other_endings_are_remarks(conclusion: str | None) -> None:
    alert = alert_of("github", changed("failure", conclusion=conclusion))
    assert alert.status is AlertStatus.INFO


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "merge_group"])
def test_what_is_not_merged_yet_pages_nobody(event: str) -> None:
    assert alert_of("github", changed("failure", event=event)).status is AlertStatus.INFO


@pytest.mark.parametrize(
    ("event", "count"), [("schedule", 1), ("push", 1), ("pull_request", 0), ("merge_group", 0)]
)
def test_a_run_for_a_pull_request_is_no_run_of_its_branch(event: str, count: int) -> None:
    body = json.dumps(changed("failure", event=event)).encode()
    parsed = registry.KINDS["github"].parse(
        Source(name="github", kind="github"), delivery(body, source="github")
    )
    assert len(parsed.runs) == count


def test_only_the_branches_that_are_named_matter() -> None:
    options: dict[str, object] = {"branches": ("main",)}
    assert alert_of("github", "failure", options=options).status is AlertStatus.FIRING
    other = changed("failure", head_branch="spike")
    assert alert_of("github", other, options=options).status is AlertStatus.INFO
    fork = changed("failure", head_repository={"full_name": "mallory/warehouse"})
    assert alert_of("github", fork, options=options).status is AlertStatus.INFO


@pytest.mark.parametrize("name", ["ping", "in_progress"])
def test_pings_and_starts_have_nothing_to_tell(name: str) -> None:
    assert alerts_of("github", name) == ()


def test_other_events_have_nothing_to_tell() -> None:
    assert alerts_of("github", {"action": "opened", "repository": {"full_name": "a/b"}}) == ()


def test_the_form_that_github_offers_is_read() -> None:
    form = urlencode({"payload": payload("github/failure.json").decode()}).encode()
    came = delivery(form, content_type="application/x-www-form-urlencoded", source="github")
    (alert,) = registry.KINDS["github"].parse(Source(name="github", kind="github"), came).alerts
    assert alert == alert_of("github", "failure")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "completed", "workflow_run": {"id": 1}},
        changed("failure", workflow_id=None, path=None),
        changed("failure") | {"repository": None},
    ],
)
def test_what_is_not_understood_is_said(body: object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of("github", body)
