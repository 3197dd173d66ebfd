"""A source as the configuration writes it -> a source as parsers know it."""

from zoneinfo import ZoneInfo

from bot.config.settings import SourceSpec
from bot.sources.kind import Source
from bot.sources.mapping import read_mapping
from bot.sources.options import read_options
from bot.sources.registry import KINDS


def source_of(spec: SourceSpec) -> Source:
    """Return what the parsers need of `spec`; no secret is in it.

    An option that cannot be used is left out; `option_faults` tells of it.
    """
    return Source(
        name=spec.name,
        kind=spec.kind,
        mapping=spec.mapping.model_dump(exclude_defaults=True) if spec.mapping else {},
        timezone=ZoneInfo(spec.timezone or "UTC"),
        options=read_options(KINDS[spec.kind].options, spec.options)[0],
    )


def mapping_fault(spec: SourceSpec) -> str:
    """Return what is wrong with the source's mapping, or nothing."""
    try:
        read_mapping(source_of(spec).mapping)
    except ValueError as error:
        return str(error)
    return ""


def option_faults(spec: SourceSpec) -> list[str]:
    """Return what is wrong with the source's options."""
    return read_options(KINDS[spec.kind].options, spec.options)[1]
