"""Builds who watches over the bot itself: the auditor, the canary and the outside watchdog."""

import secrets
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import aiohttp

from bot.app.bell import Bell, PersonTarget, Target
from bot.app.canary import Canary, CanaryParts
from bot.app.contact_side import backends_of, receipts_of
from bot.app.watchdog import Watchdog, WatchdogParts
from bot.clock import Clock, SystemClock
from bot.config.sentinels import CanarySpec
from bot.config.settings import Config
from bot.engine.auditing import ERRAND, EVERY, Auditor, AuditorParts
from bot.engine.engine import Engine
from bot.engine.rehearsing import CANARY
from bot.metrics import Metrics
from bot.ports.contact import Backend
from bot.ports.inbox import ConflictError
from bot.sources.kind import Source
from bot.store.opening import OpenedStore
from bot.web.authentication import Gate
from bot.web.hooks import HookSource
from bot.web.probes import Check
from bot.webhook import WebhookTarget
from rules.audit import PATIENCE, Patience
from rules.contacting.contacts import address_of
from rules.contacting.method import Method
from rules.rulebook import RuleBook
from rules.sentence import plain

AUDIT_LATE = timedelta(minutes=5)
ENGINE_LATE = timedelta(seconds=30)
LOOK = timedelta(seconds=5)
"""How often it is asked whether the auditor's clock has come; no lock is taken for it."""

AGAIN = timedelta(seconds=10)
"""A loop that a fault of ours has ended begins anew after this."""
_SHOWN = 5
Work = Callable[[], Coroutine[None, None, None]]
Every = Callable[[timedelta, Work], Coroutine[None, None, None]]


def canary_source() -> Source:
    """Return the source that only the canary comes from."""
    return Source(name=CANARY, kind="generic")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentinelParts:
    """What the sentinels watch over; `speed` makes a demo's minutes short."""

    config: Config
    store: OpenedStore
    engine: Engine
    book: Callable[[], RuleBook]
    clock: Clock
    session: aiohttp.ClientSession
    metrics: Metrics
    speed: float = 1.0


class Sentinels:
    """The auditor always, the others where they are configured.

    `door` is set once it is known where this process listens.
    """

    def __init__(self, parts: SentinelParts) -> None:
        self.door = ""
        self._parts = parts
        self._secret = secrets.token_hex(32)
        self._began = parts.clock.now()
        self.auditor = Auditor(
            AuditorParts(
                store=parts.store.store,
                reads=parts.store.audits,
                clock=parts.clock,
                engine=parts.engine,
                book=parts.book,
                channel=parts.config.slack.alerts_channel,
                observe=lambda fault: parts.metrics.audit_findings.labels(fault).inc(),
                forget=parts.store.queue.forget,
                patience=_patience(parts.speed),
                every=EVERY * parts.speed,
            )
        )
        self.canary = self._canary()

    def doors(self) -> Mapping[str, HookSource]:
        """Return the canary's own source, which only this process has the secret of."""
        if self.canary is None:
            return {}
        return {CANARY: HookSource(source=canary_source(), gate=Gate(secrets=(self._secret,)))}

    def details(self) -> Mapping[str, Check]:
        """Return what /readyz tells beside its checks."""
        canary = {CANARY: self.canary.standing} if self.canary else {}
        return {ERRAND: self.standing, **canary}

    def works(self, every: Every, checks: Mapping[str, Check]) -> Sequence[tuple[str, Work]]:
        """Return what runs beside the engine; `checks` are those of /readyz."""
        works: list[tuple[str, Work]] = [("auditor", partial(every, LOOK, self._audit))]
        if self.canary is not None:
            works.append((CANARY, partial(every, AGAIN, self.canary.run)))
        if (spec := self._parts.config.watchdog) is not None:
            watchdog = Watchdog(
                WatchdogParts(
                    url=spec.url,
                    every=spec.every,
                    checks={**checks, **self.own_checks()},
                    clock=SystemClock(),
                    session=self._parts.session,
                    metrics=self._parts.metrics,
                )
            )
            works.append(("watchdog", partial(every, AGAIN, watchdog.run)))
        return works

    def own_checks(self) -> Mapping[str, Check]:
        """Return what must hold beside readiness before the outside watchdog is pinged."""
        return {"engine": self._engine, "writing": self._writing, "auditor": self.late}

    async def standing(self) -> str:
        """Say what the auditor last found, "" when that was nothing."""
        if late := await self.late():
            return late
        found = await self._parts.store.audits.findings()
        told = [one.sentence.render(plain) for one in found[:_SHOWN]]
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        return " ".join([*told, *more])

    async def late(self) -> str:
        """Say that nobody has audited for too long, "" otherwise."""
        limit, now = AUDIT_LATE * self._parts.speed, self._parts.clock.now()
        done_at = await self._parts.store.audits.errand_done_at(ERRAND)
        since = max(done_at or self._began, self._began)
        return "" if now - since <= limit else f"the auditor has not run since {since:%H:%M} UTC"

    async def _engine(self) -> str:
        limit, now = ENGINE_LATE * self._parts.speed, self._parts.clock.now()
        last = self._parts.engine.looked_at or self._began
        return "" if now - last <= limit else f"the engine has stood still since {last:%H:%M} UTC"

    async def _writing(self) -> str:
        now = self._parts.clock.now()
        async with self._parts.store.store.begin() as tx:
            await tx.audit.claim_errand("watchdog", now, now)
        return ""

    async def _audit(self) -> None:
        if self._parts.clock.now() - self._began < EVERY * self._parts.speed:
            return  # the engine first does what became due while nobody was there
        try:
            await self.auditor.run_due()
        except ConflictError:
            return  # somebody else was at the same incident; the next look is a minute away

    def _canary(self) -> Canary | None:
        parts, spec = self._parts, self._parts.config.canary
        if spec is None:
            return None
        wanted = [alarm.webhook for alarm in spec.alarm]
        real = SystemClock()
        targets: dict[str, Target] = {
            hook.name: WebhookTarget(hook.url, hook.secret.get_secret_value())
            for hook in parts.config.webhooks
            if hook.name in wanted
        }
        targets |= _people_of(spec, parts.config, backends_of(parts.config, parts.session, real))
        return Canary(
            CanaryParts(
                spec=spec,
                reads=parts.store.audits,
                clock=real,
                session=parts.session,
                bell=Bell(parts.session, targets, real),
                metrics=parts.metrics,
                door=lambda: self.door,
                secret=self._secret,
                host=socket.gethostname(),
            )
        )


def door_at(host: str, port: int) -> str:
    """Return where a process that listens on `host` reaches itself."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is not bound here
    return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"


def _people_of(
    spec: CanarySpec, config: Config, backends: Mapping[Method, Backend]
) -> Mapping[str, PersonTarget]:
    """Return those whom the alarm names, with every address of theirs."""
    people, found = config.directory(), dict[str, PersonTarget]()
    for person in (people.find(alarm.person) for alarm in spec.alarm if alarm.person):
        ways = {
            method: (backend, address)
            for method, backend in backends.items()
            if (address := address_of(person, method))
        }
        found[person.key] = PersonTarget(person.name, ways, receipts_of(backends))
    return found


def _patience(speed: float) -> Patience:
    if speed == 1.0:
        return PATIENCE
    at = PATIENCE
    return replace(
        at,
        wake_up=at.wake_up * speed,
        lease=at.lease * speed,
        page=at.page * speed,
        effect=at.effect * speed,
        ahead=at.ahead * speed,
        told=at.told * speed,
        delivery=at.delivery * speed,
        grant=at.grant * speed,
    )
