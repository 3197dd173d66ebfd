"""Tries each elevated group's back-end without changing anything, and says what is missing."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.access.backends.kind import Surroundings
from bot.access.backends.registry import open_backend
from bot.config.access import AccessGroupSpec
from bot.ports.access import Backend
from bot.ports.delivering import GiveUpError, RetryLaterError

LONGEST = 20.0
"""Seconds for one group."""


@runtime_checkable
class Probes(Protocol):
    """What a back-end can do besides: look at a group and at our rights to it."""

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises RetryLaterError or GiveUpError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What became of trying one group; without `faults` it can be granted and revoked."""

    name: str
    kind: str
    group: str
    members: int | None = None
    native_expiry: bool = False
    faults: tuple[str, ...] = ()


async def probe_all(
    groups: Mapping[str, AccessGroupSpec], around: Surroundings
) -> Sequence[Probed]:
    """Try all groups at the same time; never raises for what is wrong with one."""
    return await asyncio.gather(*(_probe(name, spec, around) for name, spec in groups.items()))


async def _probe(name: str, spec: AccessGroupSpec, around: Surroundings) -> Probed:
    found = Probed(name=name, kind=spec.backend.kind, group=spec.group)
    try:
        backend = open_backend(spec.backend, around)
    except ValueError as error:
        return _with(found, (str(error),))
    try:
        async with asyncio.timeout(LONGEST):
            return await _tried(found, backend)
    except TimeoutError:
        return _with(found, ("it does not answer in time.",))
    except (RetryLaterError, GiveUpError) as error:
        return _with(found, (str(error),))
    finally:
        with suppress(RetryLaterError, GiveUpError):
            await backend.close()


async def _tried(found: Probed, backend: Backend) -> Probed:
    faults = await backend.probe(found.group) if isinstance(backend, Probes) else ()
    can = backend.capabilities
    members = len(await backend.members(found.group)) if can.can_list else None
    return _with(found, tuple(faults), members=members, native_expiry=can.native_expiry)


def _with(
    found: Probed,
    faults: tuple[str, ...],
    *,
    members: int | None = None,
    native_expiry: bool = False,
) -> Probed:
    return Probed(
        name=found.name,
        kind=found.kind,
        group=found.group,
        members=members,
        native_expiry=native_expiry,
        faults=faults,
    )
