"""Makes hostile input of real samples: in the tree of a JSON body, and in the bytes of anything."""

import json
import random
from collections.abc import Callable, Sequence

from tests.fuzz.hostile import HOSTILE_BYTES, HOSTILE_JSON, HOSTILE_TEXTS

LARGEST = 200_000
"""Bytes of one input; larger ones only cost time."""


class Written(str):
    """A value of JSON as it stands in the body, well made or not."""

    __slots__ = ()


class _Object(list[tuple[str, object]]):
    """The members of an object in their order; names may come twice."""


def mutate(data: bytes, rng: random.Random, edits: int, others: Sequence[bytes] = ()) -> bytes:
    """Return `data` after some edits; the same arguments give the same bytes.

    JSON is mostly edited as a tree, so that it stays readable and the fault lies deeper.
    """
    tree = _tree(data)
    if tree is not None and rng.random() < 0.85:
        for _ in range(edits):
            tree = _edited(tree, rng)
        data = _bytes(_text(tree))
        edits = 1 if rng.random() < 0.1 else 0
    for _ in range(edits):
        data = rng.choice(_CUTS)(data[:LARGEST], rng, others)
    return data[:LARGEST]


def _tree(data: bytes) -> object | None:
    try:
        return _node(json.loads(data, object_pairs_hook=_Object))
    except (ValueError, RecursionError):
        return None


def _node(value: object) -> object:
    if isinstance(value, _Object):
        return _Object((name, _node(one)) for name, one in value)
    if isinstance(value, list):
        return [_node(one) for one in value]
    return Written(json.dumps(value))


def _text(node: object) -> str:
    if isinstance(node, _Object):
        return "{" + ",".join(f"{json.dumps(n)}:{_text(one)}" for n, one in node) + "}"
    if isinstance(node, list):
        return "[" + ",".join(map(_text, node)) + "]"
    return str(node)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _edited(tree: object, rng: random.Random) -> object:
    holders = list(_holders(tree))
    if not holders:
        return _hostile(rng)
    holder = rng.choice(holders)
    at = rng.randrange(len(holder))
    rng.choice(_EDITS)(holder, at, rng)
    return tree


def _holders(node: object) -> Sequence[list[object]]:
    """Return every list and object that holds something."""
    found: list[list[object]] = []
    level = [node]
    while level:
        one = level.pop()
        if not isinstance(one, list) or not one:
            continue
        found.append(one)
        level += [pair[1] for pair in one] if isinstance(one, _Object) else one
    return found


def _hostile(rng: random.Random) -> Written:
    if rng.random() < 0.5:
        return Written(rng.choice(HOSTILE_JSON))
    return Written(json.dumps(rng.choice(HOSTILE_TEXTS)))


def _replace(holder: list[object], at: int, rng: random.Random) -> None:
    _put(holder, at, _hostile(rng))


def _drop(holder: list[object], at: int, _rng: random.Random) -> None:
    del holder[at]


def _twice(holder: list[object], at: int, rng: random.Random) -> None:
    """Name one thing twice, with another value."""
    before = holder[at]
    holder.insert(rng.randrange(len(holder) + 1), before)
    _put(holder, at, _hostile(rng))


def _wrap(holder: list[object], at: int, rng: random.Random) -> None:
    inner = _value(holder, at)
    for _ in range(rng.choice((1, 1, 2, 30, 70))):
        inner = [inner] if rng.random() < 0.5 else _Object([("a", inner)])
    _put(holder, at, inner)


def _rename(holder: list[object], at: int, rng: random.Random) -> None:
    name, inner = rng.choice(HOSTILE_TEXTS), _value(holder, at)
    if isinstance(holder[at], tuple):
        holder[at] = (name, inner)
    else:
        _put(holder, at, _Object([(name, inner)]))


def _swap(holder: list[object], at: int, rng: random.Random) -> None:
    other = rng.randrange(len(holder))
    one, two = _value(holder, at), _value(holder, other)
    _put(holder, at, two)
    _put(holder, other, one)


def _many(holder: list[object], at: int, rng: random.Random) -> None:
    inner = _text(_value(holder, at))
    if len(inner) < 2_000:
        _put(holder, at, Written("[" + ",".join([inner] * rng.choice((2, 65, 1_100))) + "]"))


def _scribble(holder: list[object], at: int, rng: random.Random) -> None:
    """Put something hostile into a text that stays otherwise what it was."""
    written = _value(holder, at)
    text = json.loads(written) if isinstance(written, Written) and written[:1] == '"' else ""
    if isinstance(text, str):
        cut = rng.randrange(len(text) + 1)
        _put(holder, at, Written(json.dumps(text[:cut] + rng.choice(HOSTILE_TEXTS) + text[cut:])))


def _value(holder: list[object], at: int) -> object:
    one = holder[at]
    return one[1] if isinstance(holder, _Object) and isinstance(one, tuple) else one


def _put(holder: list[object], at: int, value: object) -> None:
    one = holder[at]
    named = isinstance(holder, _Object) and isinstance(one, tuple)
    holder[at] = (one[0], value) if named and isinstance(one, tuple) else value


_EDITS: Sequence[Callable[[list[object], int, random.Random], None]] = (
    *(_replace, _replace, _replace, _scribble, _scribble),
    *(_drop, _drop, _twice, _wrap, _rename, _swap, _many),
)


def _insert(data: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    at = rng.randrange(len(data) + 1)
    new = rng.choice(HOSTILE_BYTES)
    if rng.random() < 0.3:
        new = rng.choice(HOSTILE_TEXTS).encode("utf-8", "surrogatepass")
    return data[:at] + new + data[at:]


def _overwrite(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """Put something hostile in the place of one word."""
    at = rng.randrange(len(data) + 1)
    end = min(len(data), at + rng.randrange(1, 12))
    return _insert(data[:at], random.Random(rng.random()), others) + data[end:]


def _remove(data: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 2, 8, 60)) :]


def _cut(data: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _flip(data: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _line(data: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    """Repeat, move or indent a line."""
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    one = rng.choice(lines)
    new = rng.choice(
        (one, b" " * rng.randrange(9) + one.lstrip(), one[:2_000] * rng.choice((2, 300)))
    )
    lines.insert(rng.randrange(len(lines) + 1), new)
    return b"".join(lines)


def _without_line(data: bytes, rng: random.Random, _others: Sequence[bytes]) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def _splice(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others) if others else data
    at, of = rng.randrange(len(data) + 1), rng.randrange(len(other) + 1)
    return data[:at] + other[of : of + rng.choice((8, 80, 800))] + data[at:]


_CUTS: Sequence[Callable[[bytes, random.Random, Sequence[bytes]], bytes]] = (
    *(_insert, _insert, _overwrite, _overwrite, _remove, _cut, _flip),
    *(_line, _without_line, _splice),
)
