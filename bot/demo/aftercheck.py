"""What must have held after the fire: the proof, the journal, what was tried, what is left."""

from dataclasses import dataclass
from datetime import datetime

import aiohttp

from bot.demo.aftermath import FIX
from bot.demo.beats import (
    AGAIN,
    ASKED,
    DOUBLE,
    LATE,
    LATER,
    PRIMARY,
    PROVED,
    SECONDARY,
    SEEN_BEFORE,
    SO_FAR,
    STEP_TICKED,
    TASK_DONE,
    TO_BE_PROVED,
)
from bot.demo.player import Played
from bot.demo.stage import Stage
from bot.demo.watching import Kind, Seen, Watcher

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_LINK = "Open the table"


@dataclass(frozen=True, slots=True)
class Days:
    """What was seen after the fire; each method says how its promise was broken, or nothing."""

    stage: Stage
    watcher: Watcher
    played: Played

    def claim(self) -> str:
        if not self._first(TO_BE_PROVED):
            return "it does not say so"
        claimed = next(s for s in self._roots() if any(TO_BE_PROVED in line for line in s.lines))
        return "" if "due tomorrow" in claimed.state else f"it says: {claimed.state}"

    def proof(self) -> str:
        early, mended = (
            self.played.sent[name].at for name in ("orders_under_way", "orders_mended")
        )
        so_far, proved = self._first(SO_FAR), self._first(PROVED)
        if proved is None or proved < mended:
            return "it was never proved" if proved is None else f"it was proved at {proved}"
        return "" if so_far and early <= so_far < mended else "it told nothing of the run before"

    def journal(self) -> str:
        number = self.played.numbers[DOUBLE]
        asked = [s for s in self.watcher.posts(Kind.NOTE, number) if ASKED in s.text]
        if len(asked) != 1:
            return f"it asked {len(asked)} times"
        told = f"{self._name(PRIMARY)} wrote the journal"
        wrote = self.watcher.says(number, told) and self.watcher.says(number, FIX[:40])
        return "" if wrote else "the message does not show the entry"

    def tried(self) -> str:
        told = f"{STEP_TICKED}{self._name(SECONDARY)}"
        return "" if self.watcher.says(self.played.numbers[LATE], told) else "it does not say who"

    def left(self) -> str:
        number, told = self.played.numbers[DOUBLE], f"{TASK_DONE}{self._name(PRIMARY)}"
        return "" if self.watcher.says(number, told) else "nothing was ticked off"

    def seen_before(self) -> str:
        before, now = self.played.numbers[DOUBLE], self.played.numbers[AGAIN]
        wanted = (SEEN_BEFORE, f"#{before}", self._name(PRIMARY), FIX, f"/oncall journal {before}")
        page = self.watcher.latest(Kind.PAGE, now, self.stage.cast[LATER])
        for one in (self.watcher.latest(Kind.ROOT, now), page):
            line = next((x for text in one.lines for x in text.splitlines()
                         if SEEN_BEFORE in x), "") if one else ""  # fmt: skip
            if missing := [words for words in wanted if words not in line]:
                return f"{one.kind if one else 'nobody'} does not tell {missing}: {line}"
        return ""

    async def pages(self) -> str:
        """Follow the link of the answer, as a browser does, and read both pages."""
        address, numbers = self._link(), self.played.numbers.values()
        if not address:
            return "the answer to /oncall issues has no link"
        jar = aiohttp.CookieJar(unsafe=True)  # a browser, too, keeps the cookies of 127.0.0.1
        async with aiohttp.ClientSession(cookie_jar=jar, timeout=_TIMEOUT) as browser:
            base, _, key = address.partition("/sign-in/link?key=")
            await browser.post(f"{base}/sign-in/link", data={"key": key, "next": "/issues"})
            table, journal = [await _text(browser, base + path) for path in ("/issues", "/journal")]
        missing = [f"#{n}" for n in numbers if f"/issues/{n}" not in table]
        missing += [] if FIX in journal else ["the journal entry"]
        return ", ".join(f"{one} is missing" for one in missing)

    def _link(self) -> str:
        who, workspace = self.stage.cast[LATER], self.watcher.workspace
        for seen in reversed(list(self.watcher.posts(Kind.ANSWER))):
            message = workspace.channels[seen.channel].find(seen.ts) if seen.place == who else None
            for block in message.blocks if message else ():
                for element in block.get("elements", ()):
                    if element.get("url") and _LINK in str(element.get("text")):
                        return str(element["url"])
        return ""

    def _first(self, words: str) -> datetime | None:
        """Return when the message of the double orders first said this."""
        said = (s.at for s in self._roots() if any(words in line for line in s.lines))
        return next(said, None)

    def _roots(self) -> list[Seen]:
        number = self.played.numbers[DOUBLE]
        return [s for s in self.watcher.seen if (s.kind, s.number) == (Kind.ROOT, number)]

    def _name(self, role: str) -> str:
        return self.watcher.workspace.person(self.stage.cast[role]).real_name


async def _text(browser: aiohttp.ClientSession, address: str) -> str:
    async with browser.get(address) as answer:
        return await answer.text()
