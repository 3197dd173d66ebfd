"""Reads config.yaml, the rulebook it names and the environment into one checked whole."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import rules
from bot.config.checks import config_faults, config_warnings, literal_secrets
from bot.config.runbooks import RunbooksSpec
from bot.config.settings import GOOGLE_SHEET, Config
from rules.documents.rulebook_checks import cross_check
from rules.documents.rulebook_parts import Draft, RulebookParts, Surroundings, assemble
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import LARGEST_TEXT, fit, new_faults, parse
from rules.documents.yaml_document import Document, Fault

SHIPPED_PACKS = "rules/packs"
_REFERENCE = re.compile(r"\$\$\{|\$\{(?:([A-Za-z_]\w*)(?::-([^}]*))?\})?", re.ASCII)
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was read: `config` and `parts` are None when there is any fault."""

    config: Config | None
    parts: RulebookParts | None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    document: Document | None = field(default=None, repr=False)


def load(path: Path, environ: Mapping[str, str]) -> Loaded:
    """Read everything that stands in files; never raises for what is written in them.

    Faults come in two rounds: what is wrong with each file by itself, then, when nothing is,
    what does not go together. Relative paths of the result are relative to the file.
    """
    name = str(path)
    text, unreadable = _text(path, name)
    if unreadable:
        return Loaded(None, None, (unreadable,))
    document, faults = parse(text, name, replace=lambda written: replaced(written, environ))
    if document is None:
        return Loaded(None, None, tuple(faults))
    config, misfits = fit(document, Config)
    faults += new_faults(document, faults, misfits)
    faults += literal_secrets(document)
    if config is not None:
        faults += config_faults(config, document)
    packs, pack_faults = _packs(config, document, path.parent)
    faults += pack_faults
    if config is None or faults:
        return Loaded(None, None, tuple(sorted(faults)), (), document)
    return _whole(config, document, packs, path.parent)


def replaced(written: str, environ: Mapping[str, str]) -> str:
    """Put the environment into `${NAME}` and `${NAME:-default}`; `$${` stands for `${`.

    A line's end after a value is left out: files and Secrets that values are kept in end with one.
    Raises ValueError, in words, when a name has no value.
    """

    def value(hit: re.Match[str]) -> str:
        name, default = hit[1], hit[2]
        if hit[0] == "$${":
            return "${"
        if name is None:
            raise ValueError("a reference to the environment is written ${NAME}")
        if default is not None:
            return environ.get(name, "").rstrip("\r\n") or default
        if name not in environ:
            raise ValueError(f"the environment has no {name}; set it before starting")
        return environ[name].rstrip("\r\n")

    return _REFERENCE.sub(value, written)


def _whole(config: Config, document: Document, packs: Sequence[Draft], folder: Path) -> Loaded:
    drafts = [*packs, Draft(document, config)]
    around = Surroundings(
        people=config.directory(),
        webhooks=frozenset(webhook.name for webhook in config.webhooks),
        alerts_channel=config.slack.alerts_channel,
        first_rotation=config.first_rotation,
        first_zone=config.first_zone,
    )
    findings = cross_check(drafts, around)
    warnings = tuple(sorted((*findings.warnings, *config_warnings(config, document))))
    if findings.faults:
        return Loaded(None, None, findings.faults, warnings, document)
    return Loaded(_anchored(config, folder), assemble(drafts, around), (), warnings, document)


def _text(path: Path, name: str) -> tuple[str, Fault | None]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_TEXT * 4 + 1)
        return data.decode("utf-8-sig"), None
    except FileNotFoundError:
        return "", Fault(name, 0, 0, "there is no such file; name yours with -c")
    except OSError as error:
        return "", Fault(name, 0, 0, f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return "", Fault(name, line, 1, "not UTF-8 text; save the file as UTF-8")


def _packs(
    config: Config | None, document: Document, folder: Path
) -> tuple[list[Draft], list[Fault]]:
    drafts: list[Draft] = []
    faults: list[Fault] = []
    entries = (SHIPPED_PACKS,) if config is None else config.rulebook or (SHIPPED_PACKS,)
    for at, entry in enumerate(entries):
        try:
            files = _files(folder, entry)
        except OSError as error:
            words = f'"{entry}" cannot be read: {error.strerror or error}'
            faults.append(document.fault(("rulebook", at), words))
            continue
        if not files:
            words = f'"{entry}" is neither a .yaml file nor a folder that holds any'
            faults.append(document.fault(("rulebook", at), words))
        for shown, path in files:
            draft, found = _pack(shown, path)
            faults += found
            drafts += [draft] if draft else []
    return drafts, faults


def _pack(shown: str, path: Path) -> tuple[Draft | None, list[Fault]]:
    text, unreadable = _text(path, shown)
    if unreadable:
        return None, [unreadable]
    document, faults = parse(text, shown)
    if document is None:
        return None, faults
    spec, misfits = fit(document, RulebookSpec)
    return (Draft(document, spec) if spec else None), [*faults, *misfits]


def _files(folder: Path, entry: str) -> list[tuple[str, Path]]:
    place = folder / entry
    if not place.exists() and entry.rstrip("/") == SHIPPED_PACKS:
        place = Path(rules.__file__).parent / "packs"
    if place.is_dir():
        names = sorted(p.name for p in place.iterdir() if p.suffix in {".yaml", ".yml"})
        return [(f"{entry.rstrip('/')}/{name}", place / name) for name in names]
    return [(entry, place)] if place.is_file() else []


def _runbooks(spec: RunbooksSpec, folder: Path) -> RunbooksSpec:
    near = tuple(str((folder / one).absolute()) for one in spec.folders)
    return spec.model_copy(update={"folders": near})


def _anchored(config: Config, folder: Path) -> Config:
    database, roster = config.database, config.roster
    if database.startswith(_SQLITE):
        file = database.removeprefix(_SQLITE)
        if file and not file.startswith(":memory:"):
            database = f"{_SQLITE}{(folder / file).absolute()}"
    if roster and not roster.startswith(GOOGLE_SHEET):
        roster = str((folder / roster).absolute())
    calendar, google = config.calendar, config.calendar.google
    if google is not None:
        near = {"credentials": str((folder / google.credentials).absolute())}
        calendar = calendar.model_copy(update={"google": google.model_copy(update=near)})
    sheets = config.google
    if sheets is not None:
        key = str((folder / sheets.credentials).absolute())
        sheets = sheets.model_copy(update={"credentials": key})
    contact, email = config.contact, config.contact.email
    if email is not None and email.ca_file:
        near = {"ca_file": str((folder / email.ca_file).absolute())}
        contact = contact.model_copy(update={"email": email.model_copy(update=near)})
    return config.model_copy(
        update={
            "calendar": calendar,
            "contact": contact,
            "google": sheets,
            "database": database,
            "roster": roster,
            "runbooks": _runbooks(config.runbooks, folder),
            "holidays": {
                name: str((folder / days).absolute()) if isinstance(days, str) else days
                for name, days in config.holidays.items()
            },
            "catalogue": tuple(str((folder / entry).absolute()) for entry in config.catalogue),
        }
    )
