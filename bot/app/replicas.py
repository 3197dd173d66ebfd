"""What a process does when another one on the same database has something to say."""

from bot.app.nudges import Nudges
from bot.clock import SystemClock
from bot.engine.engine import Engine
from bot.outbox import Outbox
from bot.ports.replicas import Replicas, Word
from bot.store.opening import OpenedStore


def replicas_of(
    store: OpenedStore, engine: Engine, outbox: Outbox, nudges: Nudges
) -> Replicas | None:
    """Return the other processes; None where there can be none. What is asked here they hear of."""
    if not store.shared:
        engine.on_asked = nudges.asked.set
        return None

    # imported here: asyncpg takes 0.2 s that a SQLite start need not spend
    from bot.store.replicas import PostgresqlReplicas

    def hear(word: Word) -> None:
        match word:
            case Word.WORK:
                engine.kick()
                outbox.kick()
            case Word.ASKED:
                nudges.asked.set()

    replicas = PostgresqlReplicas(store.database.url, SystemClock(), hear)

    def asked() -> None:
        nudges.asked.set()
        replicas.tell(Word.ASKED)

    engine.on_asked = asked
    return replicas
