"""Alerts and the dashboard ask for metrics and labels that there are, and each alert is explained."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Histogram

from bot.metrics import Metrics
from rules.audit import Fault

REPO = Path(__file__).resolve().parents[2]
ALERTS = REPO / "deploy/prometheus/alerts.yaml"
DASHBOARD = REPO / "deploy/grafana/watchbill.json"
ALARMS = REPO / "docs/operations/alarms.md"
OURS = re.compile(r"\b((?:watchbill|process)_[a-z_]+)(?:\{([^}]*)\})?")
BY = re.compile(r"\bby \(([a-z_, ]+)\)")
COUNTED = {"RefusedError", "super().__init__", "self._count"}
SCRAPED = {"job", "instance", "le"}


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> Iterator[tuple[str, str]]:
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def series() -> dict[str, set[str]]:
    """Return the labels of every series that /metrics can have."""
    metrics = Metrics()
    found: dict[str, set[str]] = {}
    for one in vars(metrics).values():
        labels = set(getattr(one, "_labelnames", ()))
        for family in one.describe() if hasattr(one, "describe") else ():
            kinds = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
            for ending in kinds.get(family.type, [""]):
                found[family.name + ending] = labels
            assert isinstance(one, Histogram) or family.type != "histogram"
    collected = [sample.name for family in metrics.registry.collect() for sample in family.samples]
    return {**{name: set() for name in collected if name.startswith("process_")}, **found}


KNOWN = series()


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_an_expression_asks_for_what_there_is(where: str, expression: str) -> None:
    asked = OURS.findall(expression)
    assert asked or "up{" in expression
    labels = set()
    for name, matchers in asked:
        assert name in KNOWN, f"{where} asks for {name}"
        named = set(re.findall(r"([a-z_]+)\s*(?:=~|!=|!~|=)", matchers))
        assert "job" in named, f"{where} takes {name} of any job"
        assert named <= KNOWN[name] | SCRAPED, f"{where}: {name} has no such label"
        labels |= KNOWN[name]
    for group in BY.findall(expression):
        assert {one.strip() for one in group.split(",")} <= labels | SCRAPED, where


def results() -> set[str]:
    """Return what can become of a request to /hooks, as the code counts it."""
    found = set()
    for file in (REPO / "bot/web").glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in COUNTED and call.args:
                found |= set(re.findall(r"'([a-z_]+)'", ast.unparse(call.args[-1])))
    text = (REPO / "bot/web/hooks.py").read_text(encoding="utf-8")
    return found | set(re.findall(r'result = "([a-z_]+)" if .* else "([a-z_]+)"', text)[0])


def test_an_alert_fires_for_whatever_keeps_a_delivery_out() -> None:
    told = " ".join(rule["expr"] for rule in rules() if "deliveries_total" in rule["expr"])
    page = (REPO / "docs/operations/metrics.md").read_text(encoding="utf-8")
    kept_out = results() - {"accepted", "repeated", "handshake"}
    assert {"throttled", "not_stored", "unauthorized"} <= kept_out
    assert {one for one in kept_out if not re.search(rf"[\"|]{one}[\"|]", told)} == set()
    assert {one for one in kept_out if f"`{one}`" not in page} == set()


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    text = DASHBOARD.read_text(encoding="utf-8")
    missing = {name for name in KNOWN if name.startswith("watchbill_") and name not in text}
    assert not {name for name in missing if not name.endswith(("_sum", "_count"))}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_means_and_leads_to_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert REPO / page == ALARMS
    assert anchor == rule["alert"].lower()
    assert f"### {rule['alert']}\n" in ALARMS.read_text(encoding="utf-8")


def test_the_alarms_page_explains_no_alert_that_is_gone() -> None:
    explained = re.findall(
        r"^### (Watchbill\w+)$", ALARMS.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert explained == [rule["alert"] for rule in rules()]


def test_panels_do_not_overlap_and_have_ids_of_their_own() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_what_the_auditor_can_find_is_explained() -> None:
    text = (REPO / "docs/operations/watching.md").read_text(encoding="utf-8")
    assert [fault for fault in Fault if f"| `{fault}` |" not in text] == []
