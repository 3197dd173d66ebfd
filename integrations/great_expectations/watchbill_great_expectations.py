"""Tells Watchbill what Great Expectations found; needs nothing beyond Great Expectations itself.

    from watchbill_great_expectations import WatchbillAction

    checkpoint = gx.Checkpoint(name=..., validation_definitions=[...], actions=[
        WatchbillAction(name="watchbill"),
    ])

Copy it beside your code together with courier.py (see README.md).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, Mapping, Optional

from great_expectations.checkpoint.actions import ValidationAction
from great_expectations.compatibility.pydantic import Field

try:
    import courier
except ImportError:  # not copied: run from a checkout or where the bot is installed
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from bot import courier

log = logging.getLogger("watchbill")

Json = Dict[str, Any]

VERSION = "1"
MOST_RESULTS = 500
"""Results in one body; failures come first, and more results go in several bodies."""
BYTES = 900_000
"""Watchbill takes a megabyte at most."""
LONGEST = 4_000
SETTINGS = 50
"""So many arguments, and keys of `meta`, of one expectation, each so long as JSON."""
TEXT = 2000
NUMBERS = (
    "element_count",
    "missing_count",
    "missing_percent",
    "unexpected_count",
    "unexpected_percent",
    "unexpected_percent_total",
    "unexpected_percent_nonmissing",
)
COLUMNS = ("column", "column_A", "column_B", "column_list", "column_set")
VALUES = ("partial_unexpected_list", "partial_unexpected_counts", "details")


class WatchbillAction(ValidationAction):
    """Sends every validation of a checkpoint: what failed, what could not run, what passed.

    Values of your data stay at home unless `send_values` is true; messages of exceptions are
    sent, cut at 2,000 characters. A checkpoint never fails because Watchbill is away: what
    could not be sent is logged, and `run` returns it.
    """

    type: Literal["watchbill"] = "watchbill"

    url: Optional[str] = None
    """The source's address; WATCHBILL_URL when left out. The secret is WATCHBILL_SECRET."""
    product: Optional[str] = None
    """The data product, for expectations whose `meta` names none."""
    labels: Dict[str, str] = Field(default_factory=dict)
    send_values: bool = False
    wait: bool = True
    """Try five times, in about 15 seconds, while Watchbill is away; false tries once."""

    def run(self, checkpoint_result: Any, action_context: Any = None) -> Json:  # noqa: ARG002
        sent, fault = 0, ""
        try:
            address = self.url or os.environ.get("WATCHBILL_URL", "").strip()
            if not address:
                log.warning("WATCHBILL_URL is not set: nobody is told about the checkpoint")
                return {"watchbill": "off", "sent": 0}
            for body in self._bodies(checkpoint_result):
                receipt = self._send(address, body)
                if receipt.accepted:
                    sent += 1
                    continue
                fault = "%s %s" % (receipt.text, courier.advice(receipt, address))
                log.error("Watchbill was not told: %s", fault)
                if not receipt.final:
                    break
        except Exception as error:
            log.exception("Watchbill was not told")
            return {"watchbill": "%s: %s" % (type(error).__name__, error), "sent": sent}
        return {"watchbill": fault or "sent", "sent": sent}

    def _bodies(self, checkpoint_result: Any) -> Iterator[Json]:
        run_id = _plain(checkpoint_result.run_id)
        for validation in checkpoint_result.run_results.values():
            whole = validation.to_json_dict()
            slim = slim_validation(whole, send_values=self.send_values)
            results: List[Json] = slim.pop("results")
            results.sort(key=lambda one: one["success"] is True)
            for part in _parts(results):
                body = {
                    "version": VERSION,
                    "tool": "great_expectations",
                    "checkpoint": str(checkpoint_result.name),
                    "run_id": run_id,
                    "validation": {**slim, "results": part},
                }
                if self.product:
                    body["product"] = self.product
                if self.labels:
                    body["labels"] = dict(self.labels)
                if whole.get("result_url"):
                    body["url"] = whole["result_url"]
                yield body

    def _send(self, address: str, body: Json) -> courier.Receipt:
        raw = json.dumps(body, separators=(",", ":"), default=str).encode("utf-8")
        parcel = courier.Parcel(
            address,
            raw,
            secret=os.environ.get("WATCHBILL_SECRET", "").strip(),
            delivery=hashlib.sha256(raw).hexdigest()[:32],
        )
        if self.wait:
            return courier.carry(parcel, sleep=time.sleep, say=log.warning)
        return courier.post(parcel)


def _parts(results: List[Json]) -> Iterator[List[Json]]:
    part: List[Json] = []
    size = 0
    for one in results:
        length = len(json.dumps(one, default=str))
        if part and (len(part) == MOST_RESULTS or size + length > BYTES):
            yield part
            part, size = [], 0
        part.append(one)
        size += length
    yield part


def slim_validation(whole: Mapping[str, Any], *, send_values: bool = False) -> Json:
    """Return a validation (`to_json_dict`) without the values of the data."""
    meta = whole.get("meta") or {}
    batch = meta.get("active_batch_definition") or {}
    results = [_slim_result(one, send_values=send_values) for one in whole.get("results") or []]
    _mark_alike(results)
    return {
        "success": whole.get("success"),
        "suite_name": whole.get("suite_name"),
        "meta": {
            "run_id": meta.get("run_id"),
            "validation_id": meta.get("validation_id"),
            "checkpoint_id": meta.get("checkpoint_id"),
            "great_expectations_version": meta.get("great_expectations_version"),
            "active_batch_definition": {
                name: batch.get(name)
                for name in ("datasource_name", "data_asset_name", "batch_identifiers")
            },
        },
        "results": results,
    }


def _mark_alike(results: List[Json]) -> None:
    """Mark expectations of one type on one column, which only their arguments tell apart."""
    seen: Dict[str, Json] = {}
    for one in results:
        config = one["expectation_config"]
        columns = {name: config["kwargs"].get(name) for name in COLUMNS}
        first = seen.setdefault(json.dumps([config["type"], columns], default=str), one)
        if first is not one:
            first["alike"] = one["alike"] = True


def _slim_result(result: Mapping[str, Any], *, send_values: bool) -> Json:
    config = dict(result.get("expectation_config") or {})
    kwargs = dict(config.get("kwargs") or {})
    kwargs.pop("batch_id", None)
    slim: Json = {
        "success": result.get("success"),
        "expectation_config": {
            "type": config.get("type"),
            "kwargs": _short(kwargs),
            "meta": _short(config.get("meta") or {}),
            "severity": config.get("severity"),
        },
    }
    if result.get("success") is True:
        return slim
    slim["result"] = _slim_numbers(result.get("result") or {}, send_values=send_values)
    raised = _raised(result.get("exception_info") or {})
    if raised is not None:
        slim["exception_info"] = {
            "raised_exception": True,
            "exception_message": str(raised.get("exception_message") or "")[:TEXT],
        }
    return slim


def _short(pairs: Mapping[str, Any]) -> Json:
    """Return settings that fit; of a long one its beginning, and a mark that tells it from others."""
    short: Json = {}
    for name, value in list(pairs.items())[:SETTINGS]:
        text = json.dumps(value, default=str, sort_keys=True)
        if len(text) > LONGEST:
            mark = hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]
            value = "%s… (%d characters, %s)" % (text[:200], len(text), mark)
        short[str(name)[:TEXT]] = value
    return short


def _slim_numbers(found: Mapping[str, Any], *, send_values: bool) -> Json:
    slim = {name: found[name] for name in NUMBERS if name in found}
    observed = found.get("observed_value")
    # A list is a list of values, and a text may be one.
    if send_values or (isinstance(observed, (int, float)) and not isinstance(observed, bool)):
        slim["observed_value"] = observed
    if send_values:
        slim.update({name: found[name] for name in VALUES if name in found})
    return slim


def _raised(info: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
    """Return what was raised; GX nests it under the metric's name where a metric raised it."""
    for one in (info, *info.values()):
        if isinstance(one, Mapping) and one.get("raised_exception"):
            return one
    return None


def _plain(run_id: Any) -> Json:
    found = run_id.to_json_dict() if hasattr(run_id, "to_json_dict") else {}
    return {"run_name": found.get("run_name"), "run_time": found.get("run_time")}
