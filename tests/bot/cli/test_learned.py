"""The commands on learned rules: what they print is a rulebook, and what they end is over."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.clock import SystemClock
from bot.store.opening import open_store
from rules.category import Category
from rules.documents.rulebook_spec import RulebookSpec
from rules.documents.strict_yaml import read
from rules.priority import Impact
from rules.teaching.correction import Remedy, breadths, rule_yaml
from rules.teaching.learned import LearnedRule
from rules.teaching.learned_export import exported
from tests.rules.build import make_alert, make_incident

AT = datetime(2026, 11, 23, 5, 25, tzinfo=UTC)
CONFIG = """
database: sqlite:///bot.db
slack: {mode: local}
people: [{name: Ana Ruiz, email: ana@example.com}]
rotations: {data-platform: {}}
roster: roster.csv
"""


def rule(number: int, remedy: Remedy, why: str = "") -> LearnedRule:
    of = make_incident(alert=make_alert(labels={"test": "not_null", "model": f"t{number}"}),
                       number=number)  # fmt: skip
    yaml = rule_yaml(of, breadths(of)[0], remedy, by="ana@example.com", at=AT, why=why)
    return LearnedRule(id=f"rule{number}", yaml=yaml, by="ana@example.com", at=AT, number=number,
                       why=why)  # fmt: skip


RULES = (
    rule(1, Remedy(category=Category.COMPLETENESS), 'rows "missing": # [x]'),
    rule(2, Remedy(category=Category.ACCESS, impact=Impact.MINOR, actionable=False)),
    rule(3, Remedy(actionable=False)),
)
BROKEN = LearnedRule(id="rule4", yaml="{", by="bo@example.com", at=AT, number=4)


def test_what_is_exported_is_a_rulebook_in_the_order_it_was_asked() -> None:
    text, left_out = exported([*RULES, BROKEN])
    assert left_out == ("rule4",)
    spec, faults = read(text, RulebookSpec, "learned.yaml")
    assert faults == []
    assert spec is not None
    assert [one.category for one in spec.categories.rules] == ["completeness", "access"]
    assert [one.impact for one in spec.impact_rules] == [Impact.MINOR]
    assert len(spec.not_actionable) == 2
    assert '# rows "missing": # [x]' in text
    assert exported([])[0].startswith("#")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    (tmp_path / "roster.csv").write_text("Start,Person\n2026-11-16,Ana Ruiz\n")
    return path


@pytest.fixture
def filled(config: Path) -> Path:
    async def fill() -> None:
        opened = await open_store(f"sqlite:///{config.parent / 'bot.db'}", SystemClock())
        async with opened.store.begin() as tx:
            for one in (*RULES, BROKEN):
                tx.save_learned(one)
        await opened.close()

    asyncio.run(fill())
    return config


def run(config: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["rules", *words, "-c", str(config)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_rules_are_listed_shown_exported_and_ended(filled: Path) -> None:
    status, said = run(filled, "list")
    assert status == 0
    assert "left out: it cannot be read" in said
    assert "4 learned rules" in said
    listed = json.loads(run(filled, "list", "--json")[1])
    assert [one["broken"] for one in listed] == [True, False, False, False]
    assert run(filled, "show", "rule3") == (0, RULES[2].yaml)
    status, said = run(filled, "export")
    assert "Rule rule4 cannot be read" in said
    assert "impact_rules:" in said
    assert run(filled, "remove", "rule4")[0] == 0
    assert run(filled, "remove", "rule4")[0] == 1
    assert run(filled, "show", "rule4")[0] == 1
    assert "3 learned rules" in run(filled, "list")[1]


def test_without_a_database_nothing_has_been_learned(config: Path) -> None:
    assert "0 learned rules" in run(config, "list")[1]
    assert not (config.parent / "bot.db").exists()
