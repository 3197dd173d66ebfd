"""Great Expectations: what the action in integrations/great_expectations sends of a validation."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.ports.inbox import Delivery
from bot.sources.json_body import JsonValue, inside, object_of, read_object, text_of
from bot.sources.kind import Parsed, Source, SourceKind, UnreadableError, digest
from bot.sources.text import clean, key, key_of, labels, line, link
from bot.sources.unreadable import MOST_ALERTS
from bot.sources.words import time_of
from rules.alert import Alert, AlertStatus, Severity

Section = Mapping[str, JsonValue]

_NO_VALIDATION = "It is not a validation of Great Expectations; use the WatchbillAction that ships with Watchbill."
_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "warning": Severity.WARNING,
    "info": Severity.INFO,
}
# The arguments that say what is looked at; the others say what it should be like.
_COLUMNS = ("column", "column_A", "column_B", "column_list", "column_set")


@dataclass(frozen=True, slots=True)
class _Validation:
    """One suite's run over one batch."""

    source: Source
    delivery: Delivery
    document: Section
    validation: Section

    @property
    def batch(self) -> Section:
        return object_of(inside(self.validation, "meta", "active_batch_definition"))

    @property
    def run(self) -> Section:
        given = object_of(self.document.get("run_id"))
        return given or object_of(inside(self.validation, "meta", "run_id"))

    @property
    def checkpoint(self) -> str:
        named = self.document.get("checkpoint") or inside(self.validation, "meta", "checkpoint_id")
        return text_of(named)

    @property
    def names(self) -> tuple[str, str, str]:
        """Return data source, asset and suite."""
        return (
            text_of(self.batch.get("datasource_name")),
            text_of(self.batch.get("data_asset_name")),
            text_of(self.validation.get("suite_name")),
        )


@dataclass(frozen=True, slots=True)
class _Result:
    """What came of one expectation."""

    body: Section

    @property
    def expectation(self) -> Section:
        return object_of(self.body.get("expectation_config"))

    @property
    def kind(self) -> str:
        return text_of(self.expectation.get("type"))

    @property
    def kwargs(self) -> Section:
        return object_of(self.expectation.get("kwargs"))

    @property
    def column(self) -> str:
        named = (self.kwargs.get(name) for name in _COLUMNS)
        return ", ".join(_flat(one) for one in named if one)

    @property
    def exception(self) -> Section | None:
        """Return what was raised; one that many metrics raised stands under the metric's name."""
        info = object_of(self.body.get("exception_info"))
        for one in (info, *map(object_of, info.values())):
            if one.get("raised_exception") is True:
                return one
        return None


def _flat(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(text_of(one) for one in value)
    return text_of(value)


def parse(source: Source, delivery: Delivery) -> Parsed:
    """Return an alert an expectation; one that passed ends what it began."""
    document = read_object(delivery.body)
    found = document.get("validation")
    validation = found if isinstance(found, dict) else document
    if "results" not in validation or not isinstance(validation["results"], list):
        raise UnreadableError(_NO_VALIDATION)
    entries = [_Result(object_of(one)) for one in validation["results"][: 2 * MOST_ALERTS]]
    results = [one for one in entries if one.kind and isinstance(one.body.get("success"), bool)]
    if entries and not results:
        raise UnreadableError(_NO_VALIDATION)
    about = _Validation(source, delivery, document, validation)
    # Should there be too many, what passed is left out; and what leads an incident is a failure
    # of the data rather than of a check.
    results.sort(key=lambda one: (one.body.get("success") is True, one.exception is not None))
    shared = Counter((one.kind, one.column) for one in results)

    def is_alike(one: _Result) -> bool:
        # The action marks those whose likes may stand in another body.
        return one.body.get("alike") is True or shared[one.kind, one.column] > 1

    return Parsed(alerts=tuple(_alert(about, one, alike=is_alike(one)) for one in results))


def _alert(about: _Validation, result: _Result, *, alike: bool) -> Alert:
    passed, broken = result.body.get("success") is True, result.exception
    status = AlertStatus.RESOLVED if passed else AlertStatus.FIRING
    severity = _SEVERITIES.get(
        text_of(result.expectation.get("severity")).lower(), Severity.UNKNOWN
    )
    if broken is not None:
        severity = Severity.WARNING if severity is Severity.INFO else Severity.ERROR
    run_time = text_of(about.run.get("run_time"))
    return Alert(
        source=about.source.name,
        dedup_key=_dedup_key(about, result, alike=alike),
        group_key=key(f"{about.checkpoint}/{run_time}") if run_time else "",
        status=status,
        severity=Severity.INFO if passed else severity,
        title=line(_title(about, result, alike=alike)),
        description=clean(_description(result)),
        occurred_at=time_of(
            run_time, zone=about.source.timezone, otherwise=about.delivery.received_at
        ),
        labels=labels(_labels(about, result)),
        url=link(text_of(about.document.get("url"))),
    )


def _dedup_key(about: _Validation, result: _Result, *, alike: bool) -> str:
    parts = (*about.names, result.kind, result.column)
    if not alike:
        return key_of(*parts)
    # Two of one type on one column differ in their arguments; ids are new at every run.
    others = {name: one for name, one in sorted(result.kwargs.items()) if name != "batch_id"}
    return key_of(*parts, digest(text_of(others)))


def _title(about: _Validation, result: _Result, *, alike: bool) -> str:
    asset = about.names[1] or about.names[2] or "data"
    where = f"{asset}.{result.column}" if result.column else asset
    what = f"{result.kind} on {where}"
    if alike and (limits := _limits(result)):
        what += f" ({limits})"
    if result.body.get("success") is True:
        return f"{what} passed"
    if result.exception is not None:
        said = text_of(result.exception.get("exception_message")).strip().partition("\n")[0]
        return (
            f"{what} could not be evaluated: {said}" if said else f"{what} could not be evaluated"
        )
    numbers = _numbers(result)
    return f"{what} failed: {numbers}" if numbers else f"{what} failed"


def _numbers(result: _Result) -> str:
    got = object_of(result.body.get("result"))
    count, total, percent = (
        got.get(name) for name in ("unexpected_count", "element_count", "unexpected_percent")
    )
    if isinstance(count, int) and isinstance(total, int):
        share = f" ({percent:.3g} %)" if isinstance(percent, int | float) else ""
        return f"{count:,} of {total:,} values{share}"
    observed = text_of(got.get("observed_value"))
    return f"observed {observed}" if observed else ""


def _limits(result: _Result) -> str:
    return ", ".join(
        f"{name} {_flat(value)}"
        for name, value in result.kwargs.items()
        if name not in {*_COLUMNS, "batch_id"} and value is not None
    )


def _description(result: _Result) -> str:
    if result.exception is not None:
        return text_of(result.exception.get("exception_message"))
    if result.body.get("success") is True:
        return ""
    notes = inside(result.expectation, "meta", "notes")
    expected = _limits(result)
    return "\n".join(
        one for one in (f"Expected: {expected}." if expected else "", _flat(notes)) if one
    )


def _labels(about: _Validation, result: _Result) -> Iterator[tuple[str, str]]:
    """Yield the facts first: of two labels of one name the first stays."""
    meta = object_of(result.expectation.get("meta"))
    datasource, asset, suite = about.names
    batch = text_of(about.batch.get("batch_identifiers"))
    found: dict[str, JsonValue] = {
        "product": meta.get("data_product") or meta.get("product") or about.document.get("product"),
        "datasource": datasource,
        "asset": asset,
        "suite": suite,
        "test": result.kind,
        "column": result.column,
        "evaluation": "error" if result.exception is not None else "",
        "checkpoint": about.checkpoint,
        "run_name": about.run.get("run_name"),
        "run_time": about.run.get("run_time"),
        "batch": batch if batch != "{}" else "",
        "validation_id": inside(about.validation, "meta", "validation_id"),
        "gx_severity": result.expectation.get("severity"),
    }
    for more in (meta, object_of(about.document.get("labels"))):
        for name, value in more.items():
            if name != "notes":
                found.setdefault(name, value)
    yield from ((name, said) for name, one in found.items() if (said := text_of(one)))


KIND = SourceKind(name="great_expectations", parse=parse)
