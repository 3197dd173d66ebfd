"""Where something ran, by its labels: one source may tell of production and of a developer's copy."""

from collections.abc import Mapping

_PLACES = ("environment", "env", "target")


def environment_of(labels: Mapping[str, str]) -> str:
    """Return what labels call their environment, in lower case; "" where they do not say.

    Of several Airflows each has its `instance`, which is all that tells them apart.
    """
    found = next((said for place in _PLACES if (said := labels.get(place))), "")
    if not found and labels.get("dag_id"):
        found = labels.get("instance", "")
    return found.casefold()


def differing(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Return the label by which two things of one source ran in different places, and both words.

    None where they do not differ; what one of them does not tell is no difference.
    """
    # of a monitor, `instance` is the host that it watches
    places = (*_PLACES, "instance") if ours.get("dag_id") and theirs.get("dag_id") else _PLACES
    for place in places:
        here, there = ours.get(place), theirs.get(place)
        if here and there and here.casefold() != there.casefold():
            return place, here, there
    return None
