"""A command of the user's own: one JSON document in, one out, no shell, and no end of patience."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from bot.access.backends.kind import BackendKind, Surroundings
from bot.ports.access import Capabilities, Member
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.documents.spec import PositiveDuration, Spec, Text

VERSION = 1
LARGEST_ANSWER = 4_000_000
_PATH = "/usr/local/bin:/usr/bin:/bin"
_LONGEST_WORDS = 300
_CHUNK = 65_536


def _runnable(command: tuple[str, ...]) -> tuple[str, ...]:
    if not command or not command[0].startswith("/"):
        raise ValueError("write the program's whole path, like /usr/local/bin/grant")
    if any("\0" in part for part in command):
        raise ValueError("a command cannot hold a zero character")
    return command


class ExecOptions(Spec):
    command: Annotated[tuple[Text, ...], AfterValidator(_runnable)] = Field(
        min_length=1,
        max_length=100,
        description="The program with its whole path, and its arguments; no shell reads them.",
    )
    environment: dict[Text, SecretStr] = Field(
        default_factory=dict,
        description="All of its environment besides PATH, like `TOKEN: ${OUR_TOKEN}`.",
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=15),
        le=timedelta(seconds=18),
        description="It is killed, with all it has started, when it takes longer.",
    )
    native_expiry: bool = Field(
        default=False, description="The place ends memberships itself, by `until`."
    )
    propagation: str = Field(
        default="",
        max_length=200,
        description="How long a change takes to work, like `a few minutes`.",
    )


class MemberPayload(BaseModel):
    model_config = ConfigDict(extra="forbid")

    account: str = Field(min_length=1, max_length=500)
    expires_at: AwareDatetime | None = None


class AnswerPayload(BaseModel):
    """What the command says; docs/access-backends.md promises this shape."""

    model_config = ConfigDict(extra="forbid")

    ok: bool
    error: str = Field(default="", max_length=2_000)
    retry: bool = False
    after: float | None = Field(default=None, ge=0, le=86_400)
    members: list[MemberPayload] | None = Field(default=None, max_length=100_000)
    faults: list[str] = Field(default_factory=list, max_length=100)


Action = Literal["grant", "revoke", "members", "probe"]


class ExecCommand:
    """Runs the command once for each call. Calls of different groups may run at the same time."""

    def __init__(self, options: ExecOptions, around: Surroundings) -> None:  # noqa: ARG002 - every kind's
        self._options = options
        self._environment = {"PATH": _PATH} | {
            name: value.get_secret_value() for name, value in options.environment.items()
        }

    @property
    def capabilities(self) -> Capabilities:
        options = self._options
        return Capabilities(native_expiry=options.native_expiry, propagation=options.propagation)

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:
        asked = {"until": until and until.isoformat(), "key": key}
        await self._ask("grant", {"group": group, "account": account, **asked})

    async def revoke(self, group: str, account: str) -> None:
        await self._ask("revoke", {"group": group, "account": account})

    async def members(self, group: str) -> Sequence[Member]:
        answer = await self._ask("members", {"group": group})
        if answer.members is None:
            raise RetryLaterError(f"{self._name} answered `members` without a list of members.")
        return [Member(one.account, one.expires_at) for one in answer.members]

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises as the other methods."""
        await self.members(group)
        answer = await self._ask("probe", {"group": group})
        return [_words(fault) for fault in answer.faults]

    async def close(self) -> None:
        """Hold nothing open."""

    @property
    def _name(self) -> str:
        return self._options.command[0]

    async def _ask(self, action: Action, asked: Mapping[str, object]) -> AnswerPayload:
        document = json.dumps({"version": VERSION, "action": action, **asked})
        status, told = await self._run(document.encode(), writes=action in {"grant", "revoke"})
        unsure = action in {"grant", "revoke"}
        try:
            answer = AnswerPayload.model_validate_json(told)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the answer"
            words = f"{self._name} ended with {status}, and {place}: {first['msg']}."
            raise RetryLaterError(words, unsure=unsure) from None
        if answer.ok and status == 0:
            return answer
        words = _words(answer.error) or f"{self._name} ended with {status}."
        if answer.retry or answer.ok:
            after = None if answer.after is None else timedelta(seconds=answer.after)
            raise RetryLaterError(words, after=after, unsure=unsure)
        raise GiveUpError(words)

    async def _run(self, document: bytes, *, writes: bool) -> tuple[int, bytes]:
        process, whole = await self._started(), False
        try:
            async with asyncio.timeout(self._options.timeout.total_seconds()):
                told = await _talk(process, document)
                status = await process.wait()
                whole = True
                return status, told
        except TimeoutError:
            words = f"{self._name} took too long and was stopped."
            raise RetryLaterError(words, unsure=writes) from None
        except _TooMuchError:
            words = f"{self._name} wrote more than {LARGEST_ANSWER:,} characters."
            raise RetryLaterError(words, unsure=writes) from None
        finally:
            if not whole:
                await _killed(process)

    async def _started(self) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._options.command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it cannot be written so"
            words = f"{self._name} cannot be run: {why}. Correct `command`."
            raise GiveUpError(words) from None


class _TooMuchError(Exception):
    """The command wrote more than is read."""


async def _talk(process: Process, document: bytes) -> bytes:
    """Write and read at the same time, or a long answer would wait for a long question."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_told(process, document))
        heard = group.create_task(_heard(process))
    answer = heard.result()
    if answer is None:
        raise _TooMuchError
    return answer


async def _told(process: Process, document: bytes) -> None:
    assert process.stdin is not None
    # a command that needs nothing of it may hang up
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(document)
        await process.stdin.drain()
    process.stdin.close()


async def _heard(process: Process) -> bytes | None:
    """Return what it wrote, None when that is too much."""
    assert process.stdout is not None
    found = bytearray()
    while chunk := await process.stdout.read(_CHUNK):
        found += chunk
        if len(found) > LARGEST_ANSWER:
            return None
    return bytes(found)


async def _killed(process: Process) -> None:
    """Kill it and what it has started, which may outlive it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # what is still in the pipe, or who still holds it, would let us wait for ever
    process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001 - there is no other way
    await process.wait()


def _words(text: Any) -> str:
    return " ".join(str(text).split())[:_LONGEST_WORDS]


KIND = BackendKind(options=ExecOptions, open=ExecCommand)
