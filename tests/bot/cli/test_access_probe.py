"""`watchbill access probe`: every group is looked at, and what is missing is named."""

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app

SCRIPT = Path(__file__).parents[3] / "integrations" / "access" / "access_exec.py"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    kept = tmp_path / "groups.json"
    kept.write_text(
        '{"people": ["ana@example.com"], "groups": {"admins": {"ana@example.com": null}}}'
    )
    command = json.dumps([sys.executable, str(SCRIPT), str(kept)])
    path = tmp_path / "config.yaml"
    path.write_text(
        f"""
slack: {{mode: local}}
people: [{{name: Ana, email: ana@example.com}}]
access_groups:
  good: {{group: admins, may_ask: {{people: [Ana]}}, backend: {{kind: exec, command: {command}}}}}
  lost: {{group: nowhere, may_ask: {{people: [Ana]}}, backend: {{kind: exec, command: {command}}}}}
"""
    )
    return path


def test_what_works_and_what_does_not(config: Path) -> None:
    result = CliRunner().invoke(app, ["access", "probe", "-c", str(config)])
    assert result.output.splitlines() == [
        "good: works (exec, 1 member)",
        "lost: there is no group 'nowhere'. Create it, or correct `group`.",
    ]
    assert result.exit_code == 1


def test_one_group_as_json(config: Path) -> None:
    result = CliRunner().invoke(app, ["access", "probe", "good", "--json", "-c", str(config)])
    assert result.exit_code == 0
    assert json.loads(result.output) == [
        {
            "name": "good",
            "kind": "exec",
            "group": "admins",
            "members": 1,
            "native_expiry": False,
            "faults": [],
        }
    ]


def test_a_group_nobody_configured_is_named(config: Path) -> None:
    result = CliRunner().invoke(app, ["access", "probe", "god", "-c", str(config)])
    assert result.exit_code == 1
    assert 'no group is called "god"; did you mean `good`?' in result.output
