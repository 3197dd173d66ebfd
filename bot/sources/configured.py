"""A source as the configuration writes it -> a source as parsers know it."""

from zoneinfo import ZoneInfo

from bot.config import SourceSpec
from bot.sources.kind import Source


def source_of(spec: SourceSpec) -> Source:
    """Return what the parsers need of `spec`; no secret is in it."""
    return Source(
        name=spec.name,
        kind=spec.kind,
        mapping=spec.mapping.model_dump(exclude_defaults=True) if spec.mapping else {},
        timezone=ZoneInfo(spec.timezone or "UTC"),
    )
