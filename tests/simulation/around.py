"""A transaction that is changed as soon as it is open, for faults that are built in."""

from collections.abc import Callable
from typing import Any


class Around:
    """Stands where a store's transaction does; `change` gets it once it has begun."""

    def __init__(self, inner: Any, change: Callable[[Any], None]) -> None:
        self._inner, self._change = inner, change

    async def __aenter__(self) -> Any:
        tx = await self._inner.__aenter__()
        self._change(tx)
        return tx

    async def __aexit__(self, *how: object) -> Any:
        return await self._inner.__aexit__(*how)
