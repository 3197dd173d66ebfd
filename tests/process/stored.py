"""What a bot has stored, asked past the bot: on either database, while it runs or lies dead."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from tests.process.harness import Bot, until

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


async def query(bot: Bot, statement: str) -> Sequence[Any]:
    """Ask the bot's database."""
    url = make_url(bot.config["database"])
    engine = create_async_engine(url.set(drivername=_DRIVERS[url.get_backend_name()]))
    try:
        async with engine.connect() as connection:
            return (await connection.exec_driver_sql(statement)).all()
    finally:
        await engine.dispose()


async def one(bot: Bot, statement: str) -> int:
    """Ask for one number."""
    return int((await query(bot, statement))[0][0] or 0)


def instant(stored: Any) -> datetime:
    """Return an instant as the database has it: microseconds on SQLite."""
    if isinstance(stored, datetime):
        return stored
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(stored))


async def answers(bot: Bot) -> bool:
    return (await bot.readiness())[0] != 0


async def leased(bot: Bot) -> int:
    """Count the effects that somebody has begun and not ended."""
    return await one(bot, "SELECT count(*) FROM job WHERE state = 'todo' AND leased = 1")


async def settled(bot: Bot, seconds: float = 60) -> None:
    """Wait until nothing is new, nothing is to do, and no timer ends soon."""

    async def nothing_waits() -> bool:
        rows = await query(
            bot,
            "SELECT (SELECT count(*) FROM inbound WHERE state = 'new'),"
            # reminders of hours to come are left to wait
            f" (SELECT count(*) FROM job WHERE state = 'todo' AND next_at < {_soon(bot)}),"
            # every policy here ends with a step of half a day
            " (SELECT count(*) FROM incident WHERE state = 'triggered'"
            f"   AND wake_at < {_soon(bot)})",
        )
        return not any(rows[0])

    await until(nothing_waits, "everything is carried out", seconds)


def _soon(bot: Bot) -> str:
    if bot.config["database"].startswith("sqlite"):
        return "(strftime('%s', 'now') + 600) * 1000000"
    return "now() + interval '10 minutes'"
