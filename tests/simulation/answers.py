"""What the outside hears of the bot, and people who answer by other ways than Slack."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from rules.contacting.method import Method
from tests.simulation.bot import Bot
from tests.simulation.machine import Machine
from tests.simulation.pipelines import Ran
from tests.simulation.services import Sending, SimulatedServices
from tests.simulation.world import World

_INCOMING = "https://watchbill.example/contact/twilio/sms"
_NOT_ANSWERED = ("no-answer", "busy", "failed")


@dataclass(slots=True)
class Heard:
    """What the outside knows: which deliveries were answered 202."""

    accepted: dict[str, str] = field(default_factory=dict)
    """Thing that broke by the key of its delivery."""
    babble: set[str] = field(default_factory=set)
    """Keys of those that nobody can read, heard or not."""
    babbled: list[str] = field(default_factory=list)
    acts: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, str, str]] = field(default_factory=list)
    """Incidents that somebody acknowledged by another way than Slack, who, and what they heard."""
    ran: list[Ran] = field(default_factory=list)
    """All runs of pipelines, as they were."""
    jumped: bool = False
    slept: bool = False
    ahead: timedelta = timedelta(0)
    """How far the bot's clock was ahead of Slack's, at most."""


class Answers:
    """Answers what services took: by link, code, key or in the service's own way, or not at all."""

    def __init__(self, world: World, heard: Heard, machine: Callable[[], Machine]) -> None:
        self._world = world
        self._heard = heard
        self._machine = machine
        self._dice = world.fate.dice

    async def one(self) -> None:
        """Let somebody react to one of the messages that nobody has reacted to."""
        services = self._world.services
        assert services is not None
        waiting = [one for one in services.taken if not one.answered]
        if not waiting:
            return
        sending = self._dice.choice(waiting)
        sending.answered = True
        match sending.method:
            case Method.PUSHOVER:
                self._acknowledges_there(services, sending)
            case Method.SMS:
                await self._replies(sending)
            case Method.VOICE:
                await self._picks_up(sending)
            case _:
                await self._opens(sending)

    def _acknowledges_there(self, services: SimulatedServices, sending: Sending) -> None:
        receipt = services.receipts[sending.its_id]
        receipt.acknowledged = services.now < receipt.ends
        self._note(sending, "acknowledges there")

    async def _replies(self, sending: Sending) -> None:
        code = self._dice.choice((sending.code, sending.code, f"ok {sending.code} <!channel>", ""))
        form = {"From": sending.address, "Body": code}
        await self._asks(sending, f"replies {code}", bool(code), "replied", _INCOMING, **form)

    async def _picks_up(self, sending: Sending) -> None:
        if self._dice.random() < 0.4:
            word = self._dice.choice(_NOT_ANSWERED)
            form = {"CallSid": sending.its_id, "CallStatus": word}
            await self._asks(sending, word, False, "status", sending.status_url, **form)
            return
        key = self._dice.choice(("1", "1", "2"))
        form = {"CallSid": sending.its_id, "Digits": key}
        await self._asks(sending, f"presses {key}", True, "pressed", sending.url, **form)

    async def _opens(self, sending: Sending) -> None:
        """Follow the link as a mail scanner does, which changes nothing, or press its button."""
        presses = self._dice.random() < 0.8
        door = "acknowledge" if presses else "ask"
        await self._asks(sending, f"{door}s", presses, door, sending.url)

    async def _asks(
        self, sending: Sending, what: str, acknowledges: bool, door: str, url: str, **form: str
    ) -> None:
        said: list[str] = []

        async def comes(bot: Bot) -> bool:
            assert bot.contact is not None
            said.append(await bot.contact.hears(door, url, **form))
            return True

        self._note(sending, what)
        if await self._machine().asked(comes) and said[0] and acknowledges:
            self._heard.answers.append((sending.incident, sending.person, said[0]))

    def _note(self, sending: Sending, what: str) -> None:
        who = sending.person.split("@", maxsplit=1)[0]
        self._world.note(who, f"by {sending.method}: {what}")
