"""Migrations that only add: what ran before them goes on working beside what brought them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import schema

FOLDER = Path(schema.__file__).parent / "migrations" / "versions"
FILES = {path.name.partition("_")[0]: path for path in sorted(FOLDER.glob("0*.py"))}
SINCE_THE_FLOOR = [name for name in FILES if name > schema.FLOOR]
TAKES_AWAY = {
    *("drop_table", "drop_column", "drop_index", "drop_constraint", "rename_table"),
    *("alter_column", "batch_alter_table", "create_unique_constraint", "create_check_constraint"),
    *("create_foreign_key", "create_exclude_constraint"),
}
IN_SQL = ("DROP ", "RENAME ", "ALTER ", "DELETE ", "TRUNCATE ")


def taken_away(source: str) -> Iterator[str]:
    """Yield what a migration's way up takes from the code that is older than it."""
    module = ast.parse(source)
    made = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _name(node) == "create_table":
            made.add(_text(node.args[0]))
    for function in module.body:
        if isinstance(function, ast.FunctionDef) and function.name == "downgrade":
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                yield from _of_call(node, made)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = " ".join(node.value.split()).upper() + " "
                if words.startswith(IN_SQL):
                    yield f"line {node.lineno}: {node.value!r}"


def _of_call(call: ast.Call, made: set[str]) -> Iterator[str]:
    name = _name(call)
    if name in TAKES_AWAY:
        yield f"line {call.lineno}: {name}"
    if name == "create_index" and _keyword(call, "unique") and _text(call.args[1]) not in made:
        yield f"line {call.lineno}: a unique index on a table that older code writes"
    if name == "add_column":
        column = call.args[1]
        assert isinstance(column, ast.Call), "write sa.Column(...) where it is added"
        if not (_may_be_null(column) or _keyword(column, "server_default")):
            yield f"line {call.lineno}: a column that older code does not fill"


def _may_be_null(column: ast.Call) -> bool:
    found = _keyword(column, "nullable")
    return found is None or (isinstance(found, ast.Constant) and found.value is True)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((one.value for one in call.keywords if one.arg == name), None)


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


@pytest.mark.parametrize("revision", SINCE_THE_FLOOR)
def test_a_migration_since_the_floor_only_adds(revision: str) -> None:
    found = list(taken_away(FILES[revision].read_text(encoding="utf-8")))
    assert not found, (
        f"code of migration {schema.FLOOR} would break on {revision}: {found}. Add now, take away in"
        f' a later version, and set schema.FLOOR to "{revision}" only where that cannot be.'
    )


def test_the_previous_version_is_not_below_the_floor() -> None:
    previous = list(FILES)[-2]
    assert previous >= schema.FLOOR, "replicas could not be replaced one by one"


@pytest.mark.parametrize(
    "way_up",
    [
        'op.drop_column("incident", "title")',
        'op.drop_table("message")',
        'op.add_column("job", sa.Column("colour", sa.Text(), nullable=False))',
        'op.create_index("ux", "job", ["lane"], unique=True)',
        'op.alter_column("job", "lane", nullable=True)',
        'op.execute("ALTER TABLE job RENAME TO task")',
        'op.execute("drop index ix_job_due")',
    ],
)
def test_what_would_break_older_code_is_found(way_up: str) -> None:
    assert list(taken_away(f"def upgrade() -> None:\n    {way_up}\n"))


@pytest.mark.parametrize(
    "way_up",
    [
        'op.create_table("new", sa.Column("id", sa.Text(), nullable=False))',
        'op.add_column("job", sa.Column("colour", sa.Text(), nullable=True))',
        'op.add_column("job", sa.Column("size", sa.Integer(), server_default="0", nullable=False))',
        'op.create_index("ix", "job", ["lane"])',
        'op.execute("CREATE TRIGGER t AFTER DELETE ON job BEGIN SELECT 1; END")',
    ],
)
def test_what_only_adds_is_let_through(way_up: str) -> None:
    down = '\ndef downgrade() -> None:\n    op.drop_table("new")\n'
    assert not list(taken_away(f"def upgrade() -> None:\n    {way_up}\n{down}"))
