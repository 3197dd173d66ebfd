"""Checks requests and answers against the discovery documents that Google's client carries."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from googleapiclient.discovery_cache import get_static_doc

from bot.local_google.errors import BreachError
from bot.local_google.field_mask import Mask, masked, read_mask

Json = dict[str, Any]
_VARIABLE = re.compile(r"\{\+?(\w+)\}")
_INT64 = re.compile(r"-?\d{1,19}")
_KINDS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}
_QUERY_KINDS: Mapping[str, Callable[[str], bool]] = {
    "string": lambda _: True,
    "boolean": lambda text: text in {"true", "false"},
    "integer": lambda text: _INT64.fullmatch(text) is not None,
    "number": lambda text: re.fullmatch(r"-?\d+(\.\d+)?", text) is not None,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request, understood: `method` is its description, `path` what its address holds."""

    service: "Service"
    method: Json
    path: Mapping[str, str]

    @property
    def id(self) -> str:
        return str(self.method["id"])

    def check_request(self, query: Mapping[str, Sequence[str]], body: object) -> None:
        """Raise BreachError for a parameter or a field that the description does not know."""
        faults = list(self._query_faults(query))
        if "request" in self.method:
            faults += self.service.faults(self.method["request"]["$ref"], body, "body")
        elif body is not None:
            faults.append("this method takes no body")
        if faults:
            raise BreachError(f"{self.id}: {'; '.join(faults)}")

    def check_answer(self, answer: Json) -> None:
        """Raise BreachError when our own answer is none that Google could give."""
        if faults := list(self.service.faults(self._answers, answer, "answer")):
            raise BreachError(f"{self.id}: {'; '.join(faults)}", 500)

    def mask(self, fields: str) -> Mask:
        """Read a field mask and check it. Raises BreachError."""
        mask = read_mask(fields)
        if unknown := list(self.service.unknown_fields(self._answers, mask)):
            raise BreachError(f"Invalid field selection {', '.join(unknown)}")
        return mask

    def cut(self, answer: Json, fields: str) -> Json:
        found: Json = masked(answer, self.mask(fields))
        return found

    @property
    def _answers(self) -> str:
        return str(self.method["response"]["$ref"])

    def _query_faults(self, query: Mapping[str, Sequence[str]]) -> Iterator[str]:
        known = {**self.service.parameters, **self.method.get("parameters", {})}
        for name, values in query.items():
            spec = known.get(name)
            if spec is None or spec.get("location") == "path":
                yield f"unknown parameter {name}"
                continue
            if len(values) > 1 and not spec.get("repeated"):
                yield f"parameter {name} comes {len(values)} times"
            for value in values:
                yield from _parameter_faults(name, spec, value)
        for name, spec in self.method.get("parameters", {}).items():
            if spec.get("required") and spec["location"] == "query" and name not in query:
                yield f"parameter {name} is missing"


class Service:
    """One of Google's services, as its discovery document describes it."""

    def __init__(self, name: str, version: str) -> None:
        text = get_static_doc(name, version)
        if text is None:
            raise LookupError(f"the client carries no description of {name} {version}")
        document: Json = json.loads(text)
        self.name = name
        self.parameters: Json = document["parameters"]
        self._schemas: Json = document["schemas"]
        base = "/" + document["servicePath"]
        self._routes = sorted(
            ((_template(base + _path(method)), method) for method in _methods(document)),
            key=lambda route: -len(_VARIABLE.sub("", _path(route[1]))),
        )

    def find(self, verb: str, path: str) -> Call | None:
        """Return the call, None when the path is not of this service. Raises BreachError."""
        verbs = set()
        for pattern, method in self._routes:
            if match := pattern.fullmatch(path):
                if method["httpMethod"] == verb:
                    found = {name: unquote(value) for name, value in match.groupdict().items()}
                    return Call(self, method, found)
                verbs.add(method["httpMethod"])
        if verbs:
            raise BreachError(f"{path} takes {' or '.join(sorted(verbs))}, not {verb}", 405)
        return None

    def faults(self, schema: str, value: object, where: str) -> Iterator[str]:
        """Yield what of `value` does not fit the schema of that name."""
        return self._misfits(self._schemas[schema], value, where)

    def unknown_fields(self, schema: str, mask: Mask, where: str = "") -> Iterator[str]:
        spec: Json = {"$ref": schema}
        return self._unknown(spec, mask, where)

    def _unknown(self, spec: Json, mask: Mask, where: str) -> Iterator[str]:
        while "$ref" in spec or spec.get("type") == "array":
            spec = self._schemas[spec["$ref"]] if "$ref" in spec else spec["items"]
        known = spec.get("properties")
        for name, inner in mask.items():
            if name == "*" or known is None:
                continue
            if name not in known:
                yield f"{where}{name}"
            elif inner:
                yield from self._unknown(known[name], inner, f"{where}{name}/")

    def _misfits(self, spec: Json, value: object, where: str) -> Iterator[str]:
        if "$ref" in spec:
            spec = self._schemas[spec["$ref"]]
        match spec.get("type", "any"):
            case "any":
                return
            case "object":
                yield from self._object_misfits(spec, value, where)
            case "array":
                if not isinstance(value, list):
                    yield f"{where} must be a list"
                    return
                for at, item in enumerate(value):
                    yield from self._misfits(spec["items"], item, f"{where}[{at}]")
            case kind:
                if not _fits(str(kind), spec, value):
                    yield f"{where} must be of type {spec.get('format') or kind}, not {value!r}"

    def _object_misfits(self, spec: Json, value: object, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} must be an object"
            return
        known, others = spec.get("properties", {}), spec.get("additionalProperties")
        for name, inner in value.items():
            of = known.get(name, others)
            if of is None:
                yield f"unknown field {where}.{name}"
            else:
                yield from self._misfits(of, inner, f"{where}.{name}")


@cache
def service(name: str, version: str) -> Service:
    return Service(name, version)


def _fits(kind: str, spec: Json, value: object) -> bool:
    if spec.get("format") in {"int64", "uint64"} and kind == "string":
        return isinstance(value, str) and _INT64.fullmatch(value) is not None
    return _KINDS[kind](value) and ("enum" not in spec or value in spec["enum"])


def _parameter_faults(name: str, spec: Json, value: str) -> Iterator[str]:
    if not _QUERY_KINDS[spec.get("type", "string")](value):
        yield f"parameter {name} must be of type {spec['type']}, not {value!r}"
    if "enum" in spec and value not in spec["enum"]:
        yield f"parameter {name} cannot be {value!r}"


def _methods(resource: Json) -> Iterator[Json]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def _path(method: Json) -> str:
    """Return its address: the flat one, for a variable of the other may hold slashes."""
    return str(method.get("flatPath", method["path"]))


def _template(path: str) -> re.Pattern[str]:
    """Make a pattern of an address with variables; a variable holds no slash."""
    pieces = _VARIABLE.split(path)
    return re.compile(
        "".join(
            f"(?P<{piece}>[^/]+)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
        )
    )
