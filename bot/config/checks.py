"""What is wrong with a configuration beyond the shape of its parts."""

import re
from collections.abc import Iterator, Sequence

from bot.config.access_checks import access_faults
from bot.config.contact_checks import contact_faults, contact_warnings
from bot.config.databases import passwords_in
from bot.config.settings import GOOGLE_SHEET, KEYLESS_KINDS, Config, SlackSpec, split_address
from rules.documents.yaml_document import Document, Fault, Path
from rules.nearest import did_you_mean

SECRET_KEYS = frozenset(
    {"bot_token", "app_token", "signing_secret", "user_token", "roster_secret"}
    | {"secret", "previous_secret", "client_secret", "token", "env"}
    | {"auth_token", "password"}
)
"""Keys whose values are never written into the file."""

_HOLDERS = frozenset(
    {"calendar", "contact", "orchestrators", "slack", "sources", "task_tracker"}
    | {"web_pages", "webhooks"}
)
ACCESS_SECRETS = frozenset({"token", "password"})
"""The same, of the back-ends of elevated groups."""

_SECRETIVE = re.compile(r"token|secret|passw|key|credential", re.IGNORECASE)
_NEEDED = {"socket": ("bot_token", "app_token"), "http": ("bot_token", "signing_secret")}
_SHEET_ID = re.compile(r"[A-Za-z0-9_-]{3,200}")
_PREFIXES = {"bot_token": "xoxb-", "app_token": "xapp-", "user_token": "xoxp-"}
_SHORTEST_SECRET = 16
_SHORT = f"`{{key}}` is shorter than {_SHORTEST_SECRET} characters and can be guessed"


def literal_secrets(document: Document) -> Iterator[Fault]:
    """Find secrets that stand in the file; the local workspace's are made up and may."""
    if document.value(("slack", "mode")) == "local":
        return
    for path in document.places:
        value = document.value(path)
        written = document.written.get(path)
        if not (path and isinstance(value, str) and value) or (written and ":-" not in written):
            continue
        if path[-1] in SECRET_KEYS and path[0] in _HOLDERS:
            words = f"`{path[-1]}` is a secret; put it into the environment and write "
            yield document.fault(path, f"{words}${{{_variable(document, path)}}}")
        is_of_backend = path[0] == "access_groups" and path[-1] in ACCESS_SECRETS
        if is_of_backend or (_is_variable(path) and not value.startswith("/")):
            words = f"`{path[-1]}` is a secret; put it into the environment and write ${{NAME}}"
            yield document.fault(path, words)
        if path == ("roster_secret",):
            words = "`roster_secret` is a secret; put it into the environment and write "
            yield document.fault(path, f"{words}${{ROSTER_SECRET}}")
        if path == ("database",) and passwords_in(value):
            yield document.fault(path, "the password is a secret; write ${DATABASE_PASSWORD} there")


def _is_variable(path: Path) -> bool:
    """Tell whether it is what a command of ours finds under a secret's name."""
    places = {("access_groups", "environment"), ("runbooks", "env")}
    is_there = any(path[0] == of and key in path[1:-1] for of, key in places)
    return is_there and bool(_SECRETIVE.search(str(path[-1])))


RESERVED_SOURCES = frozenset({"canary", "roster"})
"""Names under /hooks/ that are not sources."""


def config_faults(config: Config, document: Document) -> Iterator[Fault]:
    yield from _twice(document, "sources", "name", [source.name for source in config.sources])
    yield from _twice(document, "webhooks", "name", [hook.name for hook in config.webhooks])
    yield from _twice(document, "people", "name", [person.name for person in config.people])
    yield from _twice(document, "people", "email", [person.email for person in config.people])
    yield from _twice(document, "people", "slack", [person.slack for person in config.people])
    yield from _twice(document, "expected_runs", "name", [run.name for run in config.expected_runs])
    yield from _expected_faults(config, document)
    yield from _orchestrator_faults(config, document)
    yield from _action_faults(config, document)
    for at, source in enumerate(config.sources):
        if source.name in RESERVED_SOURCES:
            words = f'"{source.name}" is an address of Watchbill\'s own; name the source otherwise'
            yield document.fault(("sources", at, "name"), words)
    for key in _NEEDED.get(config.slack.mode, ()):
        if not getattr(config.slack, key).get_secret_value():
            words = f"slack.mode `{config.slack.mode}` needs `{key}`"
            yield document.fault(("slack", key), words)
    for at, source in enumerate(config.sources):
        if config.slack.mode == "local" or source.kind in KEYLESS_KINDS:
            continue
        if not source.secret.get_secret_value():
            words = f'source "{source.name}" needs a `secret`, or anybody could page you'
            yield document.fault(("sources", at, "secret"), words)
    yield from _follower_faults(config, document)
    yield from _approver_faults(config, document)
    yield from _alarm_faults(config, document)
    yield from _sheet_faults(config, document)
    yield from access_faults(config, document)
    yield from contact_faults(config, document)


def _orchestrator_faults(config: Config, document: Document) -> Iterator[Fault]:
    sources = [source.name for source in config.sources]
    named = [spec.source for spec in config.orchestrators]
    yield from _twice(document, "orchestrators", "source", named)
    for at, name in enumerate(named):
        if name not in sources:
            words = f'no source is called "{name}"{did_you_mean(name, sources)}'
            yield document.fault(("orchestrators", at, "source"), words)


def _expected_faults(config: Config, document: Document) -> Iterator[Fault]:
    sources = [source.name for source in config.sources]
    for at, run in enumerate(config.expected_runs):
        if run.source not in sources:
            words = f'no source is called "{run.source}"{did_you_mean(run.source, sources)}'
            yield document.fault(("expected_runs", at, "source"), words)
        if run.holidays is not None and run.holidays not in config.holidays:
            hint = did_you_mean(run.holidays, config.holidays)
            words = f'`holidays` has no calendar "{run.holidays}"{hint}'
            yield document.fault(("expected_runs", at, "holidays"), words)


def _alarm_faults(config: Config, document: Document) -> Iterator[Fault]:
    names = [hook.name for hook in config.webhooks]
    for at, alarm in enumerate(config.canary.alarm if config.canary else ()):
        if alarm.webhook and alarm.webhook not in names:
            words = f'no webhook is called "{alarm.webhook}"{did_you_mean(alarm.webhook, names)}'
            yield document.fault(("canary", "alarm", at, "webhook"), words)


def _follower_faults(config: Config, document: Document) -> Iterator[Fault]:
    """Find rotations that are misspelt; rosters may have others than `rotations` names."""
    if not config.rotations:
        return
    for follower in config.followers.all():
        section = "user_groups" if follower.kind == "user_group" else follower.kind.value
        for name in follower.rotations:
            hint = did_you_mean(name, config.rotations)
            if name not in config.rotations and hint:
                place = ("followers", section, follower.place, "rotations")
                yield document.fault(place, f'no rotation is called "{name}"{hint}')


def _sheet_faults(config: Config, document: Document) -> Iterator[Fault]:
    if config.roster is None or not config.roster.startswith(GOOGLE_SHEET):
        return
    if not _SHEET_ID.fullmatch(config.roster.removeprefix(GOOGLE_SHEET)):
        words = "not a sheet's id; take what stands in its address between /d/ and /edit"
        yield document.fault(("roster",), words)
    if config.google is None:
        words = "a Google sheet needs `google: {credentials: key.json}`; see docs/roster-google.md"
        yield document.fault(("roster",), words)


def _approver_faults(config: Config, document: Document) -> Iterator[Fault]:
    people = config.directory()
    for name, spec in config.rotations.items():
        for at, written in enumerate(spec.swap_approvers):
            try:
                people.find(written)
            except ValueError as error:
                yield document.fault(("rotations", name, "swap_approvers", at), str(error))


def config_warnings(config: Config, document: Document) -> Iterator[Fault]:
    if config.slack.mode == "local":
        if not _is_loopback(config.listen):
            words = "with slack.mode `local` the secrets are known; listen on 127.0.0.1 only"
            yield document.fault(("listen",), words)
        return
    yield from _token_warnings(config.slack, document)
    yield from _spaced_secrets(document)
    yield from contact_warnings(config, document)
    if not config.public_url and config.slack.mode == "http":
        words = "without `public_url` links in Slack lead to this machine only"
        yield document.key_fault(("public_url",), words)
    for at, source in enumerate(config.sources):
        for key in ("secret", "previous_secret"):
            value = getattr(source, key).get_secret_value()
            if value and len(value) < _SHORTEST_SECRET:
                yield document.fault(("sources", at, key), _SHORT.format(key=key))
    for path, secret in (
        (("roster_secret",), config.roster_secret),
        (("calendar", "secret"), config.calendar.secret),
        (("web_pages", "secret"), config.web_pages.secret),  # sessions, and links that acknowledge
    ):
        if 0 < len(secret.get_secret_value()) < _SHORTEST_SECRET:
            yield document.fault(path, _SHORT.format(key=path[-1]))


def _token_warnings(slack: SlackSpec, document: Document) -> Iterator[Fault]:
    for key, prefix in _PREFIXES.items():
        value = getattr(slack, key).get_secret_value()
        if value and not value.startswith(prefix):
            yield document.fault(("slack", key), f"`{key}` should begin with {prefix}")


def _spaced_secrets(document: Document) -> Iterator[Fault]:
    for path in document.places:
        value = document.value(path)
        if path and path[-1] in SECRET_KEYS and isinstance(value, str) and value != value.strip():
            words = f"`{path[-1]}` begins or ends with a space; does the sender's, too?"
            yield document.fault(path, words)


def _action_faults(config: Config, document: Document) -> Iterator[Fault]:
    hooks = [hook.name for hook in config.webhooks]
    for name, action in config.runbooks.actions.items():
        if action.webhook and action.webhook not in hooks:
            hint = did_you_mean(action.webhook, hooks)
            words = f'`webhooks` has no "{action.webhook}"{hint}'
            yield document.fault(("runbooks", "actions", name, "webhook"), words)


def _twice(document: Document, section: str, key: str, values: Sequence[str]) -> Iterator[Fault]:
    folded = [value.casefold() for value in values]
    for at, value in enumerate(folded):
        if value and value in folded[:at]:
            first = document.fault((section, folded.index(value), key), "").line
            words = f'"{values[at]}" is here twice; first on line {first}'
            yield document.fault((section, at, key), words)


def _variable(document: Document, path: Path) -> str:
    owner = path[0] if path[0] in {"calendar", "slack"} else document.value((*path[:-1], "name"))
    return re.sub(r"\W", "_", f"{owner or path[0]}_{path[-1]}", flags=re.ASCII).upper()


def _is_loopback(listen: str) -> bool:
    host = split_address(listen)[0]
    return host in {"localhost", "::1"} or host.startswith("127.")
