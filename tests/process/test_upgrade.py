"""Versions from before the newest migrations, and this one, at work on one PostgreSQL."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from bot.store import schema
from tests.process.harness import REPOSITORY, Bot, alert, set_up, team, until
from tests.process.load import Sent
from tests.process.promises import count
from tests.process.stored import query, settled

MIGRATIONS = Path("bot/store/migrations/versions")
FILES = {one.name.partition("_")[0]: one for one in sorted((REPOSITORY / MIGRATIONS).glob("0*.py"))}
TEAMS = 4
BEFORE = sorted({list(FILES)[-2], schema.FLOOR})
"""The version before the newest migration, and the oldest that is promised to go on working."""


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"the history of this checkout does not reach back: {done.stderr.decode()}")
    return done.stdout


def _tree_of(revision: str, folder: Path) -> Path:
    """Write out the last commit whose newest migration was `revision`."""
    after = next(name for name in FILES if name > revision)
    added = _git("log", "--format=%H", "--diff-filter=A", "--", str(MIGRATIONS / FILES[after].name))
    if not added:
        pytest.skip(f"migration {after} is not committed, or the history is cut off before it")
    commit = added.decode().split()[-1]
    packed = _git("archive", f"{commit}^", "bot", "rules")
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(folder, filter="data")
    assert f'HEAD = "{revision}"' in (folder / "bot/store/schema.py").read_text(encoding="utf-8")
    return folder


@pytest.mark.timeout(400)
@pytest.mark.parametrize("revision", BEFORE)
async def test_both_versions_take_alerts_and_page_on_one_database(
    revision: str, tmp_path: Path, postgresql_database: str
) -> None:
    setup = set_up(tmp_path, postgresql_database, teams=TEAMS)
    (tmp_path / "new").mkdir()
    old = setup.bot
    old.process.tree = _tree_of(revision, tmp_path / "old-tree")
    new = Bot(
        tmp_path / "new",
        {**old.config, "roster": str(setup.roster)},
        old.process.environment,
    )
    sent = Sent()

    def send(bot: Bot, name: str) -> None:
        """Post a group of alerts of every team, each of which must be accepted."""
        for number in range(TEAMS):
            for part in range(2):
                key = f"{name}-{number}-{part}"
                body = alert(key, of=team(number), group=f"{name}-{number}")
                assert bot.post(body, delivery=key) == 202, f"{key} to {bot.url}"
                sent.accepted[key] = key

    async def paged() -> bool:
        return len(await setup.slack.pages()) >= TEAMS

    try:
        await setup.slack.start()
        await old.start()
        assert await _version(old) == revision
        send(old, "before")
        new.process.start()
        send(old, "while-it-migrates")
        await new.ready()
        assert await _version(new) == schema.HEAD
        send(old, "old-on-new-tables")
        send(new, "new-beside-old")
        await until(paged, "people are paged")
        await settled(new, 120)
        assert (await old.readiness())[0] == 200
        assert (await new.readiness())[0] == 200
        assert await old.process.terminate() == 0
        send(new, "after")
        await settled(new, 120)
        report = await count(new, setup.slack, sent)
    finally:
        for process in (old.process, new.process, setup.slack.process):
            process.kill()
    shown = "\n".join(report.lines())
    assert report.incidents == 5 * TEAMS, shown
    assert report.faults == [], shown
    assert report.doubled_pages == [], shown
    for bot in (old, new):
        assert "Traceback" not in bot.process.output()
        assert "database failed" not in bot.process.output()


async def _version(bot: Bot) -> str:
    return str((await query(bot, "SELECT version_num FROM alembic_version"))[0][0])
