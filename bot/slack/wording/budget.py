"""What an incident does to the budget of its promise, in a line."""

from bot.slack.scene import Scene
from bot.slack.text import Mrkdwn, md, spoken
from rules.reliability.slo_words import at_stake


def budget_line(scene: Scene) -> Mrkdwn:
    """Return what an incident does to the budget, where it matters; empty where it does not."""
    stakes = scene.incident.stakes
    stands = scene.book.reliability.get(stakes.product) if stakes and stakes.product else None
    if stakes is None or stands is None or stakes.promised or not scene.incident.is_open:
        return Mrkdwn()
    sentence = at_stake(stands, scene.now, wrong=stakes.consumers is not None)
    if sentence is None:
        return Mrkdwn()
    return md("📉 {line}", line=spoken(sentence, scene.names, scene.now))
