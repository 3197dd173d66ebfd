"""What commands do with the database of a bot, running or not."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.app.roster.rows import conflicts_of
from bot.cli.output import fail
from bot.clock import SystemClock
from bot.config.settings import Config
from bot.loads import LoadReads, NothingStored, Weighed, weigh
from bot.ports.calendars import Following
from bot.ports.followers import FollowerState
from bot.ports.inbox import NewDelivery, NotStoredError
from bot.ports.roster_versions import AcceptedPlan, Confirmation
from bot.roster.roster import LOOK_BACK, Roster
from bot.roster.table import Problem
from bot.store.errors import DAMAGED, StoreInUseError, StoreUnfitError
from bot.store.opening import OpenedStore, open_store
from rules.audit import PATIENCE, Finding, audit
from rules.calendar.ledger import Published
from rules.catalogue import Catalogue
from rules.documents.rulebook_parts import RulebookParts
from rules.expected_runs import Standing
from rules.lineage import Lineage
from rules.reliability.slo import Reliability
from rules.rotation import OnCall
from rules.run import Run
from rules.schedule.roster import Change
from rules.silence import Silence
from rules.teaching.learned import LearnedRule

_SHOWN = 200


async def replay_delivery(config: Config, delivery_id: str) -> str:
    """Put a stored delivery into the inbox once more, under a key of its own."""
    clock = SystemClock()
    async with beside(config, clock) as store:
        found = await store.reader.delivery(delivery_id)
        if found is None:
            raise fail(f"There is no delivery {delivery_id}.")
        again = await store.inbox.accept(
            NewDelivery(
                source=found.source,
                key=f"replay:{delivery_id}:{clock.now().timestamp():.0f}",
                body=found.body,
                content_type=found.content_type,
                headers=found.headers,
            )
        )
    return f"Delivery {delivery_id} is in the inbox again, as {again.id}."


async def migrate_database(config: Config) -> str:
    try:
        store = await open_store(config.database, SystemClock())
    except (StoreInUseError, StoreUnfitError, NotStoredError) as error:
        raise fail(str(error)) from error
    await store.close()
    return "The database has this version's tables."


async def dead_jobs(config: Config) -> list[dict[str, Any]]:
    async with beside(config, SystemClock()) as store:
        found = await store.reader.dead_jobs(_SHOWN)
    return [
        {
            "id": job.id,
            "kind": job.kind,
            "key": job.key,
            "attempts": job.attempts,
            "created_at": job.created_at.isoformat(),
            "why": why,
        }
        for job, why in found
    ]


async def retry_job(config: Config, job_id: str) -> str:
    clock = SystemClock()
    async with beside(config, clock) as store:
        revived = await store.queue.retry_dead(job_id, clock.now())
    if not revived:
        raise fail(f"There is no given-up job {job_id}; see watchbill outbox dead.")
    return f"{job_id} will be tried again."


async def audited(config: Config) -> Sequence[Finding]:
    """Return what the auditor would find now, over every open incident; changes nothing."""
    clock, after = SystemClock(), 0
    found: dict[str, Finding] = {}
    async with beside(config, clock) as store:
        while True:
            look = await store.audits.look(clock.now(), PATIENCE, after=after)
            found |= {one.key: one for one in audit(look.facts, clock.now())}
            after = look.next_number
            if not after:
                return list(found.values())


async def learned_rules(config: Config) -> Sequence[LearnedRule]:
    """Return the rules that corrections taught; nothing when there is no database yet."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.lessons.learned_rules()


async def end_rule(config: Config, rule_id: str) -> str:
    clock = SystemClock()
    async with beside(config, clock) as store:
        ended = await store.lessons.end_learned(rule_id, "command line", clock.now())
    if not ended:
        raise fail(f"There is no rule {rule_id}; see watchbill rules list.")
    return f"Rule {rule_id} no longer counts."


async def standings(config: Config) -> Sequence[Standing]:
    """Return where the clocks of expected runs stand; nothing when there is no database yet."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.reader.standings()


async def follower_states(config: Config) -> Sequence[FollowerState]:
    """Return how what follows in Slack stands; nothing when there is no database yet."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.followers.followers()


async def latest_runs(config: Config, source: str, pipeline: str, limit: int) -> Sequence[Run]:
    async with beside(config, SystemClock()) as store:
        return await store.reader.latest_runs(source, pipeline, limit)


async def changes(config: Config, now: datetime) -> Sequence[Change]:
    """Return what people changed in Slack; nothing when there is no database yet."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.reader.changes(now - timedelta(days=1))


async def silences(config: Config, now: datetime) -> Sequence[Silence]:
    """Return the silences that have not ended; none when there is no database yet."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.reader.silences(now)


async def reliabilities(
    config: Config, parts: RulebookParts, catalogue: Catalogue, lineage: Lineage
) -> Mapping[str, Reliability]:
    """Return how the objectives of every product stand, by product id."""
    # the readers of the past are needed by one command
    from bot.app.expectations import expected_runs
    from bot.app.holidays import read_holidays
    from bot.app.learning import learn_from

    clock = SystemClock()
    expected = expected_runs(config, catalogue, read_holidays(config)[0])
    known = parts.rulebook(on_call=OnCall())
    book = replace(known, catalogue=catalogue, lineage=lineage, expected=expected)
    async with beside(config, clock) as store:
        return (await learn_from(store.past, book, clock.now())).reliability


async def accepted_plans(config: Config, now: datetime) -> Sequence[AcceptedPlan]:
    """Return the versions of the roster that answer for now and before; none without a database."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.roster_versions.accepted(now - LOOK_BACK)


async def row_conflicts(config: Config, now: datetime) -> Sequence[Problem]:
    """Return overrides that both Slack and a row changed; none without a database."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return conflicts_of(await store.roster_rows.rows(now))


async def confirm_roster(config: Config, version: str, by: str, now: datetime) -> None:
    async with beside(config, SystemClock()) as store:
        await store.roster_versions.confirm(Confirmation(version, by, now))


async def roster_changes(config: Config, since: datetime, limit: int) -> list[dict[str, Any]]:
    """Return the audit of the rotation, newest first; nothing without a database."""
    if not exists(config.database):
        return []
    async with beside(config, SystemClock()) as store:
        found = await store.reader.roster_changes(since, limit)
    return [
        {
            "at": one.at.isoformat(),
            "by": one.by,
            "origin": one.origin,
            "what": one.what,
            "id": one.subject,
            "rotation": one.slot.rotation,
            "role": one.slot.role,
            "from": one.slot.starts_at.isoformat(),
            "to": one.slot.ends_at.isoformat(),
            "before": one.before,
            "after": one.after,
            "why": one.why,
        }
        for one in found
    ]


async def weighed_load(
    config: Config, roster: Roster, start: datetime, end: datetime, now: datetime, rotation: str
) -> Weighed:
    """Weigh who carried what; without a database nobody changed anything and nobody was paged."""

    async def weighed(reader: LoadReads) -> Weighed:
        return await weigh(
            reader,
            lambda changes: roster.schedule(changes, now),
            roster.file.people,
            start=start,
            end=end,
            now=now,
            rotation=rotation,
        )

    if not exists(config.database):
        return await weighed(NothingStored())
    async with beside(config, SystemClock()) as store:
        return await weighed(store.reader)


async def past_changes(config: Config, now: datetime) -> Sequence[Change]:
    """As `changes`, for what tells of weeks that have passed as well."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.reader.changes(now - LOOK_BACK)


async def published(config: Config) -> Sequence[Published]:
    """Return the events that subscribers were told of; nothing without a database."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.calendars.published()


async def revocations(config: Config) -> Mapping[str, int]:
    if not exists(config.database):
        return {}
    async with beside(config, SystemClock()) as store:
        return await store.calendars.revocations()


async def revoke_feed(config: Config, feed: str) -> None:
    clock = SystemClock()
    async with beside(config, clock) as store:
        await store.calendars.revoke(feed, clock.now())


async def followings(config: Config) -> Sequence[Following]:
    """Return how the shared calendars stand; nothing without a database."""
    if not exists(config.database):
        return ()
    async with beside(config, SystemClock()) as store:
        return await store.calendars.followings()


def exists(database: str) -> bool:
    """Whether there is one; of one that this user may not see `beside` says that."""
    file = database.removeprefix("sqlite:///")
    try:
        return file == database or Path(file).exists()
    except OSError:
        return True


@asynccontextmanager
async def beside(config: Config, clock: SystemClock) -> AsyncIterator[OpenedStore]:
    """Yield the store beside a running bot; ends the command in words when it cannot be used."""
    if not exists(config.database):
        file = config.database.removeprefix("sqlite:///")
        raise fail(f"There is no database {file} yet; `watchbill serve` makes it.")
    try:
        store = await open_store(config.database, clock, beside=True)
        try:
            yield store
        finally:
            await store.close()
    except (StoreInUseError, StoreUnfitError) as error:
        raise fail(str(error)) from error
    except NotStoredError as error:
        raise fail(f"The database cannot be used ({error}); {what_to_do(str(error))}") from error


def what_to_do(said: str) -> str:
    """Return what to look at when a database says this."""
    if "readonly" in said or "read-only" in said:
        return "may this user write to it and its folder? Run this as the bot's user."
    if "unable to open" in said:
        return "may this user read it and its folder? Run this as the bot's user, or as root."
    if any(word in said for word in DAMAGED):
        return "it is damaged: restore the newest whole backup, with `watchbill restore`."
    return "is it there, and has `watchbill migrate` made its tables?"
