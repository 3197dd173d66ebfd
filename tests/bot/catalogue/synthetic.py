"""Makes a dbt manifest of any size out of the recorded one, the same for the same numbers."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

RECORDED = Path(__file__).parents[2] / "payloads/dbt/manifest.json"
_SQL = "select order_id, customer_id, amount, status, loaded_at from {{ ref('upstream') }} -- "


@dataclass(frozen=True)
class Size:
    """How many of what; `padding` is how many characters of SQL each node carries."""

    models: int = 10_000
    tests: int = 24_889
    sources: int = 500
    exposures: int = 300
    groups: int = 40
    parents: int = 4
    padding: int = 1_750


def write_manifest(path: Path, size: Size) -> Path:
    """Write the manifest node by node, so that making it needs no memory."""
    made = _Maker(size)
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"metadata": {json.dumps(made.recorded["metadata"])}')
        for section, members in (
            ("nodes", made.nodes()),
            ("sources", made.sources()),
            ("exposures", made.exposures()),
            ("groups", made.groups()),
            ("parent_map", made.parent_map()),
            ("child_map", made.child_map()),
        ):
            _write_section(file, section, members)
        file.write(', "disabled": {}, "unit_tests": {}}')
    return path


def _write_section(file: TextIO, section: str, members: Iterator[tuple[str, Any]]) -> None:
    file.write(f', "{section}": {{')
    file.writelines(
        f"{', ' if at else ''}{json.dumps(name)}: {json.dumps(value)}"
        for at, (name, value) in enumerate(members)
    )
    file.write("}")


class _Maker:
    def __init__(self, size: Size) -> None:
        self.size = size
        self.recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
        self.chance = random.Random(20261122)
        self.parents = {self.model(at): self._parents(at) for at in range(size.models)}

    @staticmethod
    def model(at: int) -> str:
        return f"model.shop.m_{at:05}"

    def _parents(self, at: int) -> list[str]:
        many = self.chance.randint(1, self.size.parents)
        if at < self.size.models // 20:
            picked = {self.chance.randrange(self.size.sources) for _ in range(many)}
            return [f"source.shop.raw.s_{one:03}" for one in sorted(picked)]
        near = max(0, at - self.size.models // 5)
        return [
            self.model(one)
            for one in sorted({self.chance.randrange(near, at) for _ in range(many)})
        ]

    def nodes(self) -> Iterator[tuple[str, Any]]:
        like = self.recorded["nodes"]["model.shop.fct_orders"]
        for at in range(self.size.models):
            name = f"m_{at:05}"
            kind = ("view", "table", "incremental")[at % 3]
            meta: dict[str, Any] = {"owner": f"@owner{at % 90}"} if at % 7 == 0 else {}
            if at % 50 == 0:
                meta |= {"tier": at % 3 + 1, "data_product": f"product-{at // 50}"}
            yield self.model(at), {
                **like,
                "name": name,
                "unique_id": self.model(at),
                "relation_name": f'"shop"."main"."{name}"',
                "group": f"group_{at % 40}" if at % 3 == 0 else None,
                "meta": meta,
                "config": {**like["config"], "materialized": kind, "meta": meta},
                "raw_code": _SQL + "x" * self.size.padding,
                "compiled_code": _SQL + "y" * self.size.padding,
                "depends_on": {"macros": [], "nodes": self.parents[self.model(at)]},
            }  # fmt: skip
        test = self.recorded["nodes"]["test.shop.unique_stg_orders_id.beb6e97f2f"]
        for at in range(self.size.tests):
            tested = self.model(at % self.size.models)
            yield (
                f"test.shop.not_null_{at:05}",
                {
                    **test,
                    "unique_id": f"test.shop.not_null_{at:05}",
                    "attached_node": tested,
                    "depends_on": {"macros": [], "nodes": [tested]},
                    "raw_code": _SQL + "z" * self.size.padding,
                },
            )

    def sources(self) -> Iterator[tuple[str, Any]]:
        like = self.recorded["sources"]["source.shop.raw.raw_orders"]
        for at in range(self.size.sources):
            name = f"s_{at:03}"
            relation = f'"shop"."raw"."{name}"'
            yield f"source.shop.raw.{name}", {**like, "name": name, "relation_name": relation}

    def exposures(self) -> Iterator[tuple[str, Any]]:
        like = self.recorded["exposures"]["exposure.shop.revenue_dashboard"]
        for at in range(self.size.exposures):
            yield (
                f"exposure.shop.e_{at:03}",
                {
                    **like,
                    "name": f"e_{at:03}",
                    "maturity": ("high", "medium", "low", None)[at % 4],
                    "url": f"https://bi.example/{at}",
                },
            )

    def groups(self) -> Iterator[tuple[str, Any]]:
        for at in range(self.size.groups):
            owner = {"name": f"Team {at}", "email": f"team{at}@example.com", "slack": f"team-{at}"}
            group = {"name": f"group_{at}", "resource_type": "group", "owner": owner}
            yield f"group.shop.group_{at}", group

    def parent_map(self) -> Iterator[tuple[str, Any]]:
        yield from self.parents.items()
        for at in range(self.size.tests):
            yield f"test.shop.not_null_{at:05}", [self.model(at % self.size.models)]
        for at in range(self.size.exposures):
            last = self.size.models - 1
            yield f"exposure.shop.e_{at:03}", [self.model(last - at * 7 % self.size.models)]

    def child_map(self) -> Iterator[tuple[str, Any]]:
        children: dict[str, list[str]] = {
            f"source.shop.raw.s_{at:03}": [] for at in range(self.size.sources)
        }
        for child, parents in self.parent_map():
            for parent in parents:
                children.setdefault(parent, []).append(child)
        yield from children.items()
