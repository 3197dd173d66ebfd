"""An inbox that keeps deliveries in memory, and fails when a test says so."""

from bot.ports.inbox import Accepted, NewDelivery, NotStoredError


class FakeInbox:
    """Holds what was accepted, in order; `broken` makes it refuse as a full disk would."""

    def __init__(self) -> None:
        self.deliveries: list[NewDelivery] = []
        self.broken = False
        self._ids: dict[str, str] = {}

    async def accept(self, delivery: NewDelivery) -> Accepted:
        if self.broken:
            raise NotStoredError("the disk is full")
        if delivery.key in self._ids:
            return Accepted(self._ids[delivery.key], repeated=True)
        self._ids[delivery.key] = f"d{len(self._ids) + 1}"
        self.deliveries.append(delivery)
        return Accepted(self._ids[delivery.key], repeated=False)
