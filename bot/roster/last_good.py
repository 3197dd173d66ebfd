"""The last accepted rows of each rotation, kept beside the database so that a restart has them."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from rules.schedule.roster import RotationPlan, Shift

_MOST_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Good:
    """One rotation as accepted: `version` of the roster it came from, when, and who wrote it."""

    version: str
    accepted_at: datetime
    plan: RotationPlan
    author: str = ""


@dataclass(frozen=True, slots=True)
class _SavedPayload:
    rotations: dict[str, Good]
    format: Literal[2] = 2


@dataclass(frozen=True, slots=True)
class _FirstGood:
    version: str
    accepted_at: datetime
    zone: str
    rows: tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class _FirstPayload:
    """What versions before layers kept: rows alone."""

    rotations: dict[str, _FirstGood]
    format: Literal[1] = 1


_PAYLOAD = TypeAdapter(_SavedPayload)
_EITHER: TypeAdapter[_SavedPayload | _FirstPayload] = TypeAdapter(
    Annotated[_SavedPayload | _FirstPayload, Field(union_mode="left_to_right")]
)


class LastGoodError(ValueError):
    """The file cannot be read or written; the text says which and why."""


def load_last_good(path: Path) -> dict[str, Good]:
    """Return what was accepted last, nothing when the file is not there; raises LastGoodError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LastGoodError(f"{path} is too large to be the last good roster. Delete it.")
        return _rotations(_EITHER.validate_json(path.read_bytes()))
    except FileNotFoundError:
        return {}
    except ValidationError:
        raise LastGoodError(
            f"{path} is broken, so the roster before the restart is not known. Delete it."
        ) from None
    except OSError as error:
        raise LastGoodError(f"{path} cannot be read: {error.strerror}.") from None


def save_last_good(path: Path, rotations: Mapping[str, Good]) -> None:
    """Replace the file in one step, so that a crash leaves the old or the new; see LastGoodError."""
    data = _PAYLOAD.dump_json(_SavedPayload(dict(rotations)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise LastGoodError(f"{path} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise LastGoodError(f"{path} cannot be written: {error.strerror}.") from None


def _rotations(payload: _SavedPayload | _FirstPayload) -> dict[str, Good]:
    if isinstance(payload, _SavedPayload):
        return payload.rotations
    return {
        name: Good(
            old.version,
            old.accepted_at,
            RotationPlan(name=name, zone=old.zone, shifts=old.rows),
        )
        for name, old in payload.rotations.items()
    }
