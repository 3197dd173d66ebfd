"""Followers against the local workspace, with the real client: what is written, repaired, told."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.duty_jobs import follow_job
from bot.ports.delivering import Delivered, Retry, RetryLaterError
from bot.ports.jobs import Job
from bot.slack.announcing import announce
from bot.slack.api import SlackApi, new_session, web_client
from bot.slack.desk import Desk
from bot.slack.duty.followers import Follow, FollowParts
from bot.slack.duty.places import Surroundings
from bot.store.opening import OpenedStore
from bot.workspace.model import Channel
from bot.workspace.server import RunningWorkspace
from bot.workspace.state import Workspace
from rules.people import People, Person
from rules.rotation import OnCall, Span
from rules.schedule.following import Follower, FollowerKind, plan_of
from tests.fakes.clock import FakeClock

ANA, BO, CY, DEE = (f"{name}@example.com" for name in ("ana", "bo", "cy", "dee"))
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GROUP = Follower(kind=FollowerKind.USER_GROUP, place="data-oncall")
TOPIC = Follower(kind=FollowerKind.TOPIC, place="data-alerts", roles=("primary",))
BOOKMARK = Follower(kind=FollowerKind.BOOKMARK, place="data-alerts", roles=("primary",))


class Stage:
    """One follower at work: who is on call, what Slack shows, what was told."""

    def __init__(
        self, desk: Desk, workspace: Workspace, store: OpenedStore, clock: FakeClock
    ) -> None:
        self.on_call = OnCall()
        self.clock, self.workspace, self.store = clock, workspace, store
        self.fallback: tuple[str, ...] = ()
        book = desk.rulebook()
        self.desk = replace(
            desk,
            clock=clock,
            on_call=lambda: self.on_call,
            rulebook=lambda: replace(book, fallback=self.fallback),
        )
        self.followers = {f.name: f for f in (GROUP, TOPIC, BOOKMARK)}
        self.use(desk.api)

    def use(self, group_api: SlackApi) -> None:
        around = Surroundings(
            desk=self.desk, group_api=group_api, zone=lambda _rotation: "Europe/Berlin"
        )
        self.follow = Follow(
            FollowParts(
                around=around,
                followers=self.followers,
                states=self.store.followers,
                store=self.store.store,
                channel="others",
            )
        )

    def puts(self, *people: str, hours: int = 6, role: str = "primary") -> None:
        now = self.clock.now()
        span = Span(now - HOUR, now + hours * HOUR, "data", role, people)
        later = Span(span.end, span.end + HOUR, "data", role, (CY,))
        self.on_call = OnCall([span, later])

    async def runs(self, follower: Follower) -> None:
        """Carry out the job as the outbox does; then tell what is waiting to be told."""
        now = self.clock.advance(seconds=2)
        if follower.name in self.followers:
            plan = plan_of(self.on_call, follower, now, self.fallback)
            await self.store.followers.want({follower.name: plan}, now)
        async with self.store.store.begin() as tx:
            tx.enqueue(follow_job(follower.name, self.clock.now()))
        for _ in range(2):
            for job in await self.store.queue.claim(self.clock.now(), 10):
                await self._work(job)

    async def _work(self, job: Job) -> None:
        try:
            if job.kind == "announce":
                await announce(self.desk, job)
            else:
                await self.follow.deliver(job)
            outcome: Delivered | Retry = Delivered()
        except RetryLaterError as error:
            outcome = Retry(self.clock.now(), str(error))
            self.trouble = str(error)
        async with self.store.store.begin() as tx:
            await tx.finish_job(job, outcome, self.clock.now())

    async def passes(self, **delta: float) -> None:
        self.clock.advance(**delta)

    @property
    def group(self) -> list[str]:
        (group,) = self.workspace.groups.values()
        return [self.workspace.users[user].name for user in group.users]

    @property
    def channel(self) -> Channel:
        return self.workspace.conversation("data-alerts")

    @property
    def told(self) -> list[str]:
        return [message.text for message in self.workspace.messages("others")]

    def calls(self, method: str) -> int:
        return sum(call.method == method for call in self.workspace.calls)


@pytest.fixture
def stage(desk: Desk, workspace: Workspace, opened_store: OpenedStore, clock: FakeClock) -> Stage:
    return Stage(desk, workspace, opened_store, clock)


async def test_the_group_is_whoever_is_on_call(stage: Stage) -> None:
    stage.puts(BO, CY)
    await stage.runs(GROUP)
    assert sorted(stage.group) == ["bo", "cy"]
    state = await stage.store.followers.follower(GROUP.name)
    assert (state.problem, state.behind_since, state.applied) == ("", None, f"{BO}, {CY}")
    await stage.passes(minutes=3)
    await stage.runs(GROUP)
    assert stage.calls("usergroups.users.update") == 1, "what is right is not written again"
    assert stage.told == []


async def test_an_empty_rotation_puts_the_fallback_in(stage: Stage) -> None:
    stage.fallback = (CY,)
    await stage.runs(GROUP)
    assert stage.group == ["cy"]


async def test_without_any_fallback_the_group_is_left_alone_and_that_is_told(stage: Stage) -> None:
    await stage.runs(GROUP)
    assert stage.group == ["ana"]
    assert "nobody is on call and there is no fallback" in stage.told[0]
    assert stage.calls("usergroups.users.update") == 0


async def test_who_is_not_linked_stops_the_whole_group_and_is_named(stage: Stage) -> None:
    stage.puts(BO, "nobody@example.com")
    for _ in range(3):
        await stage.runs(GROUP)
        await stage.passes(minutes=3)
    assert stage.group == ["ana"], "never half of it"
    (told,) = stage.told
    assert "nobody is not linked" in told
    assert "correct the e-mail" in told
    stage.puts(BO)
    await stage.runs(GROUP)
    assert stage.group == ["bo"]
    assert stage.told[1:] == ["The user group @data-oncall shows who is on call again."]


async def test_drift_is_repaired_once_and_a_war_is_left(stage: Stage) -> None:
    (group,) = stage.workspace.groups.values()
    stage.puts(BO)
    await stage.runs(GROUP)
    group.users = [stage.workspace.person("ana").id]
    await stage.passes(minutes=3)
    await stage.runs(GROUP)
    assert stage.group == ["bo"]
    group.users = [stage.workspace.person("ana").id]
    for _ in range(10):
        await stage.passes(minutes=5)
        await stage.runs(GROUP)
    assert stage.group == ["ana"]
    (told,) = stage.told
    assert "left alone for an hour" in told
    state = await stage.store.followers.follower(GROUP.name)
    assert state.lag(stage.clock.now()) > 0
    await stage.passes(minutes=30)
    await stage.runs(GROUP)
    assert stage.group == ["bo"]
    assert len(stage.told) == 2


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("missing_scope", "watchbill manifest"),
        ("permission_denied", "slack.user_token"),
        ("paid_teams_only", "followers.topic"),
        ("plan_upgrade_required", "paid Slack plan"),
        ("no_such_subteam", "Create it"),
        ("invalid_users", "watchbill people"),
        ("something_new", "something_new"),
    ],
)
async def test_a_refusal_is_told_once_with_what_to_do(stage: Stage, code: str, words: str) -> None:
    stage.workspace.faults.add(method="usergroups.users.update", kind="error", error=code, times=3)
    stage.puts(BO)
    for _ in range(3):
        await stage.runs(GROUP)
        await stage.passes(minutes=3)
    assert stage.group == ["ana"]
    (told,) = stage.told
    assert words in told
    assert words in (await stage.store.followers.follower(GROUP.name)).problem
    await stage.runs(GROUP)
    assert stage.group == ["bo"]
    assert len(stage.told) == 2


async def test_the_plan_and_the_permission_are_those_of_the_workspace(
    stage: Stage, running: RunningWorkspace
) -> None:
    stage.workspace.bot_may_edit_groups = False
    stage.puts(BO)
    await stage.runs(GROUP)
    assert "does not let the app edit user groups" in stage.told[0]
    async with new_session() as session:
        stage.use(SlackApi(web_client(stage.workspace.user_token, running.api_url, session)))
        await stage.runs(GROUP)
        assert stage.group == ["bo"]
        stage.workspace.paid_plan = False
        await stage.passes(minutes=3)
        await stage.runs(GROUP)
    assert "need a paid Slack plan" in stage.told[-1]


async def test_without_the_scopes_it_says_which_page_to_install_from(stage: Stage) -> None:
    stage.workspace.scopes -= {"usergroups:read", "usergroups:write"}
    stage.puts(BO)
    await stage.runs(GROUP)
    assert "lacks a scope" in stage.told[0]


async def test_a_group_that_is_not_there_or_switched_off_is_told(stage: Stage) -> None:
    (group,) = stage.workspace.groups.values()
    stage.puts(BO)
    group.disabled = True
    await stage.runs(GROUP)
    stage.workspace.groups.clear()
    await stage.runs(GROUP)
    assert "switched off" in stage.told[0]
    assert "there is no user group @data-oncall" in stage.told[1]


METHODS: dict[str, tuple[Follower, str]] = {
    "usergroups.list": (GROUP, "group"),
    "usergroups.users.update": (GROUP, "group"),
    "users.lookupByEmail": (GROUP, "group"),
    "conversations.info": (TOPIC, "topic"),
    "conversations.setTopic": (TOPIC, "topic"),
    "conversations.list": (TOPIC, "topic"),
    "bookmarks.list": (BOOKMARK, "bookmark"),
    "bookmarks.add": (BOOKMARK, "bookmark"),
}
SHOWS: dict[str, Callable[[Stage], bool]] = {
    "group": lambda stage: stage.group == ["bo"],
    "topic": lambda stage: stage.channel.topic == "[On call: Bo until 10:02]",
    "bookmark": lambda stage: (
        [b["title"] for b in stage.channel.bookmarks] == ["On call: Bo until 10:02"]
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "kind", ["ratelimited", "http_503", "html", "drop_before", "drop_after_commit"]
)
async def test_every_call_that_fails_is_tried_again_and_done_once(
    stage: Stage, method: str, kind: str
) -> None:
    follower, shown = METHODS[method]
    stage.workspace.faults.add(method=method, kind=kind)  # type: ignore[arg-type]
    stage.workspace.person("bo").email = BO
    stage.desk.directory._people = lambda: People([Person(BO, "Bo", BO)])
    stage.puts(BO)
    await stage.runs(follower)
    state = await stage.store.followers.follower(follower.name)
    if not kind.startswith("drop"):  # which the HTTP client may repeat by itself
        assert state.problem != ""
        assert state.behind_since is not None
    await stage.passes(seconds=30)
    await stage.runs(follower)
    assert SHOWS[shown](stage)
    assert (await stage.store.followers.follower(follower.name)).problem == ""
    assert stage.told == [], "what passes by itself is not worth a message"


async def test_a_long_outage_is_told_once(stage: Stage) -> None:
    stage.workspace.faults.add(method="usergroups.list", kind="http_503", times=8)
    stage.puts(BO)
    for _ in range(8):
        await stage.runs(GROUP)
        await stage.passes(minutes=1)
    assert len(stage.told) == 1
    assert "It is tried on" in stage.told[0]


async def test_only_our_part_of_the_topic_changes(stage: Stage) -> None:
    stage.channel.topic = "Alerts &amp; more: <https://x.example|runbook>"
    stage.puts(BO)
    await stage.runs(TOPIC)
    assert stage.channel.topic == (
        "Alerts &amp; more: <https://x.example|runbook> [On call: Bo until 10:02]"
    )
    stage.channel.topic = "[On call: Bo until 10:02] Now with my text behind"
    stage.puts(CY)
    await stage.runs(TOPIC)
    assert stage.channel.topic == "[On call: Cy until 11:02] Now with my text behind"


async def test_a_full_topic_is_shortened_then_left_and_told(stage: Stage) -> None:
    stage.channel.topic = "x" * 234
    stage.puts(BO)
    await stage.runs(TOPIC)
    assert stage.channel.topic == "x" * 234 + " [On call: Bo]"
    stage.channel.topic = "x" * 240
    await stage.runs(TOPIC)
    assert stage.channel.topic == "x" * 240
    assert "no room left in the topic" in stage.told[0]


async def test_names_from_outside_cannot_format_the_topic(stage: Stage) -> None:
    person = stage.workspace.person("bo")
    person.real_name = "<!channel> & ]["
    stage.puts(f"slack:{person.id}")
    await stage.desk.directory.learn(person.id)
    await stage.runs(TOPIC)
    assert stage.channel.topic == "[On call: &lt;!channel&gt; &amp; )( until 10:02]"


async def test_a_channel_is_entered_when_that_is_allowed(stage: Stage) -> None:
    stage.channel.members.remove(stage.workspace.bot_user_id)
    stage.puts(BO)
    await stage.runs(TOPIC)
    assert "[On call: Bo" in stage.channel.topic
    stage.channel.members.remove(stage.workspace.bot_user_id)
    stage.workspace.scopes -= {"channels:join"}
    await stage.runs(BOOKMARK)
    assert "/invite @Watchbill" in stage.told[0]


async def test_one_bookmark_leads_to_who_is_on_call(
    stage: Stage, running: RunningWorkspace
) -> None:
    stage.channel.bookmarks.append(
        {"id": "Bk0", "title": "On call: our runbook", "link": "https://x.example"}
    )
    stage.puts(BO)
    await stage.runs(BOOKMARK)
    stage.puts(CY)
    await stage.runs(BOOKMARK)
    theirs, ours = stage.channel.bookmarks
    assert theirs["title"] == "On call: our runbook"
    assert ours["title"] == "On call: Cy until 11:02"
    assert ours["link"] == f"{running.url}/team/U0CY0001"
    stage.channel.bookmarks.remove(ours)
    await stage.passes(minutes=3)
    await stage.runs(BOOKMARK)
    assert [b["title"] for b in stage.channel.bookmarks] == [
        "On call: our runbook",
        "On call: Cy until 11:02",
    ]


async def test_what_is_not_configured_any_more_is_taken_away(stage: Stage) -> None:
    stage.channel.topic = "Mine"
    stage.puts(BO)
    for follower in (GROUP, TOPIC, BOOKMARK):
        await stage.runs(follower)
    stage.followers.clear()
    for follower in (GROUP, TOPIC, BOOKMARK):
        await stage.runs(follower)
    assert stage.channel.topic == "Mine"
    assert stage.channel.bookmarks == []
    assert stage.group == ["bo"]
    assert await stage.store.followers.followers() == []
