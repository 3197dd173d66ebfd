"""Joins dbt's artefacts into one small document; standard library only, Python 3.9 and later.

It is copied into dbt jobs beside integrations/dbt/watchbill_dbt.py, so it imports nothing of
the bot. A manifest may have hundreds of megabytes: it is read in pieces, one node at a time,
and only the fields of the nodes that are needed stay in memory.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast

MESSAGES = ((100, 4_000), (1_000, 1_000))
"""So many bad results may have messages so long; of more than that each keeps 200 characters."""
PASSED = frozenset({"pass", "success"})
FAILED = frozenset({"fail", "error", "runtime error", "partial success"})
RUNS_NOTHING = frozenset({"clone", "compile", "generate", "list", "parse", "show"})
"""Commands that call everything they name a success; `generate` is `dbt docs generate`."""
ALERTS_A_PART = 1_000
BYTES_A_PART = 900_000
"""Watchbill reads at most a thousand alerts from one body, and takes a megabyte at most."""
CHUNK = 1 << 20
SKIPPED_PARENTS = 200
PAIR = 2
ASKED = ("event_time_start", "event_time_end")

Json = Any
Document = dict[str, Json]

_KEPT = (
    "name", "resource_type", "package_name", "original_file_path",
    "schema", "database", "relation_name",
)  # fmt: skip
_KEPT_OF_MODELS = (
    "name", "resource_type", "schema", "relation_name",
    "group", "tags", "meta", "config", "source_name",
)  # fmt: skip
_KEPT_OF_RESULTS = (
    "failures", "execution_time", "relation_name", "max_loaded_at",
    "max_loaded_at_time_ago_in_s", "snapshotted_at", "criteria",
)  # fmt: skip
_SPACE = re.compile(r"[ \t\r\n]*")
_CALLED = re.compile(r"\b(?:source|ref)\(([^()]*)\)")
_QUOTED = re.compile(r"['\"]([^'\"]+)['\"]")


class ArtifactError(Exception):
    """A file is not what it should be; the text says which one and what to do."""


def documents(artifact: Path, manifest: Path | None = None, target: str = "") -> Iterator[Document]:
    """Yield the documents to send for one run_results.json or sources.json, failures first.

    `manifest` is manifest.json beside the artefact when not given; without one, names and owners
    are missing. `target` names the dbt target when the command line did not. More than a
    thousand results become several documents. Raises ArtifactError and OSError.
    """
    found = load(artifact)
    if (command := (found.get("args") or {}).get("which")) in RUNS_NOTHING:
        raise ArtifactError(
            f"{artifact.name} is of `{command}`, which runs nothing: send what `dbt build` wrote "
            "before the next command overwrites it."
        )
    if manifest is None:
        beside = artifact.with_name("manifest.json")
        manifest = beside if beside.exists() else None
    results = cast("list[Document]", found["results"])
    facts = Facts(results)
    if manifest is not None:
        facts.read(manifest)
    head = _head(found, artifact, facts, target)
    # Skipped nodes are counted onto what made them so: failures and skips travel together.
    ordered = sorted(results, key=_rank)
    bad = sum(1 for one in results if _rank(one) == 0)
    longest = next((length for count, length in MESSAGES if bad <= count), 200)
    rows = (_row(one, facts, longest) for one in ordered)
    for number, part in enumerate(_parts(rows), start=1):
        yield {**head, "part": number, "results": part}


def _rank(result: Document) -> int:
    status = str(result.get("status")).lower()
    return 2 if status in PASSED else 1 if status == "skipped" else 0


def _parts(rows: Iterable[Document]) -> Iterator[list[Document]]:
    part: list[Document] = []
    alerts = size = 0
    for row in rows:
        length = len(json.dumps(row))
        alert = row["status"] != "skipped"
        if part and (alerts + alert > ALERTS_A_PART or size + length > BYTES_A_PART):
            yield part
            part, alerts, size = [], 0, 0
        part.append(row)
        alerts += alert
        size += length
    yield part


def encode(document: Document) -> bytes:
    """Return the bytes to send; equal documents give equal bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def delivery_id(document: Document) -> str:
    """Return the same id for the same part of the same run, whoever sends it."""
    return hashlib.sha256(encode(document)).hexdigest()[:32]


def load(artifact: Path) -> Document:
    """Return a run_results.json or sources.json; raises ArtifactError for anything else."""
    try:
        found = json.loads(artifact.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ArtifactError(
            f"{artifact.name} is not JSON ({error}); did the dbt command end?"
        ) from error
    good = isinstance(found, dict) and isinstance(found.get("metadata"), dict)
    results = found.get("results") if good else None
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        raise ArtifactError(
            f"{artifact.name} has no results; send run_results.json or sources.json."
        )
    return cast("Document", found)


def _head(found: Document, artifact: Path, facts: Facts, target: str) -> Document:
    metadata, args = found["metadata"], found.get("args") or {}
    freshness = "sources" in str(metadata.get("dbt_schema_version")) or "sources" in artifact.name
    wanted = ("dbt_version", "generated_at", "invocation_id", "invocation_started_at", "env")
    return {
        "watchbill": 1,
        "artifact": "sources" if freshness else "run_results",
        "project": facts.project,
        "adapter": facts.adapter,
        "target": target or args.get("target") or "",
        "command": args.get("which") or ("freshness" if freshness else ""),
        "failed": any(str(one.get("status")).lower() in FAILED for one in found["results"]),
        "metadata": {name: metadata.get(name) for name in wanted},
        **({} if metadata.get("invocation_started_at") else _took(found)),
        **({"args": asked} if (asked := extent(args)) else {}),
    }


def _took(found: Document) -> Document:
    """Return how long the command took, from which older versions of dbt let tell when it began."""
    took = found.get("elapsed_time")
    return {"elapsed_time": took} if isinstance(took, (int, float)) else {}


def extent(args: Document) -> Document:
    """Return how much the command was asked to load: a full refresh, or a stretch of event time.

    The command line itself is not sent: it may hold secrets in `--vars`.
    """
    found = {name: str(args[name])[:40] for name in ASKED if args.get(name)}
    words = str(args.get("invocation_command") or "").split()
    for name in ASKED:
        flag = "--" + name.replace("_", "-")
        for number, word in enumerate(words):
            following = words[number + 1] if number + 1 < len(words) else ""
            value = following if word == flag else word.partition(flag + "=")[2]
            if value and name not in found:
                found[name] = value.strip("'\"")[:40]
    whole = args.get("full_refresh")
    if whole is None:
        whole = any(word in ("--full-refresh", "-f") for word in words)
    return {**found, "full_refresh": True} if whole is True else found


def batches(result: Document) -> Document:
    """Return what a microbatch model loaded and failed to load: the first start and last end."""
    told = result.get("batch_results")
    found = {}
    for name in ("successful", "failed"):
        parts = told.get(name) if isinstance(told, dict) else None
        ends = [one for one in parts or [] if isinstance(one, list) and len(one) == PAIR]
        if ends:
            found[name] = [[min(str(one[0]) for one in ends), max(str(one[1]) for one in ends)]]
    return {"batch_results": found} if found else {}


def _row(result: Document, facts: Facts, longest: int) -> Document:
    row = {"unique_id": result.get("unique_id"), "status": result.get("status")}
    node = facts.nodes.get(str(row["unique_id"]))
    ended = [one.get("completed_at") for one in result.get("timing") or [] if isinstance(one, dict)]
    row["completed_at"] = next((one for one in reversed(ended) if one), None)
    row.update(batches(result))
    if str(row["status"]).lower() in PASSED:
        told = ("name", "full_refresh")
        row["node"] = {name: node[name] for name in told if name in node} if node else None
        return row
    if row["status"] == "skipped":
        kept = ("name", "resource_type", "depends_on")
        row["node"] = {name: node[name] for name in kept if name in node} if node else None
        return row
    row["node"] = node
    for name in _KEPT_OF_RESULTS:
        row[name] = result.get(name)
    message = result.get("message") or result.get("error")
    row["message"] = str(message)[:longest] if message is not None else None
    return {name: found for name, found in row.items() if found is not None}


class Facts:
    """What the manifest knows of the nodes in the results."""

    def __init__(self, results: list[Document]) -> None:
        self.wanted = {str(one.get("unique_id")) for one in results}
        self.nodes: dict[str, Document] = {}
        self.project = ""
        self.adapter = ""
        self._models: dict[str, Document] = {}
        self._owners: dict[str, Document] = {}

    def read(self, manifest: Path) -> None:
        """Read a manifest.json in pieces; raises ArtifactError when it is not one."""
        seen = False
        with manifest.open(encoding="utf-8") as file:
            for section, name, value in members_of_members(file, manifest.name):
                seen = True
                self._take(section, name, value)
        if not seen:
            raise ArtifactError(f"{manifest.name} is empty; run `dbt parse` to write it.")
        for node in self.nodes.values():
            self._join(node)

    def _join(self, node: Document) -> None:
        if node.get("resource_type") in ("test", "unit_test"):
            tested = [node.get("attached_node"), *node.get("depends_on", [])]
            found = (self._models[one] for one in tested if one in self._models)
            node["attached"] = next(found, {})
        group = node.get("group") or node.get("attached", {}).get("group")
        owner = node.get("owner") or self._owners.get(str(group))
        if owner:
            node["owner"] = owner

    def _take(self, section: str, name: str, value: Json) -> None:
        if section == "metadata" and name in ("project_name", "adapter_type"):
            setattr(self, "project" if name == "project_name" else "adapter", str(value or ""))
        if not isinstance(value, dict):
            return
        if section == "groups":
            self._owners[str(value.get("name"))] = _owner(value.get("owner"))
        elif section in ("nodes", "sources", "exposures", "unit_tests", "saved_queries"):
            if name in self.wanted:
                self.nodes[name] = _node(value)
            if value.get("resource_type") in ("model", "seed", "snapshot", "source"):
                self._models[name] = _node({one: value.get(one) for one in _KEPT_OF_MODELS})


def _node(value: Document) -> Document:
    config = value["config"] if isinstance(value.get("config"), dict) else {}
    node: Document = {name: value.get(name) for name in _KEPT}
    node["column"] = value.get("column_name")
    node["attached_node"] = tested_node(value)
    node["test"] = _test(value.get("test_metadata"))
    node["severity"] = config.get("severity")
    node["materialized"] = config.get("materialized")
    node["full_refresh"] = config.get("full_refresh")
    node["group"] = value.get("group") or config.get("group")
    node["tags"] = value.get("tags") or config.get("tags") or []
    node["meta"] = _plain({**(value.get("meta") or {}), **(config.get("meta") or {})})
    node["owner"] = _owner(value.get("owner"))
    node["source_name"] = value.get("source_name")
    node["model"] = value.get("model")
    depends_on = value.get("depends_on")
    if isinstance(depends_on, dict):
        node["depends_on"] = (depends_on.get("nodes") or [])[:SKIPPED_PARENTS]
    return {name: found for name, found in node.items() if found not in (None, "", [], {})}


def tested_node(test: Document) -> str | None:
    """Return the id of what a test checks; on a source, dbt says so only in the test's words.

    A test that compares two tables depends on the other one as well, and names that one first.
    """
    attached = test.get("attached_node")
    if isinstance(attached, str) and attached:
        return attached
    metadata, depends_on = test.get("test_metadata"), test.get("depends_on")
    kwargs = metadata.get("kwargs") if isinstance(metadata, dict) else None
    written = kwargs.get("model") if isinstance(kwargs, dict) else None
    parents = depends_on.get("nodes") if isinstance(depends_on, dict) else None
    called = _CALLED.search(str(written)[:500])
    if called is None or not isinstance(parents, list):
        return None
    end = "." + ".".join(_QUOTED.findall(called.group(1)))
    return next((one for one in parents if isinstance(one, str) and one.endswith(end)), None)


def _test(metadata: Json) -> Document:
    if not isinstance(metadata, dict):
        return {}
    return {"name": metadata.get("name"), "namespace": metadata.get("namespace")}


def _owner(owner: Json) -> Document:
    return _plain(owner) if isinstance(owner, dict) else {}


def _plain(pairs: Document) -> Document:
    """Return texts and numbers; of a list, like several owners, its texts as one."""
    told = {str(name): _joined(value) for name, value in pairs.items()}
    return {
        name: value[:500] if isinstance(value, str) else value
        for name, value in told.items()
        if isinstance(value, (int, float, bool)) or (isinstance(value, str) and value)
    }


def _joined(value: Json) -> Json:
    if not isinstance(value, list):
        return value
    return ", ".join(one for one in value[:50] if isinstance(one, str))


def members_of_members(file: TextIO, name: str) -> Iterator[tuple[str, str, Json]]:
    """Yield `(section, key, value)` of a JSON object of objects, holding one value at a time."""
    pieces = _Pieces(file, name)
    pieces.expect("{")
    for section in pieces.names():
        if pieces.peek() != "{":
            pieces.value()
            continue
        pieces.expect("{")
        for key in pieces.names():
            yield section, key, pieces.value()


class _Pieces:
    """A cursor over JSON text that reads on when a value does not end in what is read so far."""

    _decoder = json.JSONDecoder()

    def __init__(self, file: TextIO, name: str) -> None:
        self._file = file
        self._name = name
        self._text = ""
        self._at = 0

    def _more(self) -> bool:
        piece = self._file.read(max(CHUNK, len(self._text) - self._at))
        self._text = self._text[self._at :] + piece
        self._at = 0
        return bool(piece)

    def peek(self) -> str:
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, sign: str) -> None:
        if self.peek() != sign:
            raise ArtifactError(f"{self._name} is not a whole JSON object; write it again.")
        self._at += 1

    def names(self) -> Iterator[str]:
        """Yield the names in the object whose "{" was read; the caller reads each value."""
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value()
            self.expect(":")
            yield str(key)
            if self.peek() != ",":
                self.expect("}")
                return
            self._at += 1

    def value(self) -> Json:
        self.peek()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except ValueError as error:
                if self._more():
                    continue
                raise ArtifactError(
                    f"{self._name} is not JSON or was cut off; write it again."
                ) from error
            # A number may go on in the next piece.
            if end < len(self._text) or not self._more():
                self._at = end
                return found
