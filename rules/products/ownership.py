"""Who answers for an asset that nobody was named for: the nearest owned parent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rules.catalogue import Asset


def inherit_owners(
    assets: Iterable[Asset], children: Mapping[str, Sequence[str]]
) -> tuple[Asset, ...]:
    """Give owner, team and channel of the nearest owned parent to each asset without an owner.

    Of parents at the same distance, the one whose id sorts first. What is inherited says so.
    """
    known = {asset.id: asset for asset in assets}
    layer = sorted(one.id for one in known.values() if one.owner or one.team)
    seen = set(layer)
    while layer:
        reached: list[str] = []
        for parent in layer:
            for child in children.get(parent, ()):
                if child in seen or child not in known:
                    continue
                seen.add(child)
                reached.append(child)
                known[child] = _inheriting(known[child], known[parent])
        layer = sorted(reached)
    return tuple(known.values())


def _inheriting(child: Asset, parent: Asset) -> Asset:
    return replace(
        child,
        owner=parent.owner,
        team=parent.team,
        channel=child.channel or parent.channel,
        inherited=True,
        owner_seen_by=parent.owner_seen_by,
    )
