"""What must have held in the night: each promise, and whether the workspace saw it kept."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.demo.aftercheck import Days
from bot.demo.beats import (
    ACKED,
    AGAIN,
    ASKED,
    DATABASE,
    DOUBLE,
    FOLDED,
    GLASS_BROKEN,
    GLASS_WHOLE,
    HAS_KEYS,
    KEYS,
    LATE,
    LATER,
    PRIMARY,
    RESOLVED,
    RETRIES,
    SECONDARY,
    SILENCED,
)
from bot.demo.payloads import CHECKS
from bot.demo.player import Played
from bot.demo.stage import Stage
from bot.demo.watching import Kind, Seen, Watcher
from rules.incident import Incident, State

STORM_MESSAGES = 11
"""Ten incidents and the storm's own message."""

_MOST_DEAD, _MOST_OPEN = 20, 100
_AT_ONCE = 3.0
"""Seconds of the machine's own time between an alert and the page, on a slow machine."""
_SECOND_STEP = timedelta(minutes=5)
_PROMISED = "promised to Finance"
_PAGED = (LATE, DATABASE, AGAIN)
_ILLUSTRATED = (LATE, DOUBLE, AGAIN)


@dataclass(frozen=True, slots=True)
class Check:
    """One promise; `fault` says how it was broken, "" when it held."""

    promise: str
    fault: str = ""

    @property
    def held(self) -> bool:
        return not self.fault


async def checks(stage: Stage, played: Played) -> list[Check]:
    """Return every check of a story that was played to its end."""
    reader = stage.application.store.reader
    dead = [f"{job.kind} {job.key}: {why}" for job, why in await reader.dead_jobs(_MOST_DEAD)]
    still_open = await reader.incidents(
        states=(State.TRIGGERED, State.ACKNOWLEDGED), limit=_MOST_OPEN, assigned_to=""
    )
    night, days = Night(stage, stage.watcher, played), Days(stage, stage.watcher, played)
    return [
        Check("One message in the channel for each incident", night.one_root_each()),
        Check("The person on call is paged within seconds", night.paged_at_once(_PAGED)),
        Check("The page says what was promised to whom", night.promise_told()),
        Check("Who is hit comes as a picture, one for each incident that hits many",
              night.pictures()),
        Check("The second person is paged after five minutes, not before", night.second_step()),
        Check("Break-glass opens a group in a P1, is told in the channel, and ends with it",
              night.glass()),
        Check("After an acknowledgement nobody is paged for that incident", night.quiet_after_ack()),
        Check("What follows from a cause folds into it and pages nobody", night.nothing_in(FOLDED)),
        Check("What is split off is an incident of its own, and pages",
              night.paged_at_once([DOUBLE])),
        Check("A task that succeeds on its last try pages nobody", night.nothing_in(RETRIES)),
        Check("What is silenced pages nobody and shows nowhere", night.nothing_in(SILENCED)),
        Check("Alertmanager's “resolved” resolves its incident", night.resolved_itself()),
        Check(f"A storm of {CHECKS} alerts makes {STORM_MESSAGES} messages", night.storm()),
        Check("Resolve says which run will prove the fix", days.claim()),
        Check("A run that began before proves nothing; the next night's run does", days.proof()),
        Check("The runbook's checklist says who tried what", days.tried()),
        Check("What is left to do is listed, and ticked off", days.left()),
        Check("The journal is asked for once, and what was written stands on the message",
              days.journal()),
        Check("When it happens again, message and page say who fixed it last time, and how",
              days.seen_before()),
        Check("The link from Slack opens the table and the journal, and both are complete",
              await days.pages()),
        Check("Every incident is resolved, but the last, left on purpose", night.all_resolved(still_open)),
        Check(f"Slack refused none of {stage.watcher.calls} calls",
              ", ".join(stage.watcher.refusals)),
        Check("Nothing was given up", ", ".join(dead)),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Night:
    """What was seen of a night; each method says how its promise was broken, "" when it held."""

    stage: Stage
    watcher: Watcher
    played: Played

    def one_root_each(self) -> str:
        count = Counter(s.number for s in self.watcher.posts(Kind.ROOT))
        twice = [f"#{number} has {n}" for number, n in count.items() if n != 1]
        expected = len(self.played.numbers) + STORM_MESSAGES - 1
        if len(count) != expected:
            twice.append(f"{len(count)} incidents instead of {expected}")
        return ", ".join(twice)

    def paged_at_once(self, names: Iterable[str]) -> str:
        late = []
        for name in names:
            page = self._page(name, LATER if name == AGAIN else PRIMARY)
            took = page.clock - self.played.began[name].clock if page else None
            if took is None:
                late.append(f"{name}: not at all")
            elif took > _AT_ONCE:
                late.append(f"{name}: after {took:.1f} s")
        return ", ".join(late)

    def promise_told(self) -> str:
        page = self._page(LATE, PRIMARY)
        if page is None:
            return "nobody was paged"
        return "" if _PROMISED in page.text else f"it says: {page.text}"

    def pictures(self) -> str:
        drawn = Counter(s.number for s in self.watcher.posts(Kind.NOTE) if s.pictures)
        wanted = Counter(self.played.numbers[name] for name in _ILLUSTRATED)
        numbers = sorted(drawn | wanted)
        return ", ".join(f"#{n} has {drawn[n]}" for n in numbers if drawn[n] != wanted[n])

    def second_step(self) -> str:
        page = self._page(LATE, SECONDARY)
        if page is None:
            return "they never were"
        after = page.at - self.played.began[LATE].at
        latest = _SECOND_STEP + timedelta(seconds=_AT_ONCE) * self.stage.speed
        return "" if _SECOND_STEP <= after <= latest else f"it was after {after}"

    def glass(self) -> str:
        channel, who = self.stage.config.slack.alerts_channel, self.stage.cast[PRIMARY]
        places = {GLASS_BROKEN: channel, HAS_KEYS: who, GLASS_WHOLE: channel}
        broken, has, whole = (self.watcher.heard(words, where) for words, where in places.items())
        if not (broken and has and whole):
            told = [words for words in places if self.watcher.heard(words)]
            return f"of {', '.join(places)} only {', '.join(told) or 'nothing'} was told at all"
        ended, workspace = self._resolved_at(DATABASE), self.watcher.workspace
        if ended is None or not has.at < ended < whole.at:
            return "it was not open just while it was needed"
        groups = [g for g in workspace.groups.values() if g.handle == KEYS]
        inside = any(workspace.person(who).id in group.users for group in groups)
        return f"{who} still has the keys" if inside or not groups else ""

    def quiet_after_ack(self) -> str:
        acked = {s.number: s.at for s in reversed(self.watcher.seen)
                 if s.kind is Kind.ROOT and s.sign == ACKED}  # fmt: skip
        if len(acked) < len(self.played.numbers) - 1:
            return f"only {len(acked)} were acknowledged"
        loud = [s for s in self.watcher.posts(Kind.PAGE)
                if s.number in acked and s.at > acked[s.number]]  # fmt: skip
        return ", ".join(f"#{s.number} paged {s.place}" for s in loud)

    def nothing_in(self, mark: str) -> str:
        seen = self.played.marked.get(mark, [])
        loud = [s for s in seen if not s.edited and s.kind in {Kind.ROOT, Kind.PAGE}]
        return ", ".join(f"{s.kind} in {s.place}: {s.title}" for s in loud)

    def resolved_itself(self) -> str:
        root = self.watcher.latest(Kind.ROOT, self.played.numbers[DATABASE])
        if root is None or root.sign != RESOLVED:
            return "it is not resolved"
        name = self.stage.source("alertmanager").name
        resolved = self._resolved_at(DATABASE)
        if resolved is None or resolved < self.played.sent["warehouse_up"].at:
            return "it was resolved before"
        return "" if f"by {name}" in root.state else f"it says: {root.state}"

    def storm(self) -> str:
        began = self.played.sent["checks_failed"].at
        ended = self.played.sent["orders_fresh"].at
        made = [s for s in self.watcher.posts(Kind.ROOT) if began <= s.at <= ended]
        notes = [s for s in self.watcher.posts(Kind.NOTE)
                 if began <= s.at <= ended and ASKED not in s.text]  # fmt: skip
        count = len(made) + len(notes)
        return "" if count == STORM_MESSAGES else f"it made {count}"

    def all_resolved(self, still_open: Sequence[Incident]) -> str:
        left = {s.number for s in self.watcher.roots() if s.sign != RESOLVED}
        left |= {incident.number for incident in still_open if not incident.muted}
        wanted = {self.played.numbers[AGAIN]}
        wrong = sorted(left ^ wanted)
        return ", ".join(f"#{n} is {'open' if n in left else 'resolved'}" for n in wrong)

    def _page(self, name: str, role: str) -> Seen | None:
        who = self.stage.cast[role]
        return next(
            (s for s in self.watcher.posts(Kind.PAGE, self.played.numbers[name]) if s.place == who),
            None,
        )

    def _resolved_at(self, name: str) -> datetime | None:
        number = self.played.numbers[name]
        return next(iter(self._signs(number, RESOLVED)), None)

    def _signs(self, number: int, sign: str) -> Iterator[datetime]:
        return (s.at for s in self.watcher.seen
                if (s.kind, s.number, s.sign) == (Kind.ROOT, number, sign))  # fmt: skip
