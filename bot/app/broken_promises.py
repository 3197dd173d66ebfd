"""Tells the readers' channel once, in working hours, that a promise is broken too often."""

from datetime import datetime

from bot.ports.jobs import NewJob
from bot.ports.store import Store
from bot.slack.announcing import announcement
from rules.reliability.too_often import TooOften, too_often
from rules.rulebook import RuleBook


async def tell_broken(store: Store, book: RuleBook, channel: str, now: datetime) -> int:
    """Enqueue what is new; returns how many there are. `channel` is for products without one.

    Each has a key, so that whatever replica or restart finds it again tells nothing twice.
    """
    rules = book.priority_rules
    found = [
        one for stands in book.reliability.values() for one in too_often(stands, rules.slo, now)
    ]
    if found:
        opens = rules.holding.working_hours.opens_after(now)
        async with store.begin() as tx:
            for one in found:
                tx.enqueue(_job(one, book, channel, opens))
    return len(found)


def _job(news: TooOften, book: RuleBook, channel: str, opens: datetime) -> NewJob:
    product = book.catalogue.product(news.product)
    own = product.channel.lstrip("#") if product else ""
    return announcement(news.key, news.sentences, opens, channel=own or channel)
