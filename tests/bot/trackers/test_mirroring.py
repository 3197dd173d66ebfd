"""A task becomes one issue, whatever the tracker answers and whenever the bot dies."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.ports.delivering import GiveUpError, LeaseLostError, RetryLaterError
from bot.ports.jobs import Job, JobPriority
from bot.store.opening import OpenedStore
from bot.trackers.github import GitHubIssues
from bot.trackers.jira import JiraIssues
from bot.trackers.mirroring import MirrorDeliverer, Tracker, marker_of
from rules.tasks.task import Task, TaskState
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock

Answer = Callable[[], web.Response]


@dataclass
class FakeTracker:
    """GitHub and Jira as far as they are called; `faults` are answered first, one a call."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Answer] = field(default_factory=list)
    after_create: list[Answer] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    auth: set[str] = field(default_factory=set)
    steps: list[dict[str, Any]] = field(default_factory=list)
    stepped: list[str] = field(default_factory=list)
    keeps_labels: bool = True
    """False as GitHub is to whoever may make issues and not push: labels are dropped, silently."""
    is_indexed: bool = True
    """False as Jira's search is for seconds to minutes after an issue was made."""

    async def github(self, request: web.Request) -> web.Response:
        self.auth.add(request.headers["Authorization"])
        self.calls.append((request.method, request.path))
        if self.faults:
            return self.faults.pop(0)()
        if request.method == "GET":
            asked = request.query.get("labels")
            listed = [one for one in self.issues if not asked or asked in one["labels"]]
            return web.json_response(listed)
        body = await request.json()
        if not self.keeps_labels:
            body["labels"] = []
        if request.method == "PATCH":
            self.issues[0] |= body
            return web.json_response(self.issues[0])
        number = len(self.issues) + 1
        issue = {"number": number, "html_url": f"https://github.example/{number}", "state": "open"}
        self.issues.append(issue | body)
        if self.after_create:
            return self.after_create.pop(0)()
        return web.json_response(issue, status=201)

    async def jira(self, request: web.Request) -> web.Response:
        self.auth.add(request.headers["Authorization"])
        self.calls.append((request.method, request.path))
        if self.faults:
            return self.faults.pop(0)()
        path = request.path
        if path.endswith("/search/jql"):
            asked = request.query["jql"]
            found = [one for one in self.issues if one["labels"][1] in asked and self.is_indexed]
            return web.json_response({"issues": [_jira(one) for one in found]})
        if path.endswith("/transitions") and request.method == "GET":
            steps = [
                {"id": "11", "to": {"statusCategory": {"key": "indeterminate"}}},
                {"id": "31", "to": {"statusCategory": {"key": "done"}}},
            ]
            return web.json_response({"transitions": self.steps or steps})
        if path.endswith("/transitions"):
            body = await request.json()
            self.stepped.append(body["transition"]["id"])
            self.issues[0]["status"] = "done" if body["transition"]["id"] == "31" else "new"
            return web.Response(status=204)
        if request.method == "POST":
            body = await request.json()
            self.issues.append({"key": "DATA-1", "status": "new", **body["fields"]})
            if self.after_create:
                return self.after_create.pop(0)()
            return web.json_response({"key": "DATA-1"}, status=201)
        return web.json_response(_jira(self.issues[0]))


def _jira(one: dict[str, Any]) -> dict[str, Any]:
    return {"key": one["key"], "fields": {"status": {"statusCategory": {"key": one["status"]}}}}


@asynccontextmanager
async def serving(fake: FakeTracker, kind: str) -> AsyncIterator[Tracker]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", fake.github if kind == "github" else fake.jira)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with aiohttp.ClientSession() as session:
            if kind == "github":
                yield GitHubIssues(session, url, "acme/data", "secret")
            else:
                auth = ("bot@acme.example", "secret")
                yield JiraIssues(session, url, auth, project="DATA", issue_type="Task")
    finally:
        await runner.cleanup()


async def planned(store: OpenedStore, clock: FakeClock) -> Task:
    made = incident(1, clock.now())
    task = Task(
        id=f"{made.id}-backfill", incident_id=made.id, number=1, rule="backfill",
        title="Backfill <orders>", due_at=clock.now() + timedelta(days=1), created_at=clock.now(),
    )  # fmt: skip
    async with store.store.begin() as tx:
        await tx.load_for([], now=clock.now(), window=timedelta(0))
        tx.save(made)
        tx.tasks.plan([task])
    return task


def job_of(task: Task, begun_at: datetime, **more: Any) -> Job:
    usual: dict[str, Any] = {
        "id": "j1", "key": f"mirror_task:{task.id}", "kind": "mirror_task", "lane": "tracker",
        "priority": JobPriority.NOTE, "payload": {"task": task.id}, "due_at": begun_at,
        "incident_id": task.incident_id, "created_at": begun_at, "first_attempt_at": begun_at,
        "attempts": 1, "lease": 1, "leased_until": begun_at, "revision": 0, "unsure": False,
    }  # fmt: skip
    return Job(**usual | more)


async def deliver(
    store: OpenedStore, clock: FakeClock, tracker: Tracker, task: Task, job: Job | None = None
) -> None:
    deliverer = MirrorDeliverer(tracker, store.store, store.reader, store.tasks, clock)
    await deliverer.deliver(job or job_of(task, clock.now()))


@pytest.mark.parametrize("kind", ["github", "jira"])
async def test_a_task_is_made_once_closed_with_it_and_opened_again(
    kind: str, opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    async with serving(fake, kind) as tracker:
        await deliver(opened_store, clock, tracker, task)
        kept = await opened_store.tasks.task(task.id)
        assert kept is not None
        assert kept.mirror_key == ("1" if kind == "github" else "DATA-1")
        assert kept.mirror_url.startswith("http")
        assert marker_of(task) in json.dumps(fake.issues[0])
        async with opened_store.store.begin() as tx:
            await tx.tasks.save(replace(kept, state=TaskState.DONE))
        await deliver(opened_store, clock, tracker, task)
        closed = fake.issues[0].get("state") == "closed" or fake.issues[0].get("status") == "done"
        assert closed
        async with opened_store.store.begin() as tx:
            await tx.tasks.save(replace(kept, state=TaskState.OPEN))
        await deliver(opened_store, clock, tracker, task)
        assert fake.issues[0].get("state", "open") == "open"
        assert fake.issues[0].get("status", "new") == "new"
    assert len(fake.issues) == 1
    assert "secret" not in repr(tracker)


@pytest.mark.parametrize("kind", ["github", "jira"])
async def test_an_issue_made_before_a_crash_is_found_and_not_made_again(
    kind: str, opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    async with serving(fake, kind) as tracker:
        await tracker.create(task.title, "made, and then the process died", marker_of(task))
        await deliver(opened_store, clock, tracker, task)
    assert len(fake.issues) == 1
    kept = await opened_store.tasks.task(task.id)
    assert kept is not None
    assert kept.mirror_key


async def test_an_answer_that_is_lost_after_it_was_made_makes_no_second(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    fake.after_create.append(lambda: web.Response(status=502))
    async with serving(fake, "github") as tracker:
        with pytest.raises(RetryLaterError) as caught:
            await deliver(opened_store, clock, tracker, task)
        assert caught.value.unsure
        await deliver(opened_store, clock, tracker, task)
    assert len(fake.issues) == 1


def _step(its_id: str, name: str, category: str = "done") -> dict[str, Any]:
    return {"id": its_id, "to": {"name": name, "statusCategory": {"key": category}}}


@pytest.mark.parametrize(
    ("offered", "needed", "taken"),
    [
        (["Cancelled", "Done"], True, "Done"),
        (["Cancelled", "Done"], False, "Cancelled"),
        (["Done", "Won\u2019t do"], False, "Won\u2019t do"),
        (["Rejected"], True, "Rejected"),
        (["Erledigt", "Verworfen"], False, "Erledigt"),
    ],
)
async def test_jira_is_told_whether_it_was_done_or_not_needed(
    offered: list[str], needed: bool, taken: str
) -> None:
    fake = FakeTracker(steps=[_step("1", "Doing", "indeterminate")])
    fake.steps += [_step(name, name) for name in offered]
    async with serving(fake, "jira") as tracker:
        await tracker.create("Backfill", "it", "watchbill-m")
        await tracker.agree("DATA-1", is_open=False, needed=needed)
    assert fake.stepped == [taken]


async def test_whoever_may_set_no_labels_makes_no_second_issue_either(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker(keeps_labels=False)
    fake.after_create.append(lambda: web.Response(status=504))
    async with serving(fake, "github") as tracker:
        with pytest.raises(RetryLaterError):
            await deliver(opened_store, clock, tracker, task)
        await deliver(opened_store, clock, tracker, task)
    assert len(fake.issues) == 1


async def test_an_issue_that_jira_does_not_find_yet_is_not_made_again(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker(is_indexed=False)
    fake.after_create.append(lambda: web.Response(status=504))
    begun = clock.now()
    async with serving(fake, "jira") as tracker:
        with pytest.raises(RetryLaterError) as lost:
            await deliver(opened_store, clock, tracker, task)
        assert lost.value.unsure
        assert lost.value.after is not None
        assert lost.value.after >= timedelta(minutes=2)
        # the process died in the middle, and another one looks six seconds later
        clock.advance(seconds=6)
        with pytest.raises(RetryLaterError, match="may have been made") as early:
            await deliver(opened_store, clock, tracker, task, job_of(task, begun, unsure=True))
        assert early.value.after is not None
        assert len(fake.issues) == 1
        clock.advance(seconds=early.value.after.total_seconds())
        fake.is_indexed = True
        await deliver(opened_store, clock, tracker, task, job_of(task, begun, unsure=True))
    assert len(fake.issues) == 1
    kept = await opened_store.tasks.task(task.id)
    assert kept is not None
    assert kept.mirror_key == "DATA-1"


async def test_what_was_never_made_is_made_after_the_wait(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    begun = clock.now() - timedelta(minutes=5)
    async with serving(fake, "jira") as tracker:
        await deliver(opened_store, clock, tracker, task, job_of(task, begun, unsure=True))
    assert len(fake.issues) == 1


@pytest.mark.parametrize("kind", ["github", "jira"])
async def test_a_machine_that_slept_makes_nothing(
    kind: str, opened_store: OpenedStore, clock: FakeClock
) -> None:
    async def lost() -> bool:
        return False

    task, fake = await planned(opened_store, clock), FakeTracker()
    job = job_of(task, clock.now(), still_ours=lost)
    async with serving(fake, kind) as tracker:
        with pytest.raises(LeaseLostError):
            await deliver(opened_store, clock, tracker, task, job)
    assert fake.issues == []


LIMITS = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
ON_NO_SCREEN = "Field 'labels' cannot be set. It is not on the appropriate screen, or unknown."


@pytest.mark.parametrize(
    ("status", "headers"), [(403, {"X-RateLimit-Remaining": "4999"}), (403, {}), (429, {})]
)
async def test_a_limit_that_names_no_time_is_waited_for(
    status: int, headers: dict[str, str], opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    said = {"message": LIMITS}
    fake.faults.append(lambda: web.json_response(said, status=status, headers=headers))
    async with serving(fake, "github") as tracker:
        with pytest.raises(RetryLaterError) as caught:
            await deliver(opened_store, clock, tracker, task)
    assert (caught.value.throttled, caught.value.after) == (True, timedelta(minutes=1))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"errorMessages": [], "errors": {"labels": ON_NO_SCREEN}}, f"labels: {ON_NO_SCREEN}"),
        ({"errorMessages": ["The value 'DATA' does not exist."], "errors": {}}, "'DATA' does not"),
        ({"message": "Validation Failed", "errors": [{"field": "title"}]}, "Validation Failed"),
    ],
)
async def test_a_refusal_says_why_in_the_tracker_s_own_words(
    said: dict[str, Any], words: str, opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    fake.faults.append(lambda: web.json_response(said, status=400))
    async with serving(fake, "jira") as tracker:
        with pytest.raises(GiveUpError) as caught:
            await deliver(opened_store, clock, tracker, task)
    assert words in str(caught.value)


@pytest.mark.parametrize("kind", ["github", "jira"])
@pytest.mark.parametrize(
    ("status", "headers", "error", "words"),
    [
        (401, {}, GiveUpError, "renew `task_tracker.token`"),
        (403, {}, GiveUpError, "the right to issues"),
        (403, {"X-RateLimit-Remaining": "0"}, RetryLaterError, "asks us to wait"),
        (404, {}, GiveUpError, "no such project or issue.*check `task_tracker`"),
        (422, {}, GiveUpError, "answered 422"),
        (429, {"Retry-After": "7"}, RetryLaterError, "asks us to wait"),
        (500, {}, RetryLaterError, "answered 500"),
        (302, {"Location": "http://127.0.0.1:1/"}, GiveUpError, "answered 302"),
    ],
)
async def test_each_refusal_says_what_to_do(
    kind: str,
    status: int,
    headers: dict[str, str],
    error: type[GiveUpError | RetryLaterError],
    words: str,
    opened_store: OpenedStore,
    clock: FakeClock,
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    fake.faults.append(lambda: web.Response(status=status, headers=headers, text="no"))
    async with serving(fake, kind) as tracker:
        with pytest.raises(error, match=words) as caught:
            await deliver(opened_store, clock, tracker, task)
    if isinstance(caught.value, RetryLaterError) and status == 429:
        assert caught.value.after == timedelta(seconds=7)
        assert caught.value.throttled
    assert fake.issues == []


async def test_nobody_there_and_no_json_are_told_apart(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    fake.faults.append(lambda: web.Response(text="<html>"))
    async with serving(fake, "github") as tracker:
        with pytest.raises(GiveUpError, match="not with JSON"):
            await deliver(opened_store, clock, tracker, task)
    async with aiohttp.ClientSession() as session:
        gone = GitHubIssues(session, "http://127.0.0.1:9", "acme/data", "secret")
        with pytest.raises(RetryLaterError, match="cannot be reached"):
            await deliver(opened_store, clock, gone, task)


HOSTILE = "@acme/everyone ![x](https://evil.example/x.png) closes #1 ```` <!-- watchbill-x -->\n```"


async def test_what_an_alert_wrote_mentions_and_links_nobody_in_an_issue() -> None:
    fake = FakeTracker()
    async with serving(fake, "github") as tracker:
        await tracker.create(f"{HOSTILE} {'x' * 400}", f"After #1: {HOSTILE}", "watchbill-m")
    (made,) = fake.issues
    assert "\n" not in made["title"]
    assert len(made["title"]) <= 250
    fence, *inside = made["body"].split("\n")
    assert fence == "`````text"
    assert inside.index("`````") == len(inside) - 3  # only the marker stands outside
    assert inside[-1] == "<!-- watchbill-m -->"


@pytest.mark.parametrize("said", ["9" * 30, "9" * 5_000, "٣", "-1", "soon"])
async def test_an_odd_wish_to_wait_is_bounded(
    said: str, opened_store: OpenedStore, clock: FakeClock
) -> None:
    task, fake = await planned(opened_store, clock), FakeTracker()
    fake.faults.append(lambda: web.Response(status=429, headers={"Retry-After": said}))
    async with serving(fake, "github") as tracker:
        with pytest.raises(RetryLaterError) as caught:
            await deliver(opened_store, clock, tracker, task)
    assert caught.value.after is None or caught.value.after <= timedelta(hours=1)
