"""The kinds of back-ends this version knows, and how one is made from its configuration."""

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from bot.access.backends import (
    cloud_identity,
    exec_command,
    github,
    google_group,
    google_iam,
    okta,
    postgresql,
    slack_group,
)
from bot.access.backends.kind import BackendKind, SlackCalls, Surroundings
from bot.config.access import BackendSpec
from bot.ports.access import Backend
from rules.documents.spec import Spec
from rules.nearest import did_you_mean

__all__ = ["KINDS", "BackendKind", "SlackCalls", "Surroundings", "faults_of", "open_backend"]

KINDS: dict[str, BackendKind] = {
    "cloud_identity": cloud_identity.KIND,
    "exec": exec_command.KIND,
    "github_team": github.KIND,
    "google_group": google_group.KIND,
    "google_iam": google_iam.KIND,
    "okta_group": okta.KIND,
    "postgresql_role": postgresql.KIND,
    "slack_group": slack_group.KIND,
}
"""By the name that `backend: {kind: ...}` gives it."""


def open_backend(
    spec: BackendSpec, around: Surroundings, kinds: Mapping[str, BackendKind] = KINDS
) -> Backend:
    """Open the back-end of a group. Raises ValueError with everything that is wrong with it."""
    if faults := list(faults_of(spec, kinds)):
        raise ValueError("; ".join(faults))
    kind = kinds[spec.kind]
    return kind.open(kind.options.model_validate(spec.options), around)


def faults_of(spec: BackendSpec, kinds: Mapping[str, BackendKind] = KINDS) -> Iterator[str]:
    """Say what is wrong with a back-end's configuration, without its values."""
    kind = kinds.get(spec.kind)
    if kind is None:
        yield f'unknown kind of back-end "{spec.kind}"{did_you_mean(spec.kind, kinds)}'
        return
    try:
        kind.options.model_validate(spec.options)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in fault["loc"])
            yield _fault(kind.options, place, fault["type"], fault["msg"])


def _fault(options: type[Spec], place: str, kind: str, message: str) -> str:
    known = options.model_fields
    if kind == "extra_forbidden":
        return f"unknown option `{place}`{did_you_mean(place, known)}"
    if kind == "missing" and place in known:
        return f"`{place}` is missing. {known[place].description}"
    words = message.removeprefix("Value error, ")
    return f"`{place}`: {words}" if place else words
