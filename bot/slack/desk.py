"""What every delivery works with: the incident as it is now, and posting it just once."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.clock import Clock
from bot.ports.access import AccessReads
from bot.ports.delivering import GiveUpError, LeaseLostError, MessageRef
from bot.ports.followers import FollowerReads, NoFollowers
from bot.ports.jobs import Job
from bot.ports.lessons import Lessons, NoLessons
from bot.ports.runbooks import NoRunbooks, RunbookReads
from bot.ports.store import Reader
from bot.ports.tasks import NoTasks, TaskReads
from bot.slack.api import LOG, SlackApi, SlackRefusedError
from bot.slack.blocks import Json
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.recall import Recall
from bot.slack.scene import Scene, pages_otherwise, pages_sent, permalink, root_of
from rules.incident import Incident
from rules.rotation import OnCall
from rules.rulebook import RuleBook
from rules.schedule.roster import Change, Schedule

GONE_CHANNEL = frozenset({"channel_not_found", "is_archived", "not_in_channel"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every deliverer works with. `workspace_url` is "" until Slack has told it."""

    api: SlackApi
    places: Places
    directory: Directory
    reader: Reader
    clock: Clock
    on_call: Callable[[], OnCall]
    rulebook: Callable[[], RuleBook]
    workspace_url: Callable[[], str] = field(default=lambda: "")
    public_url: str = ""
    recall: Recall = field(default_factory=Recall)
    calendar_link: Callable[[str], str] = field(default=lambda _person: "")
    issues_link: Callable[[str], str] = field(default=lambda _person: "")
    lessons: Lessons = field(default_factory=NoLessons)
    runbooks: RunbookReads = field(default_factory=NoRunbooks)
    tasks: TaskReads = field(default_factory=NoTasks)
    actions: Mapping[str, str] = field(default_factory=dict)
    """What to ask before an action of a runbook runs, by the action's name."""
    schedule: Callable[[Sequence[Change]], Schedule] = field(default=lambda _changes: Schedule())
    followers: FollowerReads = field(default_factory=NoFollowers)
    rostered: Callable[[], Iterable[str]] = field(default=tuple)
    confirm_roster: Callable[[str, str], Awaitable[None]] | None = None
    access: AccessReads | None = None

    async def incident(self, job: Job) -> Incident:
        found = await self.reader.incident(job.incident_id)
        if found is None:
            raise GiveUpError(f"there is no incident {job.incident_id}")
        return found

    async def scene(
        self, incident: Incident, *, ask: bool = True
    ) -> tuple[Scene, tuple[MessageRef, ...]]:
        """Read what a view of the incident needs, and where its messages stand.

        Without `ask`, Slack is not asked what strangers are called: somebody waits for an answer.
        """
        messages = tuple(await self.reader.messages(incident.id))
        if ask:
            await self.directory.learn_names(_people_of(incident))
        url = self.workspace_url()
        scene = Scene(
            incident=incident,
            now=self.clock.now(),
            names=self.directory,
            book=replace(self.rulebook(), on_call=self.on_call()),
            paged_at=pages_sent(messages),
            also_by=pages_otherwise(messages),
            permalink=permalink(url, root_of(messages)),
            channel_id=self.places.known_channel(incident.channel),
            previous_link=await self._link_to(incident.previous, url),
            public_url=self.public_url,
            recalled=await self.recall.of(incident, self.clock),
        )
        return scene, messages

    async def _link_to(self, number: int | None, url: str) -> str:
        if number is None or not url:
            return ""
        previous = await self.reader.incident_numbered(number)
        return permalink(url, root_of(await self.reader.messages(previous.id))) if previous else ""

    async def post(
        self, job: Job, channel: str, message: Json, thread: str = "", *, loud: bool = False
    ) -> MessageRef:
        """Post once: an attempt that may have gone out is looked up before it is repeated.

        `loud` shows a reply of a thread in the channel too. The role of the answer is empty.
        Raises LeaseLostError when the job is another's by now.
        """
        if found := await self.posted_before(job, channel, message, thread):
            return found
        more: Json = {"thread_ts": thread, "reply_broadcast": loud} if thread else {}
        # a machine that slept since the lease was taken must not send what another has sent
        if not await job.still_ours():
            raise LeaseLostError
        at, ts = await self.api.post(channel, message, job.key, **more)
        return MessageRef("", at, ts, key=job.key)

    async def posted_before(
        self, job: Job, channel: str, message: Json, thread: str = ""
    ) -> MessageRef | None:
        """Return what an attempt posted whose answer was lost, saying `message` by now."""
        if not job.unsure:
            return None
        since = job.first_attempt_at or job.created_at
        found = await self.places.posted(channel, job.key, since, thread)
        if found is None:
            return None
        await self._renew(job, found, message)
        return MessageRef("", *found, key=job.key)

    async def edit(self, job: Job, channel: str, ts: str, message: Json) -> None:
        """Edit a message. Raises LeaseLostError when the job is another's by now.

        A machine that slept must not put what it read before over what another has shown since.
        """
        if not await job.still_ours():
            raise LeaseLostError
        await self.api.update(channel, ts, message)

    async def _renew(self, job: Job, found: tuple[str, str], message: Json) -> None:
        """Make an earlier attempt say what is true now: much may have happened since."""
        try:
            await self.edit(job, *found, message)
        except SlackRefusedError as refused:
            LOG.warning("an earlier post cannot be edited: %s", refused)

    async def post_in(self, job: Job, name: str, message: Json) -> MessageRef:
        """Post in a channel by name, entering it first when that is needed and allowed.

        A channel that is gone may have been made anew under its name: it is looked up once more.
        """
        channel = await self.places.channel(name)
        try:
            return await self._post_inside(job, channel, message)
        except SlackRefusedError as refused:
            if refused.code not in GONE_CHANNEL:
                raise
            moved = await self.places.moved(name)
            if moved in {"", channel}:
                raise GiveUpError(f"#{name.removeprefix('#')}: {refused}") from refused
        return await self._post_inside(job, moved, message)

    async def _post_inside(self, job: Job, channel: str, message: Json) -> MessageRef:
        try:
            return await self.post(job, channel, message)
        except SlackRefusedError as refused:
            if refused.code != "not_in_channel" or not await self.places.join(channel):
                raise
        return await self.post(job, channel, message)


def _people_of(incident: Incident) -> tuple[str, ...]:
    muted_by = incident.muted.by if incident.muted else ""
    return (
        *incident.paged,
        incident.acked_by,
        incident.resolved_by,
        incident.snoozed_by,
        incident.assigned_to,
        muted_by,
        incident.correction.by if incident.correction else "",
    )
