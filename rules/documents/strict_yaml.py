"""YAML text -> plain values with places -> a checked model, and every fault on the way.

Scalars are those of YAML 1.2: `yes`, `off` and `09:00` are text. Anchors and aliases work, in
bounds; merge keys and tags are faults.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules.documents.misfit import misfit
from rules.documents.yaml_document import Document, Fault, Path, Place
from rules.documents.yaml_text import forbidden_at, shield, unshield
from rules.nearest import did_you_mean

LARGEST_TEXT = 1_000_000
_DEEPEST = 40
_MOST_VALUES = 100_000
_MOST_FAULTS = 100
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,18}\.[0-9]{0,18}|\.[0-9]{1,18})(?:[eE][-+]?[0-9]{1,2})?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})

M = TypeVar("M", bound=BaseModel)
Replace = Callable[[str], str]
"""Rewrites one text value; raises ValueError, in words, when it cannot."""


def read(
    text: str, model: type[M], file_name: str, *, replace: Replace | None = None
) -> tuple[M | None, list[Fault]]:
    """Read a document of a model; the value is None when there is any fault."""
    document, faults = parse(text, file_name, replace=replace)
    value, misfits = fit(document, model) if document else (None, [])
    fresh = new_faults(document, faults, misfits) if document else misfits
    return (None if faults else value), sorted(faults + fresh)


def new_faults(document: Document, faults: list[Fault], misfits: list[Fault]) -> list[Fault]:
    """Leave out what does not fit only because its `${NAME}` could not be replaced."""
    known = {(fault.line, fault.column) for fault in faults}
    hollow = known & {document.places[path] for path in document.written}
    return [fault for fault in misfits if (fault.line, fault.column) not in hollow]


def parse(
    text: str, file_name: str, *, replace: Replace | None = None
) -> tuple[Document | None, list[Fault]]:
    """Read text as one YAML document; None when it is not YAML at all.

    A document with faults is returned as far as it goes, so that a model can find more.
    """
    try:
        root = _compose(text)
        flat = _Flattener(replace)
        data = flat.value(root, (), 1) if root else {}
    except _RefusedError as refused:
        return None, [Fault(file_name, refused.place.line, refused.place.column, str(refused))]
    document = Document(
        file=file_name,
        data={} if data is None else data,
        places=flat.places,
        key_places=flat.key_places,
        written=flat.written,
    )
    return document, [Fault(file_name, *place, message) for place, message in flat.faults]


def fit(document: Document, model: type[M]) -> tuple[M | None, list[Fault]]:
    """Check a document against a model; returns the model's value, or what does not fit."""
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    faults = [_misfit(document, model, detail) for detail in details[:_MOST_FAULTS]]
    if (more := len(details) - _MOST_FAULTS) > 0:
        faults.append(Fault(document.file, 0, 0, f"and {more} more of these"))
    return None, sorted(set(faults))


# --- text -> nodes -------------------------------------------------------------------------


class _RefusedError(Exception):
    def __init__(self, message: str, place: Place) -> None:
        super().__init__(message)
        self.place = place


@dataclass(slots=True)
class _Node:
    place: Place
    depth: int
    text: str = ""
    plain: bool = False
    tag: str = ""
    items: list["_Node"] | None = None
    pairs: list[tuple["_Node", "_Node"]] | None = None
    key: "_Node | None" = None

    def add(self, child: "_Node") -> None:
        if self.items is not None:
            self.items.append(child)
        elif self.key is None:
            self.key = child
        else:
            assert self.pairs is not None
            self.pairs.append((self.key, child))
            self.key = None


def _compose(text: str) -> _Node | None:
    if len(text) > LARGEST_TEXT:
        raise _RefusedError("larger than 1 MB; split the file", Place(1, 1))
    if (at := forbidden_at(text)) is not None:
        line = text.count("\n", 0, at) + 1
        raise _RefusedError("a character that cannot stand in YAML", Place(line, 1))
    try:
        return _build(shield(text))
    except yaml.MarkedYAMLError as error:
        place = _place_of(error, text)
        raise _RefusedError(_syntax(error, text, place), place) from error
    except yaml.YAMLError as error:
        raise _RefusedError(f"not YAML: {error}".splitlines()[0], Place(1, 1)) from error


def _place_of(error: yaml.MarkedYAMLError, text: str) -> Place:
    mark = error.problem_mark or error.context_mark
    if mark and error.context_mark and mark.index >= len(text.rstrip()):
        # What was opened and never closed is found at its beginning, not at the end of the file.
        mark = error.context_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _syntax(error: yaml.MarkedYAMLError, text: str, place: Place) -> str:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if line[: len(line) - len(line.lstrip())].count("\t"):
        return "not YAML: indent with spaces, not with tabs"
    begun = error.context_mark.line + 1 if error.context_mark else place.line
    since = f" begun on line {begun}" if begun != place.line else ""
    context = f" ({error.context}{since})" if error.context else ""
    return unshield(f"not YAML: {error.problem}{context}")


def _build(text: str) -> _Node | None:
    root: _Node | None = None
    open_nodes: list[_Node] = []
    anchors: dict[str, _Node] = {}
    pending: dict[int, str] = {}
    for event in yaml.parse(text, Loader=_LOADER):
        place = _start(event)
        if isinstance(event, yaml.DocumentStartEvent) and root is not None:
            raise _RefusedError("a second document begins here; one file is one document", place)
        if isinstance(event, yaml.CollectionEndEvent):
            done = open_nodes.pop()
            if anchor := pending.pop(id(done), ""):
                anchors[anchor] = done
            continue
        node = _node(event, place, len(open_nodes) + 1, anchors)
        if node is None:
            continue
        if open_nodes:
            open_nodes[-1].add(node)
        root = root or node
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append(node)
            pending[id(node)] = event.anchor or ""
        elif isinstance(event, yaml.ScalarEvent) and event.anchor:
            anchors[event.anchor] = node
    return root


def _start(event: yaml.Event) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _node(event: yaml.Event, place: Place, depth: int, anchors: dict[str, _Node]) -> _Node | None:
    if depth > _DEEPEST:
        raise _RefusedError(f"nested deeper than {_DEEPEST} levels", place)
    match event:
        case yaml.AliasEvent():
            if event.anchor not in anchors:
                raise _RefusedError(f"no anchor `&{event.anchor}` before this alias", place)
            return anchors[event.anchor]
        case yaml.ScalarEvent():
            plain = event.style in {None, ""}
            return _Node(place, depth, text=unshield(event.value), plain=plain, tag=event.tag or "")
        case yaml.SequenceStartEvent():
            return _Node(place, depth, tag=event.tag or "", items=[])
        case yaml.MappingStartEvent():
            return _Node(place, depth, tag=event.tag or "", pairs=[])
        case _:
            return None


# --- nodes -> values -----------------------------------------------------------------------


class _Flattener:
    """Turns nodes into plain values, noting places and faults by path."""

    def __init__(self, replace: Replace | None) -> None:
        self._replace = replace
        self._values = 0
        self.places: dict[Path, Place] = {}
        self.key_places: dict[Path, Place] = {}
        self.written: dict[Path, str] = {}
        self.faults: list[tuple[Place, str]] = []

    def value(self, node: _Node, path: Path, depth: int) -> object:
        self._values += 1
        if self._values > _MOST_VALUES or depth > _DEEPEST:
            raise _RefusedError("aliases make this document too large", node.place)
        self.places[path] = node.place
        if node.tag not in {"", "!", "tag:yaml.org,2002:str"}:
            self.faults.append((node.place, "tags are not read here; leave the `!...` out"))
        if node.items is not None:
            return [self.value(n, (*path, i), depth + 1) for i, n in enumerate(node.items)]
        if node.pairs is not None:
            return dict(self._pairs(node.pairs, path, depth))
        return self._scalar(node, path)

    def _pairs(
        self, pairs: list[tuple[_Node, _Node]], path: Path, depth: int
    ) -> Iterator[tuple[str, object]]:
        first: dict[str, Place] = {}
        for key, child in pairs:
            name = key.text
            if key.items is not None or key.pairs is not None:
                self.faults.append((key.place, "a key must be a single word"))
            elif name == "<<" and key.plain:
                self.faults.append((key.place, "merge keys (`<<`) are not read; repeat the keys"))
            elif name in first:
                before = first[name].line
                self.faults.append((key.place, f"`{name}` is here twice; first on line {before}"))
            else:
                first[name] = self.key_places[*path, name] = key.place
                yield name, self.value(child, (*path, name), depth + 1)

    def _scalar(self, node: _Node, path: Path) -> object:
        if self._replace and "$" in node.text:
            try:
                replaced = self._replace(node.text)
            except ValueError as error:
                self.faults.append((node.place, str(error)))
                replaced = node.text
            self.written[path] = node.text
            return replaced
        is_text = not node.plain or node.tag
        return node.text if is_text else _resolved(node.text)


def _resolved(text: str) -> object:
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


# --- values -> model -----------------------------------------------------------------------


def _misfit(document: Document, model: type[BaseModel], detail: ErrorDetails) -> Fault:
    loc = detail["loc"]
    in_key = bool(loc) and loc[-1] == "[key]"
    path = document.existing(loc)
    if detail["type"] == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        hint = did_you_mean(str(path[-1]), known)
        return document.key_fault(path, f"unknown key `{path[-1]}`{hint}")
    label = next((f"`{part}`" for part in reversed(path) if isinstance(part, str)), "")
    if detail["type"] == "missing":
        where = f" in {label}" if label else ""
        return document.fault(path, f"`{loc[-1]}` is missing{where}")
    if in_key and path[-1:] == loc[-2:-1]:
        return document.key_fault(path, _words(detail, "this key", path[-1]))
    value = loc[-2] if in_key else document.value(path)
    shown = document.written.get(path, value)
    message = _words(detail, label or "the file", shown)
    return document.fault(path, document.without_replaced(path, message))


def _words(detail: ErrorDetails, label: str, value: object) -> str:
    facts = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return f"{label}: {facts['error']}"
    known = misfit(detail["type"], facts, value)
    return f"{label} {known}" if known else f"{label}: {detail['msg'][:200]}"


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """Return the keys the model takes at a path, following its annotations."""
    candidates: list[object] = [model]
    for part in path:
        inner = [kind for candidate in candidates for kind in _inside(candidate, part)]
        candidates = [kind for one in inner for kind in _unwrapped(one)]
    return [
        field.alias or name
        for kind in candidates
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items()
    ]


def _inside(kind: object, part: str | int) -> Iterator[object]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part == (field.alias or name):
                yield field.annotation
    elif get_origin(kind) in {list, tuple, dict}:
        # A list's or tuple's values, or a map's: always the last that is not the ellipsis.
        yield [arg for arg in get_args(kind) if arg is not Ellipsis][-1]


def _unwrapped(kind: object) -> Iterator[object]:
    if get_origin(kind) in {Annotated, Union, UnionType}:
        inner = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
        for one in inner:
            yield from _unwrapped(one)
    else:
        yield kind
