"""Settings that only one kind of source has: what may stand under `options:` of a source."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rules.nearest import did_you_mean


@dataclass(frozen=True, slots=True)
class Option:
    """One key of `options:`. `read` returns the value, or raises ValueError with what to write.

    Nothing passes a source without one that is `needed`.
    """

    meaning: str
    read: Callable[[object], object]
    needed: bool = False


Options = Mapping[str, Option]


def word(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 500:
        raise ValueError("write a text of at most 500 characters")
    return value.strip()


def words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("write a list of texts, like [one, two]")
    return tuple(word(one) for one in value)


def read_options(
    known: Options, given: Mapping[str, object]
) -> tuple[dict[str, object], list[str]]:
    """Return the values that can be used, and what is wrong with the others."""
    values: dict[str, object] = {}
    faults: list[str] = []
    for name, value in given.items():
        if name not in known:
            hint = did_you_mean(name, known) or "; this kind of source has no options"
            faults.append(f"unknown option `{name}`{hint}")
            continue
        try:
            values[name] = known[name].read(value)
        except ValueError as error:
            faults.append(f"`{name}`: {error}")
    for name, option in known.items():
        if option.needed and name not in given:
            faults.append(f"`{name}` is missing. {option.meaning}")
    return values, faults
