"""What every kind of back-end is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
from pydantic import Field, SecretStr, model_validator

from bot.clock import Clock
from bot.ports.access import Backend
from rules.documents.spec import Spec


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


class TokenSpec(Spec):
    """Options of a back-end that takes a token."""

    token: SecretStr = Field(
        default=SecretStr(""), description="Its token, as ${NAME} from the environment."
    )
    token_file: str = Field(
        default="", max_length=500, description="A file with the token instead, read at each call."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "TokenSpec":
        if bool(self.token.get_secret_value()) == bool(self.token_file):
            raise ValueError("say either `token` or `token_file`")
        return self
