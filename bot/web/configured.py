"""The configured sources as their doors know them."""

from collections.abc import Mapping

import structlog

from bot.config.settings import Config, SourceSpec
from bot.sources.configured import option_faults, source_of
from bot.sources.registry import KINDS
from bot.web.authentication import Gate
from bot.web.hooks import HookSource

_log = structlog.get_logger(__name__)


def hook_sources(config: Config) -> Mapping[str, HookSource]:
    """Return the doors by source name.

    A source without a secret is open to this machine in Slack mode `local`, and shut otherwise.
    """
    return {spec.name: _hook_source(spec, config) for spec in config.sources}


def _hook_source(spec: SourceSpec, config: Config) -> HookSource:
    given = (spec.secret.get_secret_value(), spec.previous_secret.get_secret_value())
    for fault in option_faults(spec):
        _log.warning("option left out", source=spec.name, fault=fault)
    source = source_of(spec)
    return HookSource(
        source=source,
        gate=Gate(
            secrets=tuple(secret for secret in given if secret),
            allow_query_key=spec.allow_query_key,
            open_on_loopback=config.slack.mode == "local",
            scheme=KINDS[spec.kind].scheme,
            options=source.options,
        ),
        rate_limit=spec.rate_limit,
        body_limit=spec.body_limit or config.limits.body,
    )
