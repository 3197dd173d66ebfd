"""The kinds of back-ends this version knows, and how one is made from its configuration."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from pydantic import ValidationError

from bot.clock import Clock
from bot.config.access import BackendSpec
from bot.ports.access import Backend
from rules.documents.spec import Spec
from rules.nearest import did_you_mean


class SlackCalls(Protocol):
    """Calls a method of Slack's Web API; raises RetryLaterError or GiveUpError."""

    async def __call__(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What back-ends work with; `slack` is None where there is no workspace to call."""

    clock: Clock
    session: aiohttp.ClientSession
    slack: SlackCalls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendKind:
    """One kind: what its options are, and how it is opened with what they say.

    `open` gets an instance of `options`, may raise ValueError that says what to write instead,
    and does nothing yet that takes long.
    """

    options: type[Spec]
    open: Callable[[Any, Surroundings], Backend]


KINDS: dict[str, BackendKind] = {}
"""By the name that `backend: {kind: ...}` gives it."""


def open_backend(
    spec: BackendSpec, around: Surroundings, kinds: Mapping[str, BackendKind] = KINDS
) -> Backend:
    """Open the back-end of a group. Raises ValueError with everything that is wrong with it."""
    if faults := list(faults_of(spec, kinds)):
        raise ValueError("; ".join(faults))
    kind = kinds[spec.kind]
    return kind.open(kind.options.model_validate(spec.options), around)


def faults_of(spec: BackendSpec, kinds: Mapping[str, BackendKind] = KINDS) -> Iterator[str]:
    """Say what is wrong with a back-end's configuration, without its values."""
    kind = kinds.get(spec.kind)
    if kind is None:
        known = ", ".join(sorted(kinds)) or "none"
        yield f'unknown kind of back-end "{spec.kind}"{did_you_mean(spec.kind, kinds)} Known: {known}'
        return
    try:
        kind.options.model_validate(spec.options)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in fault["loc"])
            yield f"`{place}`: {fault['msg'].removeprefix('Value error, ')}"
