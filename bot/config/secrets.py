"""Every secret of a configuration, for those who must not let one out."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, SecretStr

from bot.config.checks import ACCESS_SECRETS
from bot.config.databases import passwords_in
from bot.config.settings import Config


def secrets_of(config: Config) -> list[str]:
    """Return the values of all secrets, however deep they stand; none of them is empty.

    Among them are the database's password, and the addresses of the watchdog and of webhooks:
    whoever knows one may call it.
    """
    found = [secret.get_secret_value() for secret in _typed(config)]
    for group in config.access_groups.values():
        found += _of_backend(group.backend.options)
    found += passwords_in(config.database)
    if config.watchdog is not None:
        found.append(config.watchdog.url)
    found += [hook.url for hook in config.webhooks]
    return [secret for secret in found if secret]


def _typed(value: object) -> Iterator[SecretStr]:
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for _, one in value:
            yield from _typed(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _typed(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _typed(one)


def _of_backend(options: Mapping[str, object]) -> Iterator[str]:
    """Find secrets in options that are typed only when their back-end is opened."""
    for name, value in options.items():
        if name == "environment" and isinstance(value, Mapping):
            yield from map(str, value.values())
        elif name in ACCESS_SECRETS and isinstance(value, str):
            yield value
