"""From the roster file to what subscribers and Google show, over a real database and network."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import icalendar
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.app.calendars import CalendarParts, Calendars
from bot.app.following import calendars_of
from bot.app.roster.rows import RosterRows
from bot.app.rules_in_force import roster_file
from bot.calendar.following import Followers, FollowerSettings, Reported
from bot.config.file import load
from bot.config.settings import Config
from bot.metrics import Metrics
from bot.ports.inbox import NotStoredError
from bot.roster.roster import Roster, RosterFile
from bot.store.opening import OpenedStore
from rules.calendar.plan import Wanted
from rules.schedule.roster import Override, OverrideState
from tests.bot.app.conftest import Running, started
from tests.fakes.clock import FakeClock
from tests.fakes.google_calendar import FakeGoogleCalendar

MON = datetime(2026, 11, 23, 9, tzinfo=UTC)
TEAM = "team@group.calendar.google.com"
ROSTER = "Start,Primary\n2026-11-23,Ana Ruiz\n2026-11-30,Bo Chen\n2026-12-07,Ana Ruiz\n"
CONFIG = """
slack: {mode: local}
people:
  - {name: Ana Ruiz, email: ana@example.com}
  - {name: Bo Chen, email: bo@example.com}
rotations: {data: {handoff: "09:00"}}
roster: roster.csv
"""
SECRET = "calendar: {secret: s3cret-of-the-team}\n"


def configured(folder: Path, more: str = SECRET) -> Config:
    (folder / "roster.csv").write_text(ROSTER)
    (folder / "config.yaml").write_text(CONFIG + more)
    loaded = load(folder / "config.yaml", {})
    assert loaded.config is not None, loaded.faults
    return loaded.config


class Rig:
    def __init__(
        self, folder: Path, store: OpenedStore, *, holder: str = "one", shared: bool = False
    ) -> None:
        self.config = configured(folder)
        self.clock = FakeClock(MON + timedelta(hours=1))
        found = roster_file(self.config, self.config.directory())
        assert found is not None
        self.file = found
        self.file.load(self.clock.now())
        self.store = store
        self.calendars = Calendars(self.parts(holder, shared=shared))

    def parts(self, holder: str, *, shared: bool) -> CalendarParts:
        return CalendarParts(
            spec=self.config.calendar,
            base_url="https://oncall.example",
            people=self.config.directory(),
            roster=Roster(self.file),
            reader=self.store.reader,
            store=self.store.calendars,
            clock=self.clock,
            holder=holder,
            shared=shared,
        )

    async def feed(self, calendars: Calendars, kind: str = "rotation", name: str = "data") -> str:
        link = calendars._addresses.link(f"{kind}/{name}" if name != "all" else "all")
        text = await calendars.serve(kind, name, link.rpartition("=")[2])
        assert text is not None
        return text.plain.decode()

    def write(self, roster: str) -> None:
        Path(self.config.roster or "").write_text(roster)
        self.file.load(self.clock.now())


@pytest.fixture
def rig(tmp_path: Path, opened_store: OpenedStore) -> Rig:
    return Rig(tmp_path, opened_store)


def summaries(text: str) -> list[str]:
    events = icalendar.Calendar.from_ical(text).walk("VEVENT")
    return [f"{e.decoded('dtstart'):%m-%d} {e['summary']} {e['status']}" for e in events]


async def test_the_roster_becomes_feeds(rig: Rig) -> None:
    link = rig.calendars.link("ana@example.com")
    with pytest.raises(NotStoredError):
        await rig.calendars.serve("person", "ana@example.com", link.rpartition("=")[2])
    await rig.calendars.refresh()
    assert summaries(await rig.feed(rig.calendars))[:2] == [
        "11-23 Ana Ruiz · data CONFIRMED",
        "11-30 Bo Chen · data CONFIRMED",
    ]
    mine = await rig.feed(rig.calendars, "person", "ana@example.com")
    assert len(summaries(mine)) == 2
    assert "NAME:On call: Ana Ruiz" in mine
    assert len(summaries(await rig.feed(rig.calendars, "rotation", "all"))) == 3
    assert summaries(await rig.feed(rig.calendars, "person", "new@example.com")) == []
    assert await rig.calendars.standing() == "3 events published"


async def test_an_edit_and_an_override_are_published_with_a_sequence(rig: Rig) -> None:
    await rig.calendars.refresh()
    tags = []
    for _ in range(2):
        key = rig.calendars._addresses.link("rotation/data").rpartition("=")[2]
        served = await rig.calendars.serve("rotation", "data", key)
        assert served is not None
        tags.append(served.tag)
        await rig.calendars.refresh()
    assert tags[0] == tags[1]
    rig.clock.advance(hours=1)
    rig.write(ROSTER.replace("Bo Chen", "Ana Ruiz"))
    await rig.calendars.refresh()
    text = await rig.feed(rig.calendars)
    assert [s[6:14] for s in summaries(text)] == ["Ana Ruiz"] * 3
    assert re.findall(r"SEQUENCE:(\d)", text) == ["0", "1", "0"]
    assert summaries(await rig.feed(rig.calendars, "person", "bo@example.com")) == [
        "11-30 Ana Ruiz · data CANCELLED"
    ]
    now = rig.clock.now()
    cover = Override(
        id="o1", rotation="data", role="primary", person="bo@example.com",
        starts_at=now, ends_at=now + timedelta(hours=2), by="bo@example.com", created_at=now,
    )  # fmt: skip
    async with rig.store.store.begin() as tx:
        tx.save_override(cover)
    await rig.calendars.refresh()
    assert [s[6:] for s in summaries(await rig.feed(rig.calendars))][:3] == [
        "Ana Ruiz · data CONFIRMED",
        "Bo Chen · data CONFIRMED",
        "Ana Ruiz · data CONFIRMED",
    ]
    for _ in range(10):
        rig.clock.advance(days=1)
        await rig.calendars.refresh()
    assert summaries(await rig.feed(rig.calendars))[1].startswith("11-23 Bo Chen")


async def test_a_name_that_is_corrected_is_soon_read_in_the_feeds(rig: Rig) -> None:
    people = rig.file.people
    calendars = Calendars(replace(rig.parts("one", shared=False), people=people))
    await calendars.refresh()
    assert "Bo Chen" in await rig.feed(calendars)
    people.know([replace(one, name=one.name.replace("Bo", "Boris")) for one in people])
    await calendars.refresh()
    assert "Boris Chen" in await rig.feed(calendars)
    known = people.everyone
    people.know([replace(one) for one in people])
    assert people.everyone is known, "the same people are no news"


async def test_revoking_ends_the_address_within_a_refresh(rig: Rig) -> None:
    await rig.calendars.refresh()
    old = rig.calendars.link("ana@example.com").rpartition("=")[2]
    assert await rig.calendars.serve("person", "ana@example.com", old) is not None
    await rig.store.calendars.revoke("person/ana@example.com", rig.clock.now())
    await rig.calendars.refresh()
    assert await rig.calendars.serve("person", "ana@example.com", old) is None
    new = rig.calendars.link("ana@example.com").rpartition("=")[2]
    assert await rig.calendars.serve("person", "ana@example.com", new) is not None


async def test_replicas_tell_the_same_and_one_of_them_publishes(
    tmp_path: Path, opened_store: OpenedStore
) -> None:
    one = Rig(tmp_path, opened_store, holder="one", shared=True)
    two = Calendars(one.parts("two", shared=True))
    await one.calendars.refresh()
    await two.refresh()
    assert (one.calendars.leads(), two.leads()) == (True, False)
    assert await one.feed(one.calendars) == await one.feed(two)
    one.write(ROSTER.replace("Bo Chen", "Ana Ruiz"))
    await two.refresh()
    assert "Bo Chen" in await one.feed(two)
    one.clock.advance(minutes=2)
    await two.refresh()
    assert two.leads()
    assert "Bo Chen" not in await one.feed(two)
    await one.calendars.refresh()
    assert not one.calendars.leads()
    assert await one.feed(one.calendars) == await one.feed(two)


class Behind:
    """A calendar to which nothing is written."""

    calendar = TEAM

    async def reconcile(self, wanted: Sequence[Wanted]) -> Reported:
        raise AssertionError


async def test_a_replica_that_no_longer_writes_to_google_tells_no_lag_of_its_own(
    tmp_path: Path, opened_store: OpenedStore
) -> None:
    async def save(_state: object) -> None:
        """Keep nothing."""

    lags: dict[str, float] = {}
    rig = Rig(tmp_path, opened_store, holder="one", shared=True)
    settings = FollowerSettings(
        every=timedelta(minutes=10), random=lambda: 0.5, save=save, observe=lambda *_told: None
    )
    followers = Followers({"data": Behind()}, rig.clock, settings)
    parts = replace(rig.parts("one", shared=True), followers=followers, on_lag=lags.__setitem__)
    one, two = Calendars(parts), Calendars(rig.parts("two", shared=True))
    followers.want("data", [], rig.clock.now())
    rig.clock.advance(minutes=2)
    await one.refresh()
    assert lags == {"data": 120.0}
    rig.clock.advance(minutes=2)
    await two.refresh()
    await one.refresh()
    assert (one.leads(), two.leads()) == (False, True)
    assert lags == {"data": 0.0}


async def test_a_roster_without_rows_takes_nothing_back(rig: Rig) -> None:
    await rig.calendars.refresh()
    rig.file.loaded = type(rig.file.loaded)()
    await rig.calendars.refresh()
    assert len(summaries(await rig.feed(rig.calendars))) == 3


async def test_a_feed_follows_the_pager_while_a_row_cannot_be_written(
    tmp_path: Path, opened_store: OpenedStore
) -> None:
    """Ended in Slack, and still in the sheet: nobody may read there who is not paged any more."""
    clock = FakeClock(MON + timedelta(hours=1))
    config = configured(tmp_path)
    tabs = tmp_path / "tabs"
    tabs.mkdir()
    (tabs / "Shifts.csv").write_text(ROSTER)
    row = "o1,data,Primary,2026-11-23 09:00,2026-11-23 18:00,Bo Chen"
    (tabs / "Overrides.csv").write_text(f"Id,Rotation,Role,Start,End,Person\n{row}\n")
    in_tabs = config.model_copy(update={"roster": str(tabs)})
    file = roster_file(in_tabs, config.directory())
    assert file is not None
    file.load(clock.now())
    roster = Roster(file)
    rows = RosterRows(roster, opened_store.store, opened_store.roster_rows, clock)
    made = taken_by_bo(MON, MON + timedelta(hours=9))
    await keep(opened_store, made)
    await rows.tick()
    clock.advance(hours=1)
    file.poll(clock.now())
    now = clock.now()
    await keep(opened_store, replace(made, ends_at=now, state=OverrideState.ENDED, changed_at=now))
    await rows.tick()
    changes = await opened_store.reader.changes(MON)
    assert roster.on_call(changes, now).at("data", "primary", now) == ("ana@example.com",)
    calendars = calendars_of(config, opened_store, roster, clock, Metrics(), config.directory())
    assert calendars is not None
    await calendars.refresh()
    link = calendars.link("ana@example.com")
    text = await calendars.serve("person", "ana@example.com", link.rpartition("=")[2])
    assert text is not None
    events = icalendar.Calendar.from_ical(text.plain.decode()).walk("VEVENT")
    mine = [(e.decoded("dtstart"), e.decoded("dtend")) for e in events]
    assert any(start <= now < end for start, end in mine), mine


def test_without_a_secret_and_google_there_is_nothing(
    tmp_path: Path, opened_store: OpenedStore, clock: FakeClock
) -> None:
    config = configured(tmp_path, "")
    roster = Roster(RosterFile(Path(config.roster or ""), config.directory()))
    args = (opened_store, roster, clock, Metrics(), config.directory())
    assert calendars_of(config, *args) is None
    assert calendars_of(configured(tmp_path), *args) is not None
    assert calendars_of(configured(tmp_path), opened_store, None, *args[2:]) is None


def test_who_does_not_use_google_does_not_load_it() -> None:
    code = (
        "import sys, bot.app.building, bot.cli.main;"
        "print({'googleapiclient', 'httplib2', 'icalendar'} & sys.modules.keys())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def taken_by_bo(start: datetime, end: datetime) -> Override:
    return Override(
        id="o1",
        rotation="data",
        role="primary",
        person="bo@example.com",
        starts_at=start,
        ends_at=end,
        by="bo@example.com",
        created_at=start,
    )


async def keep(store: OpenedStore, one: Override) -> None:
    async with store.store.begin() as tx:
        tx.roster.save_override(one)


# --- a whole bot -------------------------------------------------------------------------------


@pytest.fixture
async def following(
    database_url: str, tmp_path: Path
) -> AsyncIterator[tuple[Running, FakeGoogleCalendar]]:
    google = FakeGoogleCalendar()
    google.calendar(TEAM)
    with google.serving():
        (tmp_path / "key.json").write_text(service_account_key(google.url))
        more = (
            "calendar: {secret: s3cret-of-the-team, google: {credentials: key.json,"
            f' api_url: "{google.url}", calendars: {{data: {TEAM}}}}}}}\n'
        )
        async with started(database_url, tmp_path, speed=1.0, more=more) as running:
            yield running, google


def service_account_key(url: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "bot@project.iam.gserviceaccount.com",
            "private_key": pem.decode(),
            "token_uri": f"{url}token",
        }
    )


async def until(running: Running, true: Callable[[], bool]) -> None:
    clock = running.app.setting.clock
    async with asyncio.timeout(15):
        while not true():
            await clock.sleep_until(clock.now() + timedelta(seconds=0.05))


async def test_a_take_over_in_slack_reaches_google_and_the_feed(
    following: tuple[Running, FakeGoogleCalendar],
) -> None:
    running, google = following

    def shown() -> set[str]:
        return {event["summary"].split(" · ")[0] for event in google.calendar(TEAM).live()}

    await until(running, lambda: bool(shown()))
    before = google.calls["batch"]
    other = running.order[2]
    await running.workspace.command(other, "data-alerts", "/oncall take data 2h")
    await until(running, lambda: google.calls["batch"] > before)
    names = {"ana": "Ana Ruiz", "bo": "Bo Chen", "cy": "Cy Haddad"}
    assert names[other] in shown()
    await running.workspace.command(other, "data-alerts", "/oncall calendar")
    channel = running.workspace.conversation("data-alerts").id
    told = [m for m in running.workspace.messages(channel, viewer=other) if m.only_for]
    link = re.search(r"http://\S+?key=[0-9a-f]{40}", told[-1].text)
    assert link is not None, told[-1].text
    async with running.http.get(link[0]) as answer:
        assert answer.status == 200
        assert names[other] in await answer.text()
    calendars = running.app.calendars
    assert calendars is not None
    assert calendars.followers is not None
    followers = calendars.followers
    await until(running, lambda: followers.states[0].behind_since is None)
    async with running.http.get(f"{running.app.url}/readyz") as answer:
        assert "Google shows them all" in (await answer.json())["details"]["calendar"]
    async with running.http.get(f"{running.app.url}/metrics") as answer:
        assert 'watchbill_calendar_lag_seconds{rotation="data"}' in await answer.text()
