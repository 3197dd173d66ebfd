"""ODCS data contract -> data product, by way of the same model that checks a catalogue file."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from bot.catalogue.odcs_spec import Contract, Scalar, Sla
from bot.catalogue.product_spec import ProductSpec
from rules.catalogue import Product
from rules.claims import CLAIM_KINDS
from rules.documents.strict_yaml import fit
from rules.documents.yaml_document import Document, Fault, Path
from rules.nearest import nearest

DRIVERS = ("regulatory", "operational", "analytics")
"""Strongest first."""

DURATIONS = {
    "latency": "max_age",
    "timetodetect": "time_to_detect",
    "timetonotify": "time_to_notify",
    "timetorepair": "time_to_repair",
}
_READ = (
    *("latency", "availability", "timeOfAvailability", "frequency"),
    *("timeToDetect", "timeToNotify", "timeToRepair"),
)
_SYNONYMS = {
    "ly": "latency", "freshness": "latency", "av": "availability", "fy": "frequency",
    "td": "timetodetect", "tn": "timetonotify", "tr": "timetorepair",
}  # fmt: skip
_PASSED_OVER = frozenset(
    {"generalavailability", "ga", "endofsupport", "es", "endoflife", "el", "retention", "re"}
    | {"throughput", "th", "errorrate", "er"}
)
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 604_800),
    **dict.fromkeys(("y", "yr", "year", "years"), 31_536_000),
}
_CLOCK = re.compile(r"(\d{1,2}:\d{2})(?::\d{2})?(?:(Z)|([+-])(\d{2}):?(\d{2}))?")
_CUSTOM = {
    "tier": "tier", "loadType": "load_type", "oncallSchedule": "rotation", "driver": "driver",
    "scheduleTimezone": "timezone", "consumers": "consumers", "consumerHours": "consumer_hours",
    "runTakes": "run_takes", "runGrace": "grace", "runHolidays": "holidays",
}  # fmt: skip


def is_contract(document: Document) -> bool:
    return document.value(("kind",)) == "DataContract" or bool(document.value(("apiVersion",)))


def read_contract(document: Document) -> tuple[Product | None, list[Fault], list[Fault]]:
    """Read one contract; returns the product, None with any fault, then faults and warnings."""
    contract, faults = fit(document, Contract)
    if contract is None:
        return None, faults, []
    if contract.kind != "DataContract" or not contract.api_version.startswith("v3."):
        words = f"a {contract.kind} of {contract.api_version}; ODCS v3 contracts are read"
        return None, [document.fault(("apiVersion",), words)], []
    reader = _Reader(document, contract)
    reader.read()
    if reader.faults:
        return None, reader.faults, reader.warnings
    try:
        spec = ProductSpec.model_validate(reader.found)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        return None, [reader.misfit(one["loc"], one["msg"]) for one in details[:20]], []
    return spec.product(), [], reader.warnings


class _Reader:
    """Gathers a product's entry from a contract, and remembers where each value stood."""

    def __init__(self, document: Document, contract: Contract) -> None:
        self._document = document
        self._contract = contract
        self._from: dict[str, Path] = {"id": ("id",)}
        self._zone: str | None = None
        self.found: dict[str, Any] = {}
        self.promises: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []

    def read(self) -> None:
        contract = self._contract
        self._set("id", contract.id, ("id",))
        self._set("name", contract.name or contract.data_product, ("name",))
        if contract.team:
            there = [m for m in contract.team.members if not m.date_out]
            owners = [m for m in there if "owner" in (m.role or "").casefold()]
            self._set("team", contract.team.name, ("team",))
            self._set("owner", owners[0].username if owners else None, ("team",))
        self._support()
        for at, one in enumerate(contract.definitions):
            if one.type.casefold() == "runbook":
                self._set("runbook", one.url, ("authoritativeDefinitions", at, "url"))
        custom = self._custom()
        for at, sla in enumerate(contract.sla):
            self._sla(sla, ("slaProperties", at), custom)
        self._driver()
        self._objectives(custom)
        self.found["assets"] = [*self._tables(), *self._claims(custom.get("assets"))]
        self.found["promises"] = self.promises

    def misfit(self, loc: tuple[str | int, ...], message: str) -> Fault:
        """Point at the part of the contract from which a value that does not fit was made."""
        named = [part for part in loc if isinstance(part, str)]
        known = next((part for part in reversed(named) if part in self._from), "")
        path = self._from.get(known, ())
        label = known or (named[-1] if named else "product")
        return self._document.fault(path, f"`{label}`: {message.removeprefix('Value error, ')}")

    def _set(self, name: str, value: object, path: Path) -> None:
        if value not in (None, "") and name not in self.found:
            self.found[name] = value
            self._from[name] = path

    def _fault(self, path: Path, message: str) -> None:
        self.faults.append(self._document.fault(path, message))

    def _support(self) -> None:
        order = ("issues", "interactive", "notifications", "announcements")
        ranked = sorted(
            (order.index(one.scope) if one.scope in order else len(order), at)
            for at, one in enumerate(self._contract.support)
            if (one.tool or "slack").casefold() == "slack"
        )
        if ranked:
            at = ranked[0][1]
            channel = self._contract.support[at].channel
            self._set("channel", channel, ("support", at, "channel"))

    def _custom(self) -> Mapping[str, object]:
        custom: dict[str, object] = {}
        for at, one in enumerate(self._contract.custom):
            custom.setdefault(one.property, one.value)
            if one.property in _CUSTOM:
                self._set(_CUSTOM[one.property], one.value, ("customProperties", at, "value"))
        if isinstance(zone := custom.get("slaTimezone"), str):
            self._zone = zone
            self._set("timezone", zone, ("customProperties",))
        return custom

    def _sla(self, sla: Sla, path: Path, custom: Mapping[str, object]) -> None:
        name = sla.property.replace("_", "").casefold()
        name = _SYNONYMS.get(name, name)
        if name in DURATIONS:
            self._promise(DURATIONS[name], self._duration(sla, path), (*path, "value"))
        elif name == "availability":
            self._promise("availability", self._percent(sla.value, path), (*path, "value"))
        elif name == "timeofavailability":
            self._promise("fresh_by", self._clock(sla.value, path, custom), (*path, "value"))
        elif name == "frequency":
            if (sla.scheduler or "").casefold() == "cron":
                self._set("schedule", sla.schedule, (*path, "schedule"))
        elif name not in _PASSED_OVER:
            hint = nearest(sla.property, _READ)
            words = f'"{sla.property}" is no property that is read'
            words += f"; did you mean `{hint}`?" if hint else ""
            self.warnings.append(self._document.fault((*path, "property"), words))

    def _objectives(self, custom: Mapping[str, object]) -> None:
        """Put what Watchbill's own properties say of objectives where it belongs."""
        self._promise("quality", custom.get("qualityObjective"), ("customProperties",))
        percent = self.promises.get("availability")
        if percent is not None and (over := custom.get("availabilityWindow")):
            self.promises["availability"] = {"objective": percent, "over": over}
        by = self.promises.get("fresh_by")
        if not by:
            return
        if custom.get("slaHolidays"):
            by["holidays"] = custom["slaHolidays"]
        if isinstance(objective := custom.get("slaObjective"), dict):
            by.update(
                {name: objective[name] for name in ("objective", "over") if name in objective}
            )
            self._from["objective"] = ("customProperties",)

    def _promise(self, name: str, value: object, path: Path) -> None:
        if value is not None and name not in self.promises:
            self.promises[name] = value
            self._from[name] = path

    def _duration(self, sla: Sla, path: Path) -> str | None:
        unit = _UNITS.get((sla.unit or "").casefold())
        number = _number(sla.value)
        if number is None or unit is None:
            words = f"`{sla.property}` needs a number as `value` and a `unit`: s, min, h, d, w or y"
            self._fault((*path, "value" if number is None else "unit"), words)
            return None
        if not 0 < number * unit <= 1e9:
            self._fault((*path, "value"), f"`{sla.property}` is out of bounds")
            return None
        return f"{round(number * unit)}s"

    def _percent(self, value: Scalar, path: Path) -> float | None:
        number = _number(value.strip().removesuffix("%") if isinstance(value, str) else value)
        if number is None:
            self._fault((*path, "value"), "`availability` must be a number of percent, like 99.5")
        return number

    def _clock(self, value: Scalar, path: Path, custom: Mapping[str, object]) -> object:
        hit = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
        if hit is None:
            words = '`timeOfAvailability` must be a time of day, like "09:00" or "09:00-08:00"'
            self._fault((*path, "value"), words)
            return None
        clock, utc, sign, hours, minutes = hit.groups()
        promise: dict[str, object] = {"at": clock}
        if custom.get("slaDays"):
            promise["days"] = custom["slaDays"]
        if self._zone:
            promise["timezone"] = self._zone
        elif utc or (hours == "00" and minutes == "00"):
            promise["timezone"] = "UTC"
        elif sign:
            if minutes != "00":
                words = "no zone has this offset; say the zone as customProperties.slaTimezone"
                self._fault((*path, "value"), words)
            # A fixed offset as the tz database names it: with the sign turned.
            promise["timezone"] = f"Etc/GMT{'-' if sign == '+' else '+'}{int(hours)}"
        return promise

    def _driver(self) -> None:
        said = {(one.driver or "").casefold() for one in self._contract.sla}
        self._set("driver", next((one for one in DRIVERS if one in said), None), ("slaProperties",))

    def _tables(self) -> Iterator[dict[str, str]]:
        server = self._contract.servers[0] if self._contract.servers else None
        before = (
            (server.database or server.project or server.catalog, server.schema_ or server.dataset)
            if server
            else ()
        )
        self._from["relation"] = ("schema",)
        for one in self._contract.schema_:
            name = one.physical_name or one.name
            parts = [name] if "." in name else [part for part in (*before, name) if part]
            yield {"relation": ".".join(parts)}

    def _claims(self, written: object) -> Iterator[dict[str, object]]:
        at = next((n for n, c in enumerate(self._contract.custom) if c.property == "assets"), 0)
        path: Path = ("customProperties", at)
        for one in written if isinstance(written, list) else ():
            if isinstance(one, dict) and set(one) <= set(CLAIM_KINDS):
                self._from.update({str(kind): path for kind in one if kind != "relation"})
                yield one
            else:
                kinds = ", ".join(CLAIM_KINDS)
                self._fault(path, f"an entry of `assets` is a map with one key of {kinds}")


def _number(value: Scalar) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < 1e12 else None
