"""What the roster's editors hear in Slack: each fault with its cell, once; a held version to confirm."""

from datetime import timedelta
from pathlib import Path

from tests.bot.app.conftest import Running, checked, started

EDITORS = "notices: {roster_editors: [dee@example.com]}\n"


def write(running: Running, change: tuple[str, str] | None = None, rows: int = 99) -> str:
    """Change the roster file; return what it held."""
    assert running.app.roster is not None
    path = Path(running.app.setting.config.roster or "")
    before = path.read_text()
    lines = before.splitlines()[:rows]
    text = "\n".join(lines) + "\n"
    temporary = path.with_suffix(".new")
    temporary.write_text(text.replace(*change) if change else text)
    temporary.replace(path)
    return before


async def test_an_editor_is_told_the_cell_once_for_each_version(
    database_url: str, tmp_path: Path
) -> None:
    async with started(database_url, tmp_path, more=EDITORS) as running:
        before = write(running, ("Ana Ruiz", "Anna Ruis"))
        told = await running.until_said("dee", "Anna Ruis")
        checked(told)
        assert "cannot be read" in told.text
        assert "The slot keeps its last good value (Ana Ruiz)." in told.text
        assert running.app.roster is not None
        assert running.app.roster.loaded.refused == ()
        count = len(running.said("dee"))
        write(running, (before, before))
        again = running.app.roster.loaded
        assert running.app.telling is not None
        await running.app.telling.tell(again)
        await running.app.telling.tell(again)
        assert len(running.said("dee")) == count


async def test_a_held_version_is_confirmed_by_its_button(database_url: str, tmp_path: Path) -> None:
    async with started(database_url, tmp_path, more=EDITORS) as running:
        write(running, rows=4)
        told = await running.until_said("dee", "is held")
        checked(told)
        assert held(running) == ["data"]
        outcome = await running.workspace.click("dee", told.channel, told.ts, "roster_confirm")
        assert outcome.acked
        clock = running.app.setting.clock
        for _ in range(20):
            if held(running):
                await clock.sleep_until(clock.now() + timedelta(seconds=30))
        assert held(running) == []


def held(running: Running) -> list[str]:
    assert running.app.roster is not None
    return list(running.app.roster.loaded.held)
