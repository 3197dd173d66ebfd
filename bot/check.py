"""`watchbill check`: everything that is wrong with the configuration, before it runs."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.app.holidays import read_holidays
from bot.config.file import load
from bot.config.settings import Config
from bot.runbooks.reading import read_runbooks
from bot.sources.configured import mapping_fault, option_faults
from rules.catalogue import Catalogue, Product
from rules.documents.rulebook_parts import RulebookParts
from rules.documents.yaml_document import Document, Fault
from rules.nearest import did_you_mean
from rules.policy import NextOnCallOf, OnCallOf, Policy
from rules.rulebook import Route


@dataclass(frozen=True, slots=True)
class RosterFindings:
    """What reading the roster found; `roles` has, by rotation, the roles it fills."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)


ReadRoster = Callable[[Config], RosterFindings]


@dataclass(frozen=True, slots=True)
class CatalogueFindings:
    """What reading the catalogue found; `rotations` has what its products name, with places."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    rotations: tuple[tuple[str, Fault], ...] = ()
    holidays: tuple[tuple[str, Fault], ...] = ()
    """The calendars that products name, with places."""
    products: tuple[Product, ...] = ()


ReadCatalogue = Callable[[Config], CatalogueFindings]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """`exit_status` is 0 when the configuration can be used, else 1."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()

    @property
    def exit_status(self) -> int:
        return 1 if self.faults else 0

    def lines(self) -> list[str]:
        """Return one line for each finding, in order of place, then the count."""
        found = [(fault, str(fault)) for fault in self.faults]
        found += [(w, str(w).replace(": ", ": warning: ", 1)) for w in self.warnings]
        return [*(line for _, line in sorted(found)), self.summary]

    @property
    def summary(self) -> str:
        faults = _count(len(self.faults), "fault")
        return f"{faults}, {_count(len(self.warnings), 'warning')}"

    def json(self) -> dict[str, Any]:
        """Return the JSON document: `ok`, and each finding's file, line, column, message."""
        return {
            "ok": not self.faults,
            "faults": [_row(fault) for fault in self.faults],
            "warnings": [_row(fault) for fault in self.warnings],
        }


def check(
    path: Path,
    environ: Mapping[str, str],
    read_roster: ReadRoster | None = None,
    read_catalogue: ReadCatalogue | None = None,
) -> CheckReport:
    """Check the configuration and rulebook and, when they are sound, roster and catalogue."""
    loaded = load(path, environ)
    if loaded.config is None or loaded.parts is None or loaded.document is None:
        return CheckReport(loaded.faults, loaded.warnings)
    warnings = list(loaded.warnings)
    faults = list(_source_faults(loaded.config, loaded.document))
    faults += _calendar_faults(loaded.config, loaded.document)
    faults += _mail_faults(loaded.config, loaded.document)
    faults += _shared_calendar_faults(loaded.config, loaded.document)
    faults += _backend_faults(loaded.config, loaded.document)
    if loaded.config.roster is None:
        words = "no `roster`: nobody is ever on call"
        warnings.append(loaded.document.key_fault(("roster",), words))
    elif read_roster is not None:
        findings = read_roster(loaded.config)
        faults += findings.faults
        warnings += findings.warnings
        if findings.roles:
            faults += _unknown_rotations(loaded.parts, findings.roles, loaded.document)
            warnings += _unknown_roles(loaded.parts, findings.roles, loaded.document)
            warnings += _unfollowed(loaded.config, findings.roles, loaded.document)
    if read_catalogue is not None and loaded.config.catalogue:
        catalogue = read_catalogue(loaded.config)
        faults += catalogue.faults
        warnings += catalogue.warnings
        warnings += _unheard_rotations(loaded.config, catalogue)
        faults += _unknown_calendars(loaded.config, catalogue)
        if not catalogue.faults:
            warnings += _runs_of_no_product(loaded.config, catalogue, loaded.document)
    spec = loaded.config.runbooks
    if spec.folders:
        runbooks = read_runbooks(spec.folders, tuple(spec.actions))
        faults += runbooks.faults
        warnings += runbooks.warnings
    return CheckReport(tuple(sorted(faults)), tuple(sorted(warnings)))


def _unheard_rotations(config: Config, catalogue: CatalogueFindings) -> Iterator[Fault]:
    for rotation, place in catalogue.rotations:
        if rotation not in config.rotations:
            hint = did_you_mean(rotation, config.rotations)
            yield replace(place, message=f'there is no rotation "{rotation}"{hint}')


def _unknown_calendars(config: Config, catalogue: CatalogueFindings) -> Iterator[Fault]:
    for calendar, place in catalogue.holidays:
        if calendar not in config.holidays:
            hint = did_you_mean(calendar, config.holidays)
            words = f'`holidays` of config.yaml has no calendar "{calendar}"{hint}'
            yield replace(place, message=words)


def _runs_of_no_product(
    config: Config, catalogue: CatalogueFindings, document: Document
) -> Iterator[Fault]:
    """Find expected runs that leave a product to a clock of its own, or without any."""
    known = Catalogue(catalogue.products)
    for at, run in enumerate(config.expected_runs):
        if run.product and known.product(run.product) is None:
            hint = did_you_mean(run.product, [one.id for one in catalogue.products])
            words = f'the catalogue has no data product "{run.product}"{hint}'
            yield document.fault(("expected_runs", at, "product"), words)
        named = next((one for one in catalogue.products if one.id == run.name), None)
        told = known.product(run.product) if run.product else None
        if named and named.schedule and named.grace is not None and told is not named:
            words = (
                f'a data product is called "{run.name}" as well, and its own schedule is not '
                f"watched; add `product: {run.name}`, or name one of them otherwise"
            )
            yield document.fault(("expected_runs", at, "name"), words)


def _calendar_faults(config: Config, document: Document) -> Iterator[Fault]:
    for name, words in read_holidays(config)[1].items():
        yield document.fault(("holidays", name), words)


def _mail_faults(config: Config, document: Document) -> Iterator[Fault]:
    spec = config.contact.email
    if spec is not None and spec.ca_file:
        try:
            ssl.create_default_context(cafile=spec.ca_file)
        except OSError as error:
            words = f"no mail can be sent: {spec.ca_file}: {error.strerror or error}"
            yield document.fault(("contact", "email", "ca_file"), words)


def _shared_calendar_faults(config: Config, document: Document) -> Iterator[Fault]:
    google = config.calendar.google
    if google is None:
        return
    # Google's libraries are heavy: only where a calendar is shared
    from bot.calendar.google import service_account_file
    from bot.calendar.google_faults import RefusedError

    try:
        service_account_file(google.credentials)()
    except RefusedError as error:
        yield document.fault(("calendar", "google", "credentials"), str(error))


def _unfollowed(
    config: Config, roles: Mapping[str, frozenset[str]], document: Document
) -> Iterator[Fault]:
    google = config.calendar.google
    for rotation in google.calendars if google else ():
        if rotation not in roles:
            hint = did_you_mean(rotation, roles)
            words = f'its calendar is not written: the roster has no rotation "{rotation}"{hint}'
            yield document.fault(("calendar", "google", "calendars", rotation), words)


def _backend_faults(config: Config, document: Document) -> Iterator[Fault]:
    if not config.access_groups:
        return
    from bot.access.backends.registry import faults_of  # each kind: only where groups are kept

    for name, spec in config.access_groups.items():
        for fault in faults_of(spec.backend):
            yield document.fault(("access_groups", name, "backend"), fault)


def _source_faults(config: Config, document: Document) -> Iterator[Fault]:
    for at, source in enumerate(config.sources):
        if fault := mapping_fault(source):
            yield document.fault(("sources", at, "mapping"), fault)
        for fault in option_faults(source):
            yield document.fault(("sources", at, "options"), fault)


def _unknown_rotations(
    parts: RulebookParts, roles: Mapping[str, frozenset[str]], document: Document
) -> Iterator[Fault]:
    for route in parts.routes:
        if route.rotation and route.rotation not in roles:
            hint = did_you_mean(route.rotation, roles)
            words = f'the roster has no rotation "{route.rotation}"{hint}'
            yield document.fault(_route_path(document, route), words)


def _unknown_roles(
    parts: RulebookParts, roles: Mapping[str, frozenset[str]], document: Document
) -> Iterator[Fault]:
    seen: set[tuple[str, str]] = set()
    for route in parts.routes:
        for role, own_rotation in _roles(parts.policies[route.policy]):
            rotation = own_rotation or route.rotation or next(iter(roles))
            known = roles.get(rotation)
            if known is None or role in known or (rotation, role) in seen:
                continue
            seen.add((rotation, role))
            words = f'policy "{route.policy}" pages the role "{role}", which rotation "{rotation}"'
            hint = did_you_mean(role, known)
            yield document.fault(
                ("escalation_policies", route.policy), f"{words} does not have{hint}"
            )


def _roles(policy: Policy) -> Iterator[tuple[str, str]]:
    for step in policy.steps:
        for target in step.targets:
            if isinstance(target, OnCallOf | NextOnCallOf):
                yield target.role, target.rotation


def _route_path(document: Document, route: Route) -> tuple[str | int, ...]:
    routes = document.value(("routes",))
    names = [r.get("name") for r in routes] if isinstance(routes, list) else []
    if route.name in names:
        return ("routes", names.index(route.name), "rotation")
    return ("rotations",)


def _row(fault: Fault) -> dict[str, Any]:
    return {
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "message": fault.message,
    }


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
