"""What commands do with the database of a bot, running or not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.cli.output import fail
from bot.clock import SystemClock
from bot.config import Config
from bot.ports import NewDelivery, NotStoredError, StoredOverride
from bot.store.errors import StoreInUseError, StoreUnfitError
from bot.store.opening import OpenedStore, open_store

_SHOWN = 200


async def replay_delivery(config: Config, delivery_id: str) -> str:
    """Put a stored delivery into the inbox once more, under a key of its own."""
    clock = SystemClock()
    store = await _open(config, clock)
    try:
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
    finally:
        await store.close()
    return f"Delivery {delivery_id} is in the inbox again, as {again.id}."


async def migrate_database(config: Config) -> str:
    store = await _open(config, SystemClock(), beside=False)
    await store.close()
    return "The database has this version's tables."


async def dead_jobs(config: Config) -> list[dict[str, Any]]:
    store = await _open(config, SystemClock())
    try:
        found = await store.reader.dead_jobs(_SHOWN)
    finally:
        await store.close()
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
    store = await _open(config, clock)
    try:
        revived = await store.queue.retry_dead(job_id, clock.now())
    finally:
        await store.close()
    if not revived:
        raise fail(f"There is no given-up job {job_id}; see watchbill outbox dead.")
    return f"{job_id} will be tried again."


async def overrides(config: Config, now: datetime) -> Sequence[StoredOverride]:
    """Return what people changed in Slack; nothing when there is no database yet."""
    if not _exists(config.database):
        return ()
    store = await _open(config, SystemClock())
    try:
        return await store.reader.overrides(now - timedelta(days=1))
    finally:
        await store.close()


def _exists(database: str) -> bool:
    file = database.removeprefix("sqlite:///")
    return file == database or Path(file).exists()


async def _open(config: Config, clock: SystemClock, *, beside: bool = True) -> OpenedStore:
    try:
        return await open_store(config.database, clock, beside=beside)
    except (StoreInUseError, StoreUnfitError, NotStoredError) as error:
        raise fail(str(error)) from error
