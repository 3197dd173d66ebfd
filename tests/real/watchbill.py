"""A real Watchbill and a local Slack, each in its own process, and what the one told the other."""

import re
import sqlite3
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from bot.ports.inbox import Delivery
from bot.sources.kind import Source
from bot.sources.registry import read
from rules.alert import Alert
from tests.fakes.deliveries import delivery
from tests.process.harness import SECRET, TOKENS, Bot, Json, LocalSlack, until, write_roster

COMMAND = Path(sys.executable).with_name("watchbill")
CHANNEL, ON_CALL, SECOND = "data-alerts", "ana", "bo"

_DATE = re.compile(r"<!date\^[^>]*?\|[^>]*>")
_LINK = re.compile(r"<(https?:[^|>]*)\|([^>]*)>")
_MENTION = re.compile(r"<([@#])(\w+)(?:\|[^>]*)?>")


@dataclass
class Watchbill:
    """One running bot whose sources, channel and people the tests of real tools share."""

    folder: Path
    slack: LocalSlack
    bot: Bot
    _told: dict[str, str] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def hook(self, source: str) -> str:
        return f"{self.bot.url}/hooks/{source}"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    async def root(self, words: str, *, seconds: float = 40) -> Json:
        """Wait for the only root message that holds `words`; two such are a failure."""

        async def there() -> list[Json]:
            return [one for one in await self.slack.roots() if words in shown(one)]

        try:
            found = await until(there, f"a message with {words!r}", seconds)
        except TimeoutError as late:
            texts = [shown(one) for one in await self.slack.roots()]
            raise AssertionError(
                f"{late}; there are {texts}; {self.bot.process.output()}"
            ) from late
        assert len(found) == 1, [shown(one) for one in found]
        return found[0]

    async def pages(self) -> list[tuple[str, str]]:
        """Return (who, what it says now) of every page."""
        names = await self._people()
        return [(names[one["place"]["user"]], shown(one)) for one in await self.slack.pages()]

    async def people_paged(self) -> list[str]:
        return [who for who, _ in await self.pages()]

    async def settled(self, seconds: float = 60) -> None:
        """Wait until every delivery is understood and every effect carried out that is due soon.

        Reminders of hours to come are left to wait.
        """

        async def quiet() -> bool:
            waiting = self._rows(
                "SELECT (SELECT count(*) FROM inbound WHERE state = 'new') +"
                " (SELECT count(*) FROM job WHERE state = 'todo'"
                "   AND next_at < (strftime('%s', 'now') + 600) * 1000000)"
            )
            return waiting == [(0,)]

        await until(quiet, "everything is carried out", seconds)

    def deliveries(self, source: str) -> list[Delivery]:
        """Return what the door took from a source, as it is stored, oldest first."""
        asked = "SELECT body, content_type FROM inbound WHERE source = ? ORDER BY id"
        rows = self._rows(asked, source)
        return [delivery(body, content_type=str(kind), source=source) for body, kind in rows]

    def alerts(self, source: str, kind: str) -> list[Alert]:
        """Return the alerts those deliveries were read as."""
        told_by = Source(name=source, kind=kind)
        return [one for taken in self.deliveries(source) for one in read(told_by, taken).alerts]

    def _rows(self, statement: str, *given: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / "watchbill.db", timeout=10)) as database:
            return database.execute(statement, given).fetchall()

    async def _people(self) -> dict[str, str]:
        if not self._names:
            state = await self.slack.control("state")
            named = (*state["users"], *state["channels"])
            self._names = {one["id"]: one["name"] for one in named if "name" in one}
        return self._names

    async def told(self) -> list[str]:
        """Return as lines what Slack shows that it did not when this was last asked."""
        names = await self._people()
        posted = [*await self.slack.ours(direct=False), *await self.slack.ours(direct=True)]
        lines: list[str] = []
        for one in posted:
            before, said = self._told.get(one["key"]), shown(one, names)
            if said == before:
                continue
            self._told[one["key"]] = said
            direct = one["place"].get("user")
            where = f"@{names[direct]}" if direct else f"#{one['place']['name']}"
            verbs = ("pages", "edits the page of") if direct else ("posts in", "edits in")
            lines.append(f"  > {verbs[before is not None]} {where}")
            lines += [f"  >     {line}" for line in said.splitlines()]
        return lines


def shown(message: Json, names: dict[str, str] | None = None) -> str:
    """Return a message as its reader sees it, without buttons: a line a block's line."""
    blocks = message.get("blocks") or []
    lines = [line for block in blocks for text in _texts(block) for line in text.splitlines()]
    plain = "\n".join(line for line in lines or [str(message["text"])] if line.strip())
    plain = _LINK.sub(r"\2", _DATE.sub("<time>", plain))
    known = names or {}
    plain = _MENTION.sub(lambda found: found[1] + known.get(found[2], found[2]), plain)
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        plain = plain.replace(entity, sign)
    return plain


def _texts(block: Json) -> list[str]:
    if block["type"] == "actions":
        return []
    parts = [block.get("text"), *block.get("fields", [])]
    if block["type"] == "context":
        parts += block["elements"]
    return [part["text"].replace("\n", ": ") if part in block.get("fields", []) else part["text"]
            for part in parts if part]  # fmt: skip


@asynccontextmanager
async def watching(folder: Path, sources: Sequence[tuple[str, str]]) -> AsyncIterator[Watchbill]:
    """Run a bot with (name, kind) sources; ana is on call, bo is next after a long wait."""
    folder.mkdir()
    slack = LocalSlack(folder, people=(ON_CALL, SECOND), channels=(CHANNEL,))
    write_roster(folder / "roster.csv", ON_CALL, SECOND)
    config = {
        "database": f"sqlite:///{folder / 'watchbill.db'}",
        "slack": {
            "mode": "socket",
            "api_url": f"{slack.url}/api/",
            "bot_token": "${SLACK_BOT_TOKEN}",
            "app_token": "${SLACK_APP_TOKEN}",
            "alerts_channel": CHANNEL,
        },
        "sources": [
            {"name": name, "kind": kind, "secret": "${SOURCE_SECRET}"} for name, kind in sources
        ],
        "people": [{"name": one, "email": f"{one}@example.com"} for one in (ON_CALL, SECOND)],
        "rotations": {"data": {"zone": "UTC"}},
        "roster": str(folder / "roster.csv"),
        "escalation_policies": {
            "default": [
                {"page": [{"on_call": "primary"}], "wait": "60m"},
                {"page": [{"on_call": "secondary"}], "wait": "60m"},
            ]
        },
        "fallback": [f"{SECOND}@example.com"],
    }
    bot = Bot(folder, config, {**TOKENS, "SOURCE_SECRET": SECRET})
    try:
        await slack.start()
        await bot.start()
        yield Watchbill(folder, slack, bot)
    finally:
        bot.process.kill()
        slack.process.kill()
