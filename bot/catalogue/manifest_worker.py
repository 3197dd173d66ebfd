"""Reads a manifest in a process of its own, so that its memory is bounded and given back."""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from threading import Timer
from typing import Any

import bot
from bot.catalogue.manifest import Manifest, ManifestError, Progress, read_manifest
from rules.catalogue import Asset, LoadType

LARGEST = 2_000_000_000
LONGEST = 120.0
"""Seconds; the largest manifests known take three."""

MEMORY = 1_000_000_000
"""Bytes of address space; the largest manifests known take a tenth."""

_FIELDS = tuple(one.name for one in fields(Asset))
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from bot.catalogue.manifest_worker import main; main(sys.argv[2], int(sys.argv[3]))"
)


def import_manifest(
    path: Path,
    on_progress: Progress | None = None,
    *,
    longest: float = LONGEST,
    memory: int = MEMORY,
) -> Manifest:
    """Read a manifest in a worker process; raises ManifestError. It blocks for seconds."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be read: {error.strerror or error}.") from error
    if size > LARGEST:
        raise ManifestError(f"{path.name} is larger than 2 GB.")
    root = Path(bot.__file__).parents[1]
    command = [sys.executable, "-P", "-c", _START, str(root), str(path.absolute()), str(memory)]
    with subprocess.Popen(  # noqa: S603  our own interpreter and code
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as worker:
        timer = Timer(longest, worker.kill)
        timer.start()
        try:
            answer = _listen(worker, on_progress)
        finally:
            timer.cancel()
            worker.kill()
    if answer is None:
        raise ManifestError(
            f"{path.name} could not be read within {longest:.0f} s and {memory // 1_000_000} MB."
        )
    if "error" in answer:
        raise ManifestError(answer["error"])
    return _decoded(answer)


def _listen(worker: subprocess.Popen[bytes], on_progress: Progress | None) -> dict[str, Any] | None:
    assert worker.stdout is not None
    for said in worker.stdout:
        try:
            message = json.loads(said)
        except ValueError:  # it was ended while it wrote
            return None
        if "read" not in message:
            return dict(message)
        if on_progress:
            on_progress(*message["read"])
    return None


def main(path: str, memory: int) -> None:
    """Run in the worker: say how far it is, then the manifest or what is wrong with it."""
    _bound_memory(memory)
    try:
        found = _encoded(read_manifest(Path(path), lambda at, of: _say({"read": [at, of]})))
    except ManifestError as error:
        found = {"error": str(error)}
    _say(found)


def _bound_memory(memory: int) -> None:
    with suppress(ImportError, ValueError, OSError):  # not every system can
        import resource  # only where the system has it

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _encoded(manifest: Manifest) -> dict[str, Any]:
    return {
        "assets": [[getattr(one, name) for name in _FIELDS] for one in manifest.assets],
        "children": manifest.children,
        "tests": manifest.tests,
        "project": manifest.project,
        "generated_at": manifest.generated_at,
        "problems": manifest.problems,
    }


def _decoded(answer: dict[str, Any]) -> Manifest:
    return Manifest(
        assets=tuple(_asset(row) for row in answer["assets"]),
        children={node: tuple(found) for node, found in answer["children"].items()},
        tests=answer["tests"],
        project=answer["project"],
        generated_at=answer["generated_at"],
        problems=tuple(answer["problems"]),
    )


def _asset(row: list[Any]) -> Asset:
    values = dict(zip(_FIELDS, row, strict=True))
    values["tags"] = tuple(values["tags"])
    values["load_type"] = LoadType(values["load_type"]) if values["load_type"] else None
    return Asset(**values)
