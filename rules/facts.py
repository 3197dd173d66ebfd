"""What is known of one alert or incident, as routes, silences and expressions see it."""

from collections.abc import Iterable, Mapping


class Facts(dict[str, str]):
    """Labels and facts in one map, made once per alert.

    `view` is how expressions read them, kept because several may ask. `failed` has the
    expressions that could not be evaluated on it, each with the reason.
    """

    __slots__ = ("failed", "view")

    def __init__(self, labels: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(labels)
        self.view: object = None
        self.failed: dict[str, str] = {}
