"""`watchbill explain`: a body through the real parser and the real decisions, on paper."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.cli.live_catalogue import seen_lineage
from bot.cli.output import fail
from bot.cli.roster import roster_now
from bot.cli.stored import accepted_plans, changes, learned_rules, silences
from bot.config.settings import Config
from bot.explain import explain
from bot.ports.inbox import Delivery
from bot.sources.configured import source_of
from bot.sources.registry import read
from rules.category import SURE
from rules.chain import link_of
from rules.documents.rulebook_parts import RulebookParts
from rules.nearest import did_you_mean
from rules.products.live_catalogue import with_seen
from rules.rotation import OnCall
from rules.sentence import counted
from rules.teaching.learned import with_learned

_LARGEST = 50_000_000


def explained(
    config: Config, parts: RulebookParts, source: str, payload: Path, now: datetime
) -> dict[str, Any]:
    """Return the document of `explain --json`; ends the command on a wrong name or file."""
    spec = config.source(source)
    if spec is None:
        names = [one.name for one in config.sources]
        raise fail(f'No source is called "{source}"{did_you_mean(source, names)}.')
    body = _body(payload)
    delivery = Delivery(
        id=hashlib.sha256(body).hexdigest()[:32],
        source=source,
        key="",
        body=body,
        content_type="application/json",
        headers={},
        received_at=now,
    )
    roster = roster_now(config, now, asyncio.run(accepted_plans(config, now)))
    changed = asyncio.run(changes(config, now))
    book = parts.rulebook(
        on_call=roster.on_call(changed, now) if roster else OnCall(),
        silences=asyncio.run(silences(config, now)),
    )
    if config.catalogue:
        from bot.catalogue.reading import read_catalogue  # heavy, and only for those who have one

        known = read_catalogue(config.catalogue)
        book = replace(book, catalogue=known.catalogue, lineage=known.lineage)
    seen, _ = asyncio.run(seen_lineage(config))
    if seen.assets:
        live = with_seen(book.catalogue, book.lineage, seen)
        book = replace(book, catalogue=live.catalogue, lineage=live.lineage)
    book = with_learned(book, asyncio.run(learned_rules(config)))
    parsed = read(source_of(spec), delivery)
    return explain(parsed.alerts, book, roster.file.people if roster else config.directory(), now)


def explained_text(document: dict[str, Any]) -> str:
    """Render the document for people: alerts, each incident's chain of reasons, what follows."""
    lines = [counted(len(document["alerts"]), "alert")]
    for alert in document["alerts"]:
        lines.append(f"  {alert['status']:8} {alert['severity']:8} {alert['title']}")
        lines.append(f"           {_category(alert)}")
        lines.append(f"           dedup key {alert['dedup_key']}")
        if alert["group_key"]:
            lines.append(f"           group key {alert['group_key']}")
    for incident in document["incidents"]:
        lines.append(_incident_line(incident))
        lines += _chain_lines(document["chain"], incident["number"])
    lines.append("then, if nobody answers")
    lines += [_reason_line(reason) for reason in document["reasons"] if _is_later(reason, document)]
    lines.append(counted(len(document["pages"]), "page"))
    lines += [
        f"  {_clock(page['at'])} #{page['incident']:<3} {page['name']}: {page['reason']}"
        for page in document["pages"]
    ]
    return "\n".join(lines)


def _category(thing: dict[str, Any]) -> str:
    """Return "completeness", or "probably access, or schema"."""
    words = [
        str(thing[key]).replace("_", " ") for key in ("category", "category_alt") if thing[key]
    ]
    guess = "probably " if thing["confidence"] < SURE else ""
    return f"{guess}{', or '.join(words)}" if words else "no category"


def _incident_line(incident: dict[str, Any]) -> str:
    return (
        f"incident #{incident['number']} {incident['priority']} {incident['state']}: "
        f"{incident['title']} ({_category(incident)}, policy {incident['policy']}, "
        f"channel #{incident['channel']})"
    )


def _chain_lines(chain: list[dict[str, Any]], number: int) -> Iterator[str]:
    """Yield the chain of one incident: a heading for each link, and what is said of it."""
    heading = ""
    for line in chain:
        if line["incident"] != number:
            continue
        if line["title"] != heading:
            heading = line["title"]
            yield f"  {heading}"
        yield f"    {line['text']}  [{line['rule']}]"


def _is_later(reason: dict[str, Any], document: dict[str, Any]) -> bool:
    """Tell whether a reason is not in the chain already."""
    return reason["at"] != document["at"] or link_of(reason["rule"]) is None


def _reason_line(reason: dict[str, Any]) -> str:
    number = f"#{reason['incident']}" if reason["incident"] else "-"
    return f"  {_clock(reason['at'])} {number:4} {reason['text']}  [{reason['rule']}]"


def _clock(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%Y-%m-%d %H:%M:%S}Z"


def _body(payload: Path) -> bytes:
    try:
        if payload.stat().st_size > _LARGEST:
            raise fail(f"{payload} is larger than {_LARGEST} bytes.")
        return payload.read_bytes()
    except OSError as error:
        raise fail(f"{payload} cannot be read: {error.strerror}.") from error
