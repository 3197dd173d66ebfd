"""Finds which failure made dbt skip which nodes."""

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bot.sources.json_body import JsonValue

Node = Mapping[str, JsonValue]
Result = tuple[str, str, Node]
"""Resource type, status, and the node as the manifest knows it."""


@dataclass(frozen=True, slots=True)
class Blame:
    """The names of nodes that were skipped because of one failure; tests are not counted."""

    names: tuple[str, ...] = ()


def blame(
    results: Mapping[str, Result], tests: Collection[str], broken: Collection[str]
) -> dict[str, Blame]:
    """Return for each failed result what it made dbt skip.

    A skipped node counts onto the nearest failures above it: a failed node, or the failed tests
    of a node, all of which hold back what is below. Without parents in the body nothing is
    blamed. Takes time in proportion to nodes and edges.
    """
    blockers: dict[str, list[str]] = defaultdict(list)
    children: dict[str, list[str]] = defaultdict(list)
    for unique_id, (kind, status, node) in results.items():
        if status in broken and status != "warn":
            for place in _places(unique_id, kind in tests, node):
                blockers[place].append(unique_id)
        if status == "skipped" and kind not in tests:
            for parent in _texts(node.get("depends_on")):
                children[parent].append(unique_id)
    counted: dict[str, list[str]] = defaultdict(list)
    for unique_id, place in _nearest(blockers, children).items():
        for blocker in blockers[place]:
            counted[blocker].append(_name(unique_id, results[unique_id][2]))
    return {unique_id: Blame(tuple(names)) for unique_id, names in counted.items()}


def _places(unique_id: str, is_test: bool, node: Node) -> Iterable[str]:  # noqa: FBT001
    if not is_test:
        return (unique_id,)
    attached = node.get("attached_node")
    return (attached,) if isinstance(attached, str) else _texts(node.get("depends_on"))


def _nearest(starts: Iterable[str], children: Mapping[str, list[str]]) -> dict[str, str]:
    """Return for each node below one of `starts` the start that is fewest steps away."""
    found: dict[str, str] = {}
    queue = deque((start, start) for start in starts)
    while queue:
        place, start = queue.popleft()
        for child in children.get(place, ()):
            if child not in found:
                found[child] = start
                queue.append((child, start))
    return found


def _name(unique_id: str, node: Node) -> str:
    name = node.get("name")
    return name if isinstance(name, str) else unique_id


def _texts(value: JsonValue) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
