"""Which deliveries are taken next: the oldest, and some of others when few sources fill a batch."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.inbox import Delivery
from bot.store import rows
from bot.store.columns import UtcDateTime
from bot.store.tables.core import INBOUND

OTHERS = 50
"""So many of other sources are taken beside a full batch, at most, and no more than it has."""
_CROWD = 0.1
"""A source that fills more of a full batch is crowding it."""

_OLDEST = (
    select(INBOUND)
    .where(
        text("inbound.state = 'new'"), INBOUND.c.next_at <= bindparam("now", type_=UtcDateTime())
    )
    .order_by(INBOUND.c.next_at, INBOUND.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
LONGEST_WAITING = (
    select(INBOUND.c.received_at)
    .where(
        text("inbound.state = 'new'"), INBOUND.c.next_at <= bindparam("now", type_=UtcDateTime())
    )
    .order_by(INBOUND.c.next_at, INBOUND.c.id)
    .limit(1)
)
_OF_OTHERS = _OLDEST.where(INBOUND.c.source.not_in(bindparam("crowding", expanding=True)))


async def take(
    connection: AsyncConnection, limit: int, now: datetime, *, others: bool
) -> Sequence[Delivery]:
    """Lock up to `limit` new deliveries, oldest first, and with `others` some that are crowded out.

    A click or another team's alert does not wait until one source's flood has been worked off.
    """
    found = (await connection.execute(_OLDEST, {"now": now, "most": limit})).all()
    taken = [rows.delivery(row) for row in found]
    if len(taken) < limit or not others:
        return taken
    times = Counter(delivery.source for delivery in taken)
    crowding = [source for source, count in times.items() if count > limit * _CROWD]
    named = {"now": now, "most": OTHERS + limit, "crowding": crowding}
    crowded_out = (await connection.execute(_OF_OTHERS, named)).all() if crowding else []
    known = {delivery.id for delivery in taken}
    beside = [rows.delivery(row) for row in crowded_out if row.id not in known]
    return taken + beside[: min(OTHERS, limit)]


async def heard_until(connection: AsyncConnection, now: datetime) -> datetime:
    """Return until when all that came is decided; what was set aside holds up nothing."""
    found = await connection.execute(LONGEST_WAITING, {"now": now})
    waiting: datetime | None = found.scalar_one_or_none()
    return now if waiting is None else min(now, waiting)
