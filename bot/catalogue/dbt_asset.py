"""One node of a dbt manifest as an asset, by the conventions dbt projects follow."""

import re
from collections.abc import Mapping, Sequence

from bot.sources.text import line, link
from rules.catalogue import Asset, LoadType

_LONGEST = 300
_TIER = re.compile(r"(?:tier|p|t)?[\s:_-]?([1-9])", re.IGNORECASE)
_TIER_TAG = re.compile(r"tier[\s:_-]?([1-9])", re.IGNORECASE)
_WHOLE = frozenset({"table", "view", "materialized_view", "ephemeral", "seed", "external"})


class NodeError(ValueError):
    """A node is not shaped like one; the text names the key."""


def asset_of(unique_id: str, kind: str, node: Mapping[str, object]) -> Asset:
    """Read a node; what a group says of it is added by the caller. Raises NodeError."""
    config = _map(node, "config")
    meta = {**_map(node, "source_meta"), **_map(node, "meta"), **_map(config, "meta")}
    tags = _texts(node.get("tags") or config.get("tags"), "tags")
    owner = _owner(meta.get("owner")) or _owner(node.get("owner"))
    return Asset(
        id=unique_id,
        name=_name(unique_id, kind, node),
        kind=kind,
        product=_first(meta, "data_product", "product"),
        owner=owner,
        team=_first(meta, "team"),
        channel=_first(meta, "channel", "slack_channel").lstrip("#"),
        rotation=_first(meta, "oncall", "rotation"),
        tier=_tier(meta.get("tier"), tags),
        load_type=_load_type(kind, meta, config),
        relation=text_of(node.get("relation_name")),
        url=link(text_of(node.get("url"))),
        maturity=text_of(node.get("maturity")).lower(),
        access=text_of(node.get("access")) or text_of(config.get("access")),
        tags=tags,
        runbook=link(_first(meta, "runbook_url", "runbook")),
    )


def text_of(value: object) -> str:
    """Return a text or number as one bounded line; anything else is no text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return line(str(value), _LONGEST)


def _name(unique_id: str, kind: str, node: Mapping[str, object]) -> str:
    name = text_of(node.get("name")) or unique_id.rpartition(".")[2]
    if kind == "source" and (group := text_of(node.get("source_name"))):
        return f"{group}.{name}"
    return name


def _map(node: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = node.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NodeError(f"`{name}` is not an object")
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (line(value, _LONGEST),)
    if not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise NodeError(f"`{name}` is not a list of texts")
    return tuple(dict.fromkeys(line(one, _LONGEST) for one in value[:100]))


def _first(meta: Mapping[str, object], *names: str) -> str:
    return next((found for name in names if (found := text_of(meta.get(name)))), "")


def _owner(written: object) -> str:
    """Read `"@ana"`, a list of which the first answers, or `{name:, email:}`."""
    if isinstance(written, list):
        return next((found for one in written if (found := _owner(one))), "")
    if isinstance(written, dict):
        return text_of(written.get("email")) or text_of(written.get("name"))
    return text_of(written)


def _tier(written: object, tags: tuple[str, ...]) -> int:
    stated = _TIER.fullmatch(text_of(written))
    tagged = (hit for tag in tags if (hit := _TIER_TAG.fullmatch(tag)))
    found = stated or next(tagged, None)
    return int(found[1]) if found else 0


def _load_type(
    kind: str, meta: Mapping[str, object], config: Mapping[str, object]
) -> LoadType | None:
    said = _first(meta, "load_type").lower()
    if said in set(LoadType):
        return LoadType(said)
    if kind in {"snapshot", "seed"}:
        return LoadType.SNAPSHOT if kind == "snapshot" else LoadType.FULL
    materialized = text_of(config.get("materialized"))
    if materialized == "incremental":
        return LoadType.INCREMENTAL
    return LoadType.FULL if materialized in _WHOLE else None
