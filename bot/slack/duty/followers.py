"""Keeps a user group, a topic or a bookmark showing who is on call, or says why it cannot."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.ports.delivering import Delivered, GiveUpError, RetryLaterError
from bot.ports.followers import FollowerState, FollowerStore
from bot.ports.jobs import Job
from bot.ports.store import Store
from bot.slack.announcing import announcement
from bot.slack.api import LOG, SlackRefusedError
from bot.slack.duty.places import CANNOT, Look, Place, Surroundings, places
from rules.schedule.following import Follower, FollowerKind, Memory, Step, next_step, plan_of
from rules.sentence import Sentence, say

_NOTHING = Delivered()
_PATIENCE = timedelta(minutes=5)
"""Trouble that may pass by itself is told only after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowParts:
    """What following works with; trouble is told in `channel`."""

    around: Surroundings
    followers: Mapping[str, Follower]
    states: FollowerStore
    store: Store
    channel: str


@dataclass(frozen=True, slots=True)
class _Done:
    """What became of one attempt; `in_step` when it shows what it should."""

    memory: Memory
    in_step: bool
    problem: str = ""


class Follow:
    """Carries out jobs of kind `follow`: "make it show what is so now", so that repeating is safe."""

    def __init__(self, parts: FollowParts) -> None:
        self._parts = parts
        self._places = places(parts.around)

    async def deliver(self, job: Job) -> Delivered:
        name = str(job.payload["follower"])
        follower = self._parts.followers.get(name)
        if follower is None:
            await self._retire(name)
            return _NOTHING
        desk = self._parts.around.desk
        now, state = desk.clock.now(), await self._parts.states.follower(name)
        plan = plan_of(desk.on_call(), follower, now, self._parts.around.fallback)
        try:
            done = await self._attempt(follower, state, now)
        except RetryLaterError as error:
            await self._later(follower, state, now, str(error))
            raise
        await self._keep(follower, state, plan, done)
        return _NOTHING

    async def _attempt(self, follower: Follower, state: FollowerState, now: datetime) -> _Done:
        place = self._places[follower.kind]
        try:
            look = await place.look(follower, state.memory.ref, now)
            return await self._act(place, follower, look, state, now)
        except RetryLaterError:
            raise
        except SlackRefusedError as refused:
            return _Done(state.memory, in_step=False, problem=_words(refused))
        except GiveUpError as error:
            return _Done(state.memory, in_step=False, problem=str(error))

    async def _act(
        self, place: Place, follower: Follower, look: Look, state: FollowerState, now: datetime
    ) -> _Done:
        step, memory = next_step(look.desired, look.seen, state.memory, now)
        match step:
            case Step.NOTHING:
                return _Done(replace(memory, ref=look.ref), in_step=True)
            case Step.WRITE | Step.REPAIR:
                if step is Step.REPAIR:
                    LOG.warning("somebody else changed %s: put right", follower.title)
                ref = await place.write(follower, look)
                return _Done(replace(memory, ref=ref), in_step=True)
            case Step.STOP:
                words = "somebody changed it again right after it was put right. It is left alone"
                return _Done(memory, in_step=False, problem=f"{words} for an hour")
            case Step.WAIT:
                return _Done(memory, in_step=False, problem=state.problem)

    async def _keep(self, follower: Follower, state: FollowerState, plan: str, done: _Done) -> None:
        now = self._parts.around.desk.clock.now()
        told = await self._tell(follower, state.told, done.problem, now)
        applied = plan if done.in_step else ""
        await self._parts.states.save_follower(
            replace(
                state,
                wanted=plan,
                applied=applied,
                tried_at=now,
                applied_at=now if done.in_step else state.applied_at,
                problem=done.problem,
                told=told,
                memory=done.memory,
            )
        )

    async def _later(
        self, follower: Follower, state: FollowerState, now: datetime, why: str
    ) -> None:
        """Note trouble that may pass; it is told once it has lasted."""
        told = state.told
        if state.behind_since is not None and now - state.behind_since >= _PATIENCE and not told:
            told = await self._tell(follower, "", "Slack does not take it now. It is tried on", now)
        await self._parts.states.save_follower(replace(state, tried_at=now, problem=why, told=told))

    async def _tell(self, follower: Follower, told: str, problem: str, now: datetime) -> str:
        """Say in the channel what is new about the follower; return what people know now."""
        if problem == told:
            return told
        sentence = _sentence(follower, problem)
        key = f"follower:{follower.name}:{now.isoformat()}"
        async with self._parts.store.begin() as tx:
            tx.enqueue(announcement(key, [sentence], now, channel=self._parts.channel))
        return problem

    async def _retire(self, name: str) -> None:
        """Take away what the configuration does not name any more, as well as can be."""
        kind, _, place = name.partition(":")
        state = await self._parts.states.follower(name)
        try:
            follower = Follower(kind=FollowerKind(kind), place=place)
            await self._places[follower.kind].leave(follower, state.memory.ref)
        except (ValueError, GiveUpError) as error:
            LOG.warning("%s is not followed any more, and stays as it is: %s", name, error)
        await self._parts.states.forget_follower(name)


def _sentence(follower: Follower, problem: str) -> Sentence:
    if problem:
        return say("⚠️ I cannot keep {what} up to date: {why}.", what=follower.title, why=problem)
    return say(
        "{what} shows who is on call again.", what=follower.title[:1].upper() + follower.title[1:]
    )


def _words(refused: SlackRefusedError) -> str:
    known = CANNOT.get(refused.code)
    return f"{known} ({refused.code})" if known else str(refused)
