"""Sends files to a running bot as a source would: `watchbill send --source NAME FILE...`."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot import courier
from bot.sources.dbt_artifacts import ArtifactError, delivery_id, documents, encode

SENT, NOT_DELIVERED, NOT_READABLE = 0, 1, 2
"""Exit codes: everything arrived; something did not; a file is not what it should be."""

_CONTENT_TYPES = {".json": "application/json", ".txt": "text/plain", ".xml": "application/xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A source of a running bot: `url` is its whole hook address, as /hooks/<name>."""

    source: str
    kind: str
    url: str
    secret: str


def send(
    files: Sequence[Path],
    destination: Destination,
    *,
    say: Callable[[str], object],
    sleep: Callable[[float], object] | None = None,
    manifest: Path | None = None,
    target: str = "",
) -> int:
    """Post each file, tell what happens line by line, and return an exit code.

    Results of dbt are joined with their manifest first. `sleep` waits between attempts; the
    default can be interrupted.
    """
    worst = SENT
    for file in files:
        try:
            worst = max(worst, _send_file(file, destination, say, sleep, (manifest, target)))
        except ArtifactError as error:
            say(str(error))
            worst = max(worst, NOT_READABLE)
        except OSError as error:
            say(f"{file} cannot be read: {error.strerror or error}.")
            worst = max(worst, NOT_READABLE)
    return worst


def _send_file(
    file: Path,
    destination: Destination,
    say: Callable[[str], object],
    sleep: Callable[[float], object] | None,
    join: tuple[Path | None, str],
) -> int:
    for parcel, what in _parcels(file, destination, join):
        say(f"Sending {what} to {destination.source} ({len(parcel.body) / 1024:.0f} KB).")
        receipt = courier.carry(parcel, sleep=sleep or threading.Event().wait, say=say)
        if not receipt.accepted:
            say(f"{what} was not delivered. {receipt.text}".strip())
            say(courier.advice(receipt, destination.url))
            say("Then send it again; sending twice is harmless.")
            return NOT_DELIVERED
        stored = f" as delivery {receipt.text}" if receipt.text else ""
        say(f"Watchbill has stored it{stored}.")
    return SENT


def _parcels(
    file: Path, destination: Destination, join: tuple[Path | None, str]
) -> Iterator[tuple[courier.Parcel, str]]:
    if destination.kind != "dbt":
        content_type = _CONTENT_TYPES.get(file.suffix.lower(), "application/json")
        yield (
            courier.Parcel(
                destination.url,
                file.read_bytes(),
                secret=destination.secret,
                content_type=content_type,
            ),
            file.name,
        )
        return
    for document in documents(file, *join):
        parcel = courier.Parcel(
            destination.url,
            encode(document),
            secret=destination.secret,
            delivery=delivery_id(document),
        )
        yield parcel, f"{file.name} part {document['part']} ({len(document['results'])} results)"
