"""What outlives the bot's process, and what the bot is made of in a life."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.access.keeping import Keeper
from bot.access.sync import Sync
from bot.engine.engine import Engine
from bot.outbox import Outbox
from bot.ports.delivering import RetryLaterError
from bot.slack.api import SlackApi
from bot.slack.places import Places
from rules.people import People
from rules.rulebook import RuleBook
from rules.schedule.roster import Schedule
from tests.fakes.groups import MemoryGroups
from tests.simulation.chance import Diary, Fate, Weather
from tests.simulation.process import PROCESS
from tests.simulation.services import SimulatedServices
from tests.simulation.slack import SimulatedSlack
from tests.simulation.storage import Disk
from tests.simulation.time import VirtualClock


@dataclass(frozen=True, slots=True)
class Lives:
    """What is made sure of in every life; what is not said is the seed's to choose."""

    weathers: tuple[Weather, ...] = ()
    """All that there are, from the beginning of the life."""
    replicas: int = 0
    reached: bool | None = None
    runs: bool | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """What the bot is made of; a planted fault puts another in place of one."""

    engine: type[Engine] = Engine
    outbox: type[Outbox] = Outbox
    api: type[SlackApi] = SlackApi
    places: type[Places] = Places
    keeper: type[Keeper] = Keeper
    sync: type[Sync] = Sync
    audits: bool = True
    opened: Callable[[Any], None] = lambda _store: None
    """Changes the opened store."""
    built: Callable[[Any], None] = lambda _bot: None
    """Changes the whole bot, once it is built."""
    lives: Lives = Lives()
    """In which lives it shows."""


@dataclass(slots=True)
class World:
    """What outlives the bot's process: time, luck, the disk, Slack, the groups and the roster."""

    fate: Fate
    clock: VirtualClock
    disk: Disk
    slack: SimulatedSlack
    groups: MemoryGroups
    people: People
    book: RuleBook
    schedule: Schedule
    diary: Diary = field(default_factory=Diary)
    parts: Parts = field(default_factory=Parts)
    replicas: int = 1
    services: SimulatedServices | None = None
    """What reaches people besides Slack; None in lives in which nothing does."""
    has_runs: bool = False
    """Whether pipelines run in it, and some of them are expected to."""

    def note(self, who: str, what: str) -> None:
        self.diary.note(self.clock.now(), who, what)


class FailingGroups(MemoryGroups):
    """A place for groups that fails with the weather."""

    def trouble(self, call: str) -> None:
        process = PROCESS.get()
        assert process is not None
        process.may_die()
        if process.fate.strikes("groups_fail"):
            raise RetryLaterError(f"{call} answers 500")
