"""Targets: what people write in files: configuration, rulebook, catalogue, runbooks, holidays."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from bot.app.holidays import read_holidays
from bot.catalogue.manifest import ManifestError, read_manifest
from bot.catalogue.odcs_export import contract_yaml
from bot.catalogue.reading import CatalogueRead, read_catalogue
from bot.config.file import load
from bot.config.settings import Config
from bot.runbooks.reading import read_runbooks
from rules.documents.yaml_document import Fault
from tests.fuzz.target import Target, file_of, files, folder, short, text_in

ROOT = Path(__file__).parents[2]
PAYLOADS = ROOT / "tests" / "payloads"
MOST_FAULTS = 2_000
LONGEST_FAULT = 2_000
SECRET = "the-secret-of-the-environment"
_CONFIG = b"""
slack: {mode: local, alerts_channel: data-alerts}
people: [{name: Ana, email: ana@example.com}]
escalation_policies: {default: [{page: [{person: ana@example.com}]}]}
routes: [{name: everything}]
rulebook: [pack.yaml]
"""
_ENVIRONMENT = {"HOME": SECRET, "SLACK_BOT_TOKEN": SECRET, "SLACK_APP_TOKEN": SECRET}
_BOMB = b"a: &a [x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (n, n, b", ".join([b"*%c" % (n - 1)] * 8)) for n in range(98, 108)
)
_AGAIN = b"a: &a {b: *a}\nc: &c [*c]\n"
_ODCS = b"""apiVersion: v3.1.0
kind: DataContract
id: orders
version: 1.0.0
status: active
name: Orders of the shop
servers: [{server: prod, type: snowflake, account: x, database: SHOP, schema: MAIN}]
schema: [{name: orders, physicalName: FCT_ORDERS, properties: [{name: id, logicalType: integer}]}]
team: {members: [{username: ana, role: Owner}]}
slaProperties: [{property: latency, value: 4, unit: h}, {property: frequency, value: 1, unit: d}]
customProperties: [{property: watchbill.tier, value: 1}]
"""
_HOLIDAYS = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:1\r
DTSTART;VALUE=DATE:20261224\r
DTEND;VALUE=DATE:20261227\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:2\r
DTSTART;VALUE=DATE:20260101\r
RRULE:FREQ=YEARLY\r
SUMMARY:New Year\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:3\r
DTSTART;TZID=Europe/Berlin:20260101T090000\r
DURATION:PT1H\r
END:VEVENT\r
END:VCALENDAR\r
"""


def targets() -> list[Target]:
    return [
        Target(name="config", run=_config, seeds=_configs),
        Target(name="rulebook", run=_rulebook, seeds=_packs),
        Target(name="catalogue", run=_catalogue, seeds=_catalogues),
        Target(name="manifest", run=_manifest, seeds=_manifests),
        Target(name="runbook", run=_runbook, seeds=_runbooks),
        Target(name="holidays", run=_holidays, seeds=lambda: [_HOLIDAYS]),
    ]


def _config(data: bytes) -> None:
    loaded = load(file_of("config.yaml", data), _ENVIRONMENT)
    assert (loaded.config is None) == bool(loaded.faults)
    _told(loaded.faults)
    _told(loaded.warnings)


def _rulebook(data: bytes) -> None:
    file_of("pack.yaml", data)
    loaded = load(file_of("config-of-pack.yaml", _CONFIG), {})
    assert (loaded.parts is None) == bool(loaded.faults)
    _told(loaded.faults)
    _told(loaded.warnings)


def _catalogue(data: bytes) -> None:
    read: CatalogueRead = read_catalogue([file_of("catalogue.yaml", data)])
    _told(read.faults)
    _told(read.warnings)
    for product in read.catalogue.products:
        contract_yaml(product)


def _manifest(data: bytes) -> None:
    # In this process: the worker would only hide what it raises.
    try:
        found = read_manifest(file_of("manifest.json", data))
    except ManifestError as error:
        short(error, LONGEST_FAULT)
        return
    for asset in found.assets:
        assert len(asset.id) <= 1_000, "an id that no column holds"
        asset.id.encode()
        assert "\x00" not in asset.id


def _runbook(data: bytes) -> None:
    place = folder() / "runbooks"
    place.mkdir(exist_ok=True)
    (place / "one.md").write_bytes(data)
    read = read_runbooks([str(place)], {"refill"}, link="https://wiki.example")
    _told(read.faults)
    _told(read.warnings)


def _holidays(data: bytes) -> None:
    path = file_of("holidays.ics", data)
    config = _plain_config().model_copy(update={"holidays": {"all": str(path)}})
    days, faults = read_holidays(config)
    assert len(days["all"]) < 200_000
    assert all(len(words) < LONGEST_FAULT for words in faults.values())


@cache
def _plain_config() -> Config:
    path = file_of("plain.yaml", _CONFIG.replace(b"rulebook: [pack.yaml]\n", b""))
    config = load(path, {}).config
    assert config is not None
    return config


def _told(faults: Sequence[Fault]) -> None:
    """Every fault is one line that a terminal and a message can show, and tells no secret."""
    assert len(faults) <= MOST_FAULTS
    for fault in faults:
        said = str(fault)
        assert len(said) < LONGEST_FAULT, said[:200]
        assert said.isprintable(), repr(said)
        assert SECRET not in said
        text_in(said.encode())


def _configs() -> Sequence[bytes]:
    return [
        (ROOT / "config.yaml").read_bytes(),
        *files(PAYLOADS / "broken_configs", "*.yaml"),
        *(_BOMB, _AGAIN),
    ]


def _packs() -> Sequence[bytes]:
    return [*files(ROOT / "rules" / "packs", "*.yaml"), *(_BOMB, _AGAIN)]


def _catalogues() -> Sequence[bytes]:
    return [(ROOT / "bot" / "demo" / "catalogue.yaml").read_bytes(), *(_ODCS, _BOMB, _AGAIN)]


def _manifests() -> Sequence[bytes]:
    return [
        *files(PAYLOADS / "dbt", "**/manifest.json"),
        *files(ROOT / "bot" / "demo" / "artifacts", "manifest.json"),
    ]


def _runbooks() -> Sequence[bytes]:
    return files(ROOT / "bot" / "demo" / "runbooks", "*.md")
