"""Reads a dbt manifest in one pass, keeping of each node only what the catalogue needs."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from bot.catalogue.dbt_asset import NodeError, asset_of, text_of
from bot.sources.dbt_artifacts import ArtifactError, members_of_members, tested_node
from bot.sources.text import line
from rules.catalogue import Asset
from rules.products.ownership import inherit_owners

Progress = Callable[[int, int], None]
"""Called with the bytes read so far, and how many there are."""

_TESTS = frozenset({"test", "unit_test"})
_NO_ASSETS = frozenset({"operation", "sql_operation", "analysis"})
_SECTIONS = frozenset(
    {"nodes", "sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests"}
    | {"functions"}
)
_EVERY = 500
_LONGEST_ID = 500
_MOST_PROBLEMS = 20


class ManifestError(ValueError):
    """The file is no manifest that can be read; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest says of the assets, with owners already inherited.

    `children` maps an asset to those that read it, `tests` a test to the asset it checks.
    `generated_at` is as dbt wrote it; `problems` are values that were left out, in words.
    """

    assets: tuple[Asset, ...]
    children: Mapping[str, tuple[str, ...]]
    tests: Mapping[str, str]
    project: str = ""
    generated_at: str = ""
    problems: tuple[str, ...] = ()


def read_manifest(path: Path, on_progress: Progress | None = None) -> Manifest:
    """Read a manifest.json of any size in little memory; raises ManifestError."""
    try:
        with path.open(encoding="utf-8") as file:
            return _read(file, path, on_progress)
    except ArtifactError as error:
        raise ManifestError(str(error)) from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path.name} is not UTF-8 text; write it again.") from error
    except RecursionError as error:
        raise ManifestError(f"{path.name} is nested too deeply to be a manifest.") from error
    except MemoryError as error:
        raise ManifestError(f"{path.name} has a value too large to read.") from error
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be read: {error.strerror or error}.") from error


def _read(file: TextIO, path: Path, on_progress: Progress | None) -> Manifest:
    found, total = _Collector(), path.stat().st_size
    for at, (section, name, value) in enumerate(members_of_members(file, path.name)):
        found.take(section, name, value)
        if on_progress and at % _EVERY == 0:
            on_progress(file.buffer.tell(), total)
    if not found.is_manifest:
        raise ManifestError(
            f"{path.name} is not a dbt manifest: it has no `metadata.dbt_schema_version` of one. "
            "Give target/manifest.json, which `dbt parse` writes."
        )
    if on_progress:
        on_progress(total, total)
    return found.manifest()


class _Collector:
    """Takes the members of a manifest in any order of sections."""

    def __init__(self) -> None:
        self.is_manifest = False
        self._facts: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        self._groups: dict[str, Mapping[str, object]] = {}
        self._group_of: dict[str, str] = {}
        self._parents: dict[str, list[str]] = {}
        self._tests: dict[str, str] = {}
        self._problems: list[str] = []

    def take(self, section: str, name: str, value: object) -> None:
        if section == "metadata":
            if isinstance(value, str):
                self._facts[name] = value[:200]
            version = self._facts.get("dbt_schema_version", "")
            self.is_manifest = "/manifest/" in version
        elif section == "parent_map":
            self._parents[name] = self._ids(name, value, "parent_map")
        elif section == "groups":
            if isinstance(value, dict):
                self._groups[text_of(value.get("name"))] = value
            else:
                self._problem(f"groups.{line(name, 80)} is not an object")
        elif section in _SECTIONS:
            self._node(section, name, value)

    def _node(self, section: str, name: str, value: object) -> None:
        if not isinstance(value, dict) or not _is_id(name):
            self._problem(f"{section}.{line(name, 80)} is not a node")
            return
        kind = text_of(value.get("resource_type")) or name.partition(".")[0]
        depends = value.get("depends_on")
        parents = depends.get("nodes") if isinstance(depends, dict) else []
        self._parents.setdefault(name, self._ids(name, parents or [], "depends_on.nodes"))
        if kind in _TESTS:
            tested = [text_of(tested_node(value)), *self._parents[name]]
            self._tests[name] = next((one for one in tested if one), "")
        elif kind not in _NO_ASSETS:
            try:
                self._assets[name] = asset_of(name, kind, value)
            except NodeError as error:
                self._problem(f"{name}: {error}")
                self._assets[name] = Asset(id=name, name=name.rpartition(".")[2], kind=kind)
            config = value.get("config")
            own = config.get("group") if isinstance(config, dict) else None
            if group := text_of(value.get("group")) or text_of(own):
                self._group_of[name] = group

    def manifest(self) -> Manifest:
        children: dict[str, list[str]] = {}
        for child, parents in self._parents.items():
            if child in self._assets:
                for parent in parents:
                    children.setdefault(parent, []).append(child)
        counts = Counter(self._tests.values())
        assets = [self._with_group(one, counts[one.id]) for one in self._assets.values()]
        return Manifest(
            assets=inherit_owners(assets, children),
            children={node: tuple(found) for node, found in children.items()},
            tests={test: node for test, node in self._tests.items() if node in self._assets},
            project=self._facts.get("project_name", ""),
            generated_at=self._facts.get("generated_at", ""),
            problems=tuple(self._problems),
        )

    def _with_group(self, asset: Asset, tests: int) -> Asset:
        name = self._group_of.get(asset.id, "")
        group = self._groups.get(name, {})
        owner, config = group.get("owner"), group.get("config")
        contact = owner if isinstance(owner, dict) else {}
        given = config.get("meta") if isinstance(config, dict) else None
        meta = given if isinstance(given, dict) else {}
        if not name and not tests:
            return asset
        own_name = text_of(contact.get("email")) or text_of(contact.get("name"))
        channel = text_of(meta.get("channel")) or text_of(contact.get("slack"))
        return replace(
            asset,
            tests=tests,
            owner=asset.owner or own_name,
            team=asset.team or name,
            channel=asset.channel or channel.lstrip("#"),
            rotation=asset.rotation or text_of(meta.get("oncall")),
        )

    def _ids(self, name: str, value: object, where: str) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._problem(f"{line(name, 80)}: `{where}` is not a list of ids")
            return []
        return [one for one in value if _is_id(one)]

    def _problem(self, words: str) -> None:
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(words)


def _is_id(written: str) -> bool:
    return 0 < len(written) <= _LONGEST_ID and written.isprintable()
