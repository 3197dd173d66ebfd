"""A replica dies while it holds effects and timers are about to end: how soon others go on."""

import signal
from datetime import datetime, timedelta
from statistics import median

from bot.clock import SystemClock
from tests.process.harness import Bot, alert, team, until
from tests.process.load import Sent
from tests.process.promises import count
from tests.process.replicas import Replicas, running_replicas
from tests.process.scenario import Found, Stage
from tests.process.stored import instant, leased, query, settled

REPLICAS = 3
HELD = 6
"""Effects that the one that dies has begun, and not ended."""
WITHIN = timedelta(seconds=10)
_CLOCK = SystemClock()


async def takeover(stage: Stage) -> Found:
    """Kill each replica in turn while it is the one that works; time what the others take over."""
    if not stage.database:
        return Found(skipped="one SQLite file has one process")
    teams = HELD * 2
    taken: list[timedelta] = []
    pages: list[timedelta] = []
    timers: list[timedelta] = []
    deaths: list[datetime] = []
    sent = Sent()
    async with running_replicas(
        stage.folder, stage.database, REPLICAS, teams=teams, waits="5s 4s"
    ) as replicas:
        for number in range(stage.times):
            trial = _Trial(replicas, replicas.bots[number % REPLICAS], sent, number)
            await trial.play()
            deaths.append(trial.died)
            taken += trial.taken
            pages += trial.pages
            timers += trial.timers
            stage.progress(number + 1, stage.times)
        await settled(replicas.setup.bot, 120)
        report = await count(replicas.setup.bot, replicas.slack, sent, deaths=deaths)
    found = Found({"replicas": f"{REPLICAS}"})
    measured = {"effects taken over": taken, "pages out": pages, "timers heard": timers}
    for name, times in measured.items():
        found.figures |= _spread(name, times)
        late = [time for time in times if time > WITHIN]
        found.expect(not late, f"{name} after more than {WITHIN}: {late}")
        found.expect(len(times) >= stage.times, f"too few {name} to tell")
    found.add(report)
    return found


class _Trial:
    """One death: half of the teams have a timer that is about to end, half an effect under way."""

    def __init__(self, replicas: Replicas, victim: Bot, sent: Sent, number: int) -> None:
        self.died = _CLOCK.now()
        self.taken: list[timedelta] = []
        self.pages: list[timedelta] = []
        self.timers: list[timedelta] = []
        self._replicas = replicas
        self._victim = victim
        self._survivors = replicas.others(victim)
        self._sent = sent
        self._number = number

    async def play(self) -> None:
        waiting = await self._timers_about_to_end()
        self._signal(signal.SIGSTOP)
        self._replicas.mute(on=True)
        self._post(range(HELD, 2 * HELD))
        bot = self._replicas.setup.bot

        async def held() -> bool:
            return await leased(bot) >= HELD

        await until(held, "the victim has begun its effects", 20)
        jobs = {row.id: row.lease for row in await query(bot, _HELD)}
        self._victim.process.kill()
        self.died = _CLOCK.now()
        self._replicas.mute(on=False)
        self._signal(signal.SIGCONT)
        await self._watch(jobs)
        self.timers = await self._woken(waiting)
        await self._victim.start()
        await settled(bot, 60)

    async def _timers_about_to_end(self) -> dict[str, datetime]:
        """Return incidents whose next step is due within two seconds, with when it is."""
        self._post(range(HELD))
        bot = self._replicas.setup.bot

        async def waiting() -> dict[str, datetime]:
            rows = await query(bot, _WAITING)
            found = {row.id: instant(row.wake_at) for row in rows}
            soon = _CLOCK.now() + timedelta(seconds=60)
            found = {incident: at for incident, at in found.items() if at < soon}
            return found if len(found) == HELD else {}

        return await until(waiting, "timers run", 30)

    async def _watch(self, held: dict[str, int]) -> None:
        """Note when others took each effect over, and when each page that was held had gone out.

        `held` has the lease under which the one that died had it.
        """
        listed = ", ".join(f"'{job}'" for job in held)
        asked = f"SELECT id, kind, lease, state, done_at FROM job WHERE id IN ({listed})"
        taken: dict[str, datetime] = {}

        async def all_over() -> bool:
            rows = await query(self._survivors[0], asked)
            for row in rows:
                if row.lease != held[row.id] or row.state != "todo":
                    taken.setdefault(row.id, _CLOCK.now())
            out = [instant(row.done_at) for row in rows if row.kind == "page" and row.done_at]
            self.pages = [at - self.died for at in out]
            waits = [row for row in rows if row.kind == "page" and not row.done_at]
            return len(taken) == len(held) and not waits

        await until(all_over, "others take over what was held", 60)
        self.taken = [at - self.died for at in taken.values()]

    async def _woken(self, waiting: dict[str, datetime]) -> list[timedelta]:
        """Return how long after the death, or after it was due, each timer was heard."""
        listed = ", ".join(f"'{incident}'" for incident in waiting)
        bot = self._survivors[0]
        asked = (
            "SELECT incident_id, min(created_at) AS at FROM job WHERE kind = 'page'"
            f" AND key LIKE '%:0.0.1:%' AND incident_id IN ({listed}) GROUP BY incident_id"
        )

        async def woken() -> dict[str, datetime]:
            found = {row.incident_id: instant(row.at) for row in await query(bot, asked)}
            return found if len(found) == len(waiting) else {}

        heard = await until(woken, "others hear the timers", 60)
        after = {incident: max(due, self.died) for incident, due in waiting.items()}
        return [max(timedelta(), heard[incident] - due) for incident, due in after.items()]

    def _post(self, teams: range) -> None:
        for number in teams:
            key = f"check-{self._number}-{number}"
            one = alert(key, of=team(number), group=f"run-{key}")
            if self._victim.post(one, delivery=key) == 202:
                self._sent.accepted[key] = key

    def _signal(self, number: signal.Signals) -> None:
        for bot in self._survivors:
            bot.process.signal(number)


_HELD = "SELECT id, lease FROM job WHERE state = 'todo' AND leased = 1"
_WAITING = (
    "SELECT id, wake_at FROM incident WHERE state = 'triggered' AND wake_at IS NOT NULL"
    " AND id IN (SELECT incident_id FROM job WHERE kind = 'page' AND state = 'done')"
)


def _spread(name: str, times: list[timedelta]) -> dict[str, str]:
    seconds = sorted(time.total_seconds() for time in times)
    if not seconds:
        return {}
    shown = f"{median(seconds):.2f} s, at most {seconds[-1]:.2f} s, of {len(seconds)}"
    return {name: shown}
