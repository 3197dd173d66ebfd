"""The team that is on call in every life: who they are, what wakes them, and how fast time runs."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from random import Random

from rules.access.group import AccessGroup, AccessRules, Duty, Whom
from rules.journal.template import JournalRules
from rules.people import People, Person
from rules.policy import OnCallOf, OnePerson, Policy, Step
from rules.priority import Priority
from rules.rulebook import Route, RuleBook
from rules.schedule.roster import Layer, RotationPlan, Schedule, Unit

ANA, BO, CY, DEE = (f"{name}@example.com" for name in ("ana", "bo", "cy", "dee"))
USERS = {ANA: "U0ANA0001", BO: "U0BO00001", CY: "U0CY00001", DEE: "U0DEE0001"}
CHANNEL = "data-alerts"
MINUTE = timedelta(minutes=1)
JOURNAL = JournalRules(ask=frozenset(Priority), remind=(MINUTE, 2 * MINUTE))
STARTS = (
    datetime(2026, 11, 23, 0, 50, tzinfo=UTC),
    datetime(2026, 11, 23, 1, 10, tzinfo=UTC),
    # both nights on which the clocks of Berlin change
    datetime(2026, 10, 25, 0, 10, tzinfo=UTC),
    datetime(2026, 10, 25, 1, 10, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 40, tzinfo=UTC),
)
"""So that the rota is handed over, at half past two in Berlin, in the middle of many a life."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a life goes: minutes, but for `gap`, the seconds between two things that happen.

    `calm` ends every life: nothing fails in it, and all that is due is done.
    """

    waits: tuple[int, int, int]
    ack_timeout: int
    calm: int
    lasts: tuple[int, int]
    gap: float
    downs: tuple[int, ...]


QUICK = Pace((1, 1, 1), 3, 8, (1, 3), 12.0, (1, 1, 10, 60, 150))
SLOW = Pace((5, 10, 10), 30, 50, (20, 60), 120.0, (1, 10, 60, 900, 5400))


def pace_of(dice: Random) -> Pace:
    return SLOW if dice.random() < 0.03 else QUICK


def start_of(dice: Random) -> datetime:
    return dice.choice(STARTS) + timedelta(seconds=dice.randint(0, 1200))


def people() -> People:
    return People(
        Person(key, key.split("@")[0].title(), key, user if key != CY else "", "Europe/Berlin")
        for key, user in USERS.items()
    )


def book(pace: Pace) -> RuleBook:
    group = AccessGroup(
        name="prod",
        follows=(Duty("data", "primary"),),
        may_ask=Whom(people=(ANA, BO, CY)),
        owners=(DEE,),
        owned=True,
        dry_run=False,
    )
    first, second, third = (wait * MINUTE for wait in pace.waits)
    policy = Policy(
        "default",
        (
            Step((OnCallOf("primary"),), first),
            Step((OnCallOf("secondary"),), second),
            Step((OnePerson(CY),), third),
        ),
    )
    return RuleBook(
        policies={"default": policy},
        routes=(Route("default", "default", CHANNEL, "data"),),
        fallback=(DEE,),
        ack_timeout=pace.ack_timeout * MINUTE,
        access=AccessRules(groups={"prod": group}),
    )


def schedule(order: tuple[str, ...]) -> Schedule:
    """Return turns of a day, handed over at half past two in Berlin, which some nights skip."""
    starts = datetime.combine(datetime(2026, 10, 1, tzinfo=UTC).date(), time(2, 30))

    def layer(role: str, who: tuple[str, ...]) -> Layer:
        turns = tuple((one,) for one in who)
        return Layer(role=role, order=turns, unit=Unit.DAY, starts=starts, zone="Europe/Berlin")

    layers = layer("primary", order), layer("secondary", (*order[1:], order[0]))
    return Schedule(plans=(RotationPlan(name="data", zone="Europe/Berlin", layers=layers),))
