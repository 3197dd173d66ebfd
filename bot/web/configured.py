"""The configured sources as their doors know them."""

from collections.abc import Mapping

from bot.config import Config, SourceSpec
from bot.sources.configured import source_of
from bot.web.authentication import Gate
from bot.web.hooks import HookSource


def hook_sources(config: Config) -> Mapping[str, HookSource]:
    """Return the doors by source name.

    A source without a secret is open to this machine in Slack mode `local`, and shut otherwise.
    """
    return {spec.name: _hook_source(spec, config) for spec in config.sources}


def _hook_source(spec: SourceSpec, config: Config) -> HookSource:
    given = (spec.secret.get_secret_value(), spec.previous_secret.get_secret_value())
    return HookSource(
        source=source_of(spec),
        gate=Gate(
            secrets=tuple(secret for secret in given if secret),
            allow_query_key=spec.allow_query_key,
            open_on_loopback=config.slack.mode == "local",
        ),
        rate_limit=spec.rate_limit,
        body_limit=spec.body_limit or config.limits.body,
    )
