"""Writes docs/configuration.md from the models, so that it says what the bot reads.

`python -m bot.config_reference` writes the file; a test fails while it is stale.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import EnumType
from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo

import rules
from bot.config.settings import Config
from bot.sources.registry import KINDS
from rules.documents.category_spec import OutcomeSpec
from rules.documents.rulebook_spec import RoleSpec, RulebookSpec
from rules.documents.spec import in_a_row
from rules.documents.strict_yaml import read
from rules.documents.written import NEVER
from rules.durations import format_duration

_HEAD = """# Configuration

Everything stands in one file, `config.yaml`. It is strict: an unknown key is an error that names
its line and the nearest right key. `watchbill check` finds every fault before the bot runs.

- `${NAME}` reads the environment, and `${NAME:-default}` has a default; `$${` is a plain `${`.
- Secrets never stand in the file, except with `slack.mode: local`, where there is nothing to guard.
- Durations are `90s`, `5m`, `2h`, `3d`, or together: `1h30m`.
- `yes`, `on` and `09:00` are text, as in YAML 1.2. Merge keys (`<<`) and tags (`!x`) are not read.
- Relative paths are relative to the file.
- A rulebook document is a YAML file of its own with the keys marked *rulebook* below. Documents are
  read in order, and `config.yaml` last: policies, routes and maintenance windows merge by name,
  the matrix by cell, other maps by key; anything else is replaced. Routes that come later are
  tried first.
"""

_CATEGORIES = "The tables of `categories` are long and stand in `rules/packs/categories.yaml`."

_SHOWN = ("default.yaml", "matrix.yaml")

_TYPES: dict[object, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
    object: "anything",
    timedelta: "duration",
    time: "time of day",
    date: "day",
    datetime: "instant",
    SecretStr: "secret",
    type(None): "",
}


def reference() -> str:
    """Return the text of docs/configuration.md."""
    pack = _shipped()
    shipped, _ = read(pack, RulebookSpec, "default.yaml")
    assert shipped is not None, "the shipped rulebook is checked by its own test"
    parts = [_HEAD, _section("config.yaml", Config, shipped)]
    parts += [_section(title, model, None) for title, model in _models()]
    parts.append(_source_options())
    parts.append(f"## The shipped rulebook\n\n{_CATEGORIES}\n\n```yaml\n{pack.strip()}\n```\n")
    return "\n".join(parts)


def main() -> None:
    Path("docs/configuration.md").write_text(reference(), encoding="utf-8")


def _shipped() -> str:
    packs = Path(rules.__file__).parent / "packs"
    return "\n".join((packs / name).read_text(encoding="utf-8") for name in _SHOWN)


def _models() -> Iterator[tuple[str, type[BaseModel]]]:
    seen: set[type[BaseModel]] = set()
    waiting: list[tuple[str, type[BaseModel]]] = [("", Config)]
    while waiting:
        title, model = waiting.pop(0)
        if title:
            yield title, model
        for key, field in _fields(model):
            for inner in _models_in(field.annotation):
                if inner not in seen:
                    seen.add(inner)
                    waiting.append((f"{title}.{key}" if title else key, inner))


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    own = [name for name in model.model_fields if name not in RulebookSpec.model_fields]
    inherited = [name for name in model.model_fields if name not in own]
    for name in (*own, *inherited):
        field = model.model_fields[name]
        yield field.alias or name, field


def _models_in(kind: object) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _models_in(inner)


def _section(title: str, model: type[BaseModel], shipped: RulebookSpec | None) -> str:
    lines = [f"## {title}", "", "| key | type | default | meaning |", "|---|---|---|---|"]
    for key, field in _fields(model):
        ruled = shipped is not None and key in RulebookSpec.model_fields
        value = getattr(shipped, key) if ruled else None
        meaning = f"{field.description}{' *(rulebook)*' if ruled else ''}"
        kind = "text, list or map" if in_a_row in _readers(field) else _type(field.annotation)
        cells = (f"`{key}`", kind, _default(field, value), meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _readers(field: FieldInfo) -> list[object]:
    """Return what reads a field's value before it is checked."""
    return [one.func for one in field.metadata if isinstance(one, BeforeValidator)]


def _source_options() -> str:
    lines = ["## Options of sources", "", "| kind | option | meaning |", "|---|---|---|"]
    for kind in sorted(KINDS):
        for name, option in KINDS[kind].options.items():
            lines.append(f"| `{kind}` | `{name}` | {option.meaning} |")
    return "\n".join([*lines, ""])


def _default(field: FieldInfo, shipped: object) -> str:
    if shipped:
        scalar = _scalar(shipped)
        return f"`{scalar}`" if scalar else "[shipped](#the-shipped-rulebook)"
    if field.is_required():
        return "required"
    scalar = _scalar(field.get_default(call_default_factory=False))
    return f"`{scalar}`" if scalar else "–"


def _scalar(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return "never" if value == NEVER else format_duration(value)
        case time():
            return f"{value:%H:%M}"
        case str() | int() | float():
            return str(value)
        case tuple() if value and all(isinstance(item, str) for item in value):
            return ", ".join(value)
        case _:
            return ""


def _type(kind: object) -> str:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(args[0])
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(filter(None, map(_type, args))))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in args)
    if origin is tuple:
        return f"list of {_type(args[0])}"
    if origin is dict:
        return f"map of {_type(args[0])} to {_type(args[1])}"
    if isinstance(kind, EnumType):
        return ", ".join(f"`{member.value}`" for member in kind)  # type: ignore[var-annotated]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "text or map" if kind in {RoleSpec, OutcomeSpec} else "map"
    return _TYPES[kind]


if __name__ == "__main__":
    main()
