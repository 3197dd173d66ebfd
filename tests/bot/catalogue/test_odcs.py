"""ODCS contracts: what is exported is valid and reads back; what others wrote is understood."""

import importlib.resources
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given

from bot.catalogue.odcs import read_contract
from bot.catalogue.odcs_export import contract, contract_yaml, file_name
from rules.catalogue import Product
from rules.claims import AssetPattern
from rules.documents.strict_yaml import parse
from rules.sla import FreshBy
from tests.bot.catalogue.build import PRODUCTS, read_text

SCHEMA = json.loads(
    importlib.resources.files("open_data_contract_standard").joinpath("schema.json").read_text()
)
VALIDATOR = jsonschema.Draft201909Validator(SCHEMA)
HEAD = "apiVersion: v3.1.0\nkind: DataContract\nid: orders\nversion: 1.0.0\nstatus: active\n"


def imported(text: str) -> Product:
    document, faults = parse(text, "c.odcs.yaml")
    assert document is not None
    product, more, _ = read_contract(document)
    assert [str(one) for one in (*faults, *more)] == []
    assert product is not None
    return product


@given(PRODUCTS)
def test_what_is_exported_is_valid_and_reads_back_the_same(product: Product) -> None:
    VALIDATOR.validate(contract(product))
    again = imported(contract_yaml(product))
    assert again == product
    assert imported(contract_yaml(again)) == again


def test_the_validator_refuses_what_is_wrong() -> None:
    good: dict[str, Any] = contract(Product(id="a", name="a", owner="ana"))
    assert not VALIDATOR.is_valid({**good, "team": {"members": [{"role": "Owner"}]}})
    assert not VALIDATOR.is_valid({**good, "slaProperties": [{"property": "latency"}]})


OTHERS = (
    HEAD
    + """
name: Orders of the shop
servers: [{server: prod, type: snowflake, account: x, database: SHOP, schema: MAIN}]
schema:
  - {name: orders, physicalName: FCT_ORDERS, properties: [{name: id, logicalType: integer}]}
  - {name: clicks, physicalName: LAKE.WEB.CLICKS}
team:
  name: Commerce
  members:
    - {username: bo@example.com, role: Data Steward}
    - {username: ana@example.com, role: Product Owner}
support:
  - {channel: announce, scope: announcements}
  - {channel: "#data-orders", tool: slack, scope: issues}
slaProperties:
  - {property: ly, value: 4, unit: d, driver: analytics}
  - {property: timeOfAvailability, value: "09:00-08:00", driver: regulatory}
  - {property: availability, value: "99.5%"}
  - {property: retention, value: 3, unit: y}
  - {property: generalAvailability, value: "2022-05-12T09:30:10-08:00"}
price: {priceAmount: 9.95, priceCurrency: USD, priceUnit: megabyte}
authoritativeDefinitions: [{type: runbook, url: https://example.com/r}]
"""
)


def test_what_others_wrote_is_understood() -> None:
    VALIDATOR.validate(yaml.safe_load(OTHERS))
    product = imported(OTHERS)
    assert (product.owner, product.team) == ("ana@example.com", "Commerce")
    assert (product.channel, product.driver) == ("data-orders", "regulatory")
    assert product.promises.max_age == timedelta(days=4)
    assert product.promises.availability == 99.5
    assert product.runbook == "https://example.com/r"
    assert product.assets == (
        AssetPattern("relation", "LAKE.WEB.CLICKS"),
        AssetPattern("relation", "SHOP.MAIN.FCT_ORDERS"),
    )
    by = product.promises.fresh_by
    assert isinstance(by, FreshBy)
    assert (str(by.at), by.zone) == ("09:00:00", "Etc/GMT+8")
    assert imported(contract_yaml(product)) == product


def test_the_team_of_version_3_0_is_a_list() -> None:
    product = imported(HEAD + "team: [{username: ana@example.com, role: owner}]\n")
    assert product.owner == "ana@example.com"


LEFT = "{username: ada, role: Owner, dateIn: '2024-01-15', dateOut: '2025-09-30'}"


def test_an_owner_who_left_the_team_is_asked_no_more() -> None:
    there = "{username: bo, role: Data Product Owner, dateIn: '2025-10-01'}"
    assert imported(HEAD + f"team: [{LEFT}, {there}]\n").owner == "bo"
    product = imported(HEAD + f"team: {{name: commerce, members: [{LEFT}]}}\n")
    assert (product.owner, product.team) == ("", "commerce")


@pytest.mark.parametrize(
    ("tool", "channel"), [("email", "help"), ("ticket", "help"), ("Slack", "it"), (None, "it")]
)
def test_a_channel_of_another_tool_is_none_of_slack(tool: str | None, channel: str) -> None:
    named = f", tool: {tool}" if tool else ""
    entries = f"{{channel: it, scope: issues{named}}}, {{channel: '#help', tool: slack, scope: announcements}}"
    assert imported(HEAD + f"support: [{entries}]\n").channel == channel


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (HEAD.replace("v3.1.0", "v2.2.2"), "c.yaml:1: a DataContract of v2.2.2; ODCS v3"),
        (HEAD.replace("id: orders\n", ""), "c.yaml:1: `id` is missing"),
        (
            HEAD + "slaProperties:\n  - {property: latency, value: soon, unit: h}\n",
            "c.yaml:7: `latency` needs a number as `value` and a `unit`",
        ),
        (
            HEAD + "slaProperties:\n  - {property: latency, value: 2, unit: months}\n",
            "c.yaml:7: `latency` needs a number as `value` and a `unit`",
        ),
        (
            HEAD + "slaProperties:\n  - {property: latency, value: 1e300, unit: h}\n",
            "c.yaml:7: `latency` needs a number",
        ),
        (
            HEAD + "slaProperties:\n  - {property: timeOfAvailability, value: nine}\n",
            "c.yaml:7: `timeOfAvailability` must be a time of day",
        ),
        (
            HEAD + 'slaProperties:\n  - {property: timeOfAvailability, value: "09:00+05:30"}\n',
            "c.yaml:7: no zone has this offset",
        ),
        (
            HEAD + "slaProperties:\n  - {property: av, value: 120}\n",
            "c.yaml:7: `availability`: Input should be less than or equal to 100",
        ),
        (
            HEAD + "slaProperties:\n  - {property: fy, value: 1, scheduler: cron, schedule: x}\n",
            'c.yaml:7: `schedule`: "x" is not a cron expression',
        ),
        (HEAD + "slaProperties: {latency: 4}\n", "c.yaml:6: `slaProperties` must be a list"),
        (
            HEAD + "customProperties:\n  - {property: tier, value: gold}\n",
            "c.yaml:7: `tier`: Input should be a valid integer",
        ),
        (
            HEAD + "customProperties:\n  - {property: assets, value: [{modle: x}]}\n",
            "c.yaml:7: an entry of `assets` is a map with one key of model",
        ),
    ],
)
def test_every_fault_of_a_contract_has_its_place(tmp_path: Path, text: str, fault: str) -> None:
    found = read_text(tmp_path, {"c.yaml": text}).faults
    assert [str(one).removeprefix(f"{tmp_path}/")[: len(fault)] for one in found] == [fault]


def test_an_unknown_promise_is_told_with_the_nearest(tmp_path: Path) -> None:
    text = HEAD + "slaProperties: [{property: latncy, value: 1, unit: d}]\n"
    found = read_text(tmp_path, {"c.yaml": text})
    assert found.faults == ()
    assert found.warnings[0].message == (
        '"latncy" is no property that is read; did you mean `latency`?'
    )


@pytest.mark.parametrize("written", ["orders", "../../etc/passwd", "a/b", "a b", "é", "x" * 300])
def test_file_names_are_safe(written: str) -> None:
    name = file_name(Product(id=written, name="x"))
    assert len(name) < 120
    assert name.isascii()
    assert "/" not in name
    assert not name.startswith(".")


def test_different_ids_have_different_files() -> None:
    assert len({file_name(Product(id=one, name="x")) for one in ("a/b", "a-b", "a.b")}) == 3
