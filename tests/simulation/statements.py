"""SQLAlchemy's statements on a bare SQLite connection, without the layers that a life cannot afford.

What is compiled, bound and converted is SQLAlchemy's; its pools, contexts and greenlets stay out.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData

Values = Mapping[str, Any]
DIALECT: Any = SQLiteDialect_aiosqlite()


class Answered(IteratorResult[Any]):
    """The rows of one statement, or the number of those that it changed."""

    rowcount = -1


class _Compiled:
    """A compiled statement with what its values and its rows go through."""

    def __init__(self, compiled: Any) -> None:
        self.compiled = compiled
        # what an execution context reads
        self.changes: Mapping[str, Callable[[Any], Any]] = compiled._bind_processors
        self.expands = bool(compiled.post_compile_params or compiled.literal_execute_params)
        self.defaults = [
            (column.key, column.default)
            for column in (*compiled.insert_prefetch, *compiled.update_prefetch)
        ]
        self.answers: SimpleResultMetaData | None = None

    def values(self, given: Values | None, extracted: Any, collected: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.compiled.construct_params(
            given or None,
            extracted_parameters=extracted,
            escape_names=False,
            _collected_params=collected,
        )
        for key, default in self.defaults:
            made[key] = default.arg if default.is_scalar else default.arg(None)
        return made

    def bound(self, values: dict[str, Any]) -> tuple[str, list[Any]]:
        """Return the text of the statement and its values in their places."""
        compiled, changes = self.compiled, self.changes
        text, names = compiled.string, compiled.positiontup
        if self.expands:
            expanded = compiled._process_parameters_for_postcompile(values)
            text, names = expanded.statement, expanded.positiontup
            changes = {**changes, **expanded.processors}
        return text, [
            changes[name](values[name]) if name in changes else values[name] for name in names
        ]

    def answer(self, cursor: sqlite3.Cursor) -> Answered:
        if cursor.description is None:
            answer = Answered(_NOTHING, iter(()))
        else:
            answer = Answered(self._described(cursor), iter(cursor.fetchall()))
        answer.rowcount = cursor.rowcount
        return answer

    def _described(self, cursor: sqlite3.Cursor) -> SimpleResultMetaData:
        if self.answers is None:
            columns = self.compiled._result_columns
            if len(columns) == len(cursor.description):
                self.answers = SimpleResultMetaData(
                    [column.keyname for column in columns],
                    extra=[tuple(column.objects) for column in columns],
                    _processors=[
                        column.type._cached_result_processor(DIALECT, None) for column in columns
                    ],
                )
            else:  # a statement in plain text says nothing of its columns
                self.answers = SimpleResultMetaData([one[0] for one in cursor.description])
        return self.answers


_NOTHING = SimpleResultMetaData([])


class _Plan:
    """How the values of one statement that stays get into their places: no more, no less."""

    def __init__(self, known: _Compiled, constants: Values) -> None:
        self.known = known
        compiled = known.compiled
        self.text: str = compiled.string
        self._places = [
            (name, known.changes.get(name), constants.get(name)) for name in compiled.positiontup
        ]

    def bound(self, given: Values) -> list[Any]:
        return [
            change(given.get(name, constant)) if change else given.get(name, constant)
            for name, change, constant in self._places
        ]


class Statements:
    """Everything that was ever compiled, for all lives of this process."""

    def __init__(self) -> None:
        self._cache: dict[Any, Any] = {}
        self._known: dict[int, _Compiled] = {}

    def execute(
        self, raw: sqlite3.Connection, statement: Any, given: Values | list[Values] | None
    ) -> Answered:
        many = given if isinstance(given, list) else [given or {}]
        keys = tuple(many[0])
        # it may be a copy of one that has a plan, and then the plan is not its own
        marked, keyed, plan = statement.__dict__.get("_planned", (0, (), None))
        if plan is None or marked != id(statement) or keyed != keys:
            known, extracted, collected = self._compiled(statement, keys, len(many) > 1)
            if known.expands or known.defaults:
                bound = [known.bound(known.values(row, extracted, collected)) for row in many]
                return _run(raw, known, bound[0][0], [values for _, values in bound])
            made = known.values(dict.fromkeys(keys), extracted, collected)
            plan = _Plan(known, made)
            statement.__dict__["_planned"] = (id(statement), keys, plan)
        return _run(raw, plan.known, plan.text, [plan.bound(row) for row in many])

    def _compiled(
        self, statement: Any, keys: Sequence[str], many: bool
    ) -> tuple[_Compiled, Any, Any]:
        compiled, extracted, collected, _ = statement._compile_w_cache(
            dialect=DIALECT,
            compiled_cache=self._cache,
            column_keys=sorted(keys),
            for_executemany=many,
            schema_translate_map=None,
        )
        known = self._known.get(id(compiled))
        if known is None:
            known = self._known[id(compiled)] = _Compiled(compiled)
        return known, extracted, collected


def _run(
    raw: sqlite3.Connection, known: _Compiled, text: str, bound: Sequence[Sequence[Any]]
) -> Answered:
    if len(bound) > 1:
        return known.answer(raw.executemany(text, bound))
    return known.answer(raw.execute(text, bound[0]))
