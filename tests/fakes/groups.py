"""A place where elevated groups live, in memory, that fails in the ways real ones do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.clock import Clock
from bot.ports.access import Capabilities, Member


def _nothing(call: str) -> None:
    """Fail never."""


@dataclass
class MemoryGroups:
    """Behaves as a back-end should. `fault`, given a call's name, may raise before it works.

    With `lies` it says yes and does nothing; with `hides` it works and its list shows nobody.
    `log` has what was done, and when.
    """

    clock: Clock
    native: bool = False
    can_list: bool = True
    fault: Callable[[str], None] = _nothing
    after: Callable[[str], None] = _nothing
    """May raise once a call has worked: its answer is lost."""
    lies: bool = False
    hides: bool = False
    held: dict[str, dict[str, datetime | None]] = field(default_factory=dict)
    log: list[tuple[datetime, str, str]] = field(default_factory=list)
    closed: bool = False

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(native_expiry=self.native, can_list=self.can_list)

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:
        self.fault("grant")
        assert key
        if not self.lies:
            self.put(group, account, until if self.native else None)
            self.log.append((self.clock.now(), "in", account))
        self.after("grant")

    async def revoke(self, group: str, account: str) -> None:
        self.fault("revoke")
        if not self.lies:
            self.take(group, account)
            self.log.append((self.clock.now(), "out", account))
        self.after("revoke")

    async def members(self, group: str) -> Sequence[Member]:
        self.fault("members")
        self.after("members")
        if self.hides:
            return []
        return [Member(one, until) for one, until in self._live(group).items()]

    async def close(self) -> None:
        self.closed = True

    # what others do, and what a test sees

    def put(self, group: str, account: str, until: datetime | None = None) -> None:
        self._live(group)[account] = until

    def take(self, group: str, account: str) -> None:
        members = self._live(group)
        for one in [name for name in members if name.casefold() == account.casefold()]:
            del members[one]

    def who(self, group: str = "prod") -> list[str]:
        return sorted(self._live(group))

    def _live(self, group: str) -> dict[str, datetime | None]:
        members = self.held.setdefault(group, {})
        now = self.clock.now()
        for one in [name for name, until in members.items() if until and until <= now]:
            del members[one]
        return members
