"""Which deliveries are taken next: the oldest, and some of others when few sources fill a batch."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.ports.inbox import Delivery
from bot.store import rows
from bot.store.columns import UtcDateTime
from bot.store.tables.core import INBOUND

OTHERS = 50
"""So many of other sources are taken beside a full batch, at most, and no more than it has."""
FOR_WHO_KNOWS = timedelta(minutes=2)
"""So long a delivery waits for a process that knows its source, while others are brought up to date."""
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
_FAMILIAR = or_(
    INBOUND.c.source.in_(bindparam("known", expanding=True)),
    INBOUND.c.received_at <= bindparam("waited", type_=UtcDateTime()),
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
_OF_FAMILIAR = (_OLDEST.where(_FAMILIAR), _OF_OTHERS.where(_FAMILIAR))


async def take(
    connection: AsyncConnection,
    limit: int,
    now: datetime,
    *,
    others: bool,
    known: Collection[str] | None = None,
) -> Sequence[Delivery]:
    """Lock up to `limit` new deliveries, oldest first, and with `others` some that are crowded out.

    A click or another team's alert does not wait until one source's flood has been worked off.
    What is of none of the `known` sources is left for a while to whoever knows it.
    """
    oldest, of_others = (_OLDEST, _OF_OTHERS) if known is None else _OF_FAMILIAR
    given: dict[str, object] = {"now": now, "most": limit}
    if known is not None:
        given |= {"known": list(known), "waited": now - FOR_WHO_KNOWS}
    found = (await connection.execute(oldest, given)).all()
    taken = [rows.delivery(row) for row in found]
    if len(taken) < limit or not others:
        return taken
    times = Counter(delivery.source for delivery in taken)
    crowding = [source for source, count in times.items() if count > limit * _CROWD]
    named = {**given, "most": OTHERS + limit, "crowding": crowding}
    crowded_out = (await connection.execute(of_others, named)).all() if crowding else []
    known = {delivery.id for delivery in taken}
    beside = [rows.delivery(row) for row in crowded_out if row.id not in known]
    return taken + beside[: min(OTHERS, limit)]


async def heard_until(connection: AsyncConnection, now: datetime) -> datetime:
    """Return until when all that came is decided; what was set aside holds up nothing."""
    found = await connection.execute(LONGEST_WAITING, {"now": now})
    waiting: datetime | None = found.scalar_one_or_none()
    return now if waiting is None else min(now, waiting)
