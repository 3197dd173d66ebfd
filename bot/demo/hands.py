"""What the people of the story do in a thread: press a button, or fill in a form."""

from collections.abc import Iterator

from bot.demo.beats import Fill, Press
from bot.demo.watching import Seen, Watcher
from bot.workspace.state import Workspace

_WITHIN = 15.0
"""Seconds of the machine's own time that a button or a form may take on a busy machine."""


class NotThereError(Exception):
    """There is no such button or form, or it was refused; the text says which."""


async def press(watcher: Watcher, deed: Press, *, who: str, number: int) -> None:
    """Press it as `who`; raises NotThereError."""
    await _press(watcher, who, number, deed.button, deed.beside)


async def fill(watcher: Watcher, deed: Fill, *, who: str, number: int) -> None:
    """Open, fill in and submit it as `who`; raises NotThereError."""
    workspace = watcher.workspace
    await _press(watcher, who, number, deed.button, "")
    member = workspace.person(who).id
    wanted = {name for name, _ in deed.answers}

    def opened() -> str:
        view = workspace.top_view(member)
        return view.id if view and wanted <= set(_fields(view.payload["blocks"])) else ""

    try:
        view_id = await workspace.until(opened, _WITHIN)
    except TimeoutError:
        raise NotThereError(f"{who} waited in vain for the form of {deed.button!r}.") from None
    answers = {name: {name: answer} for name, answer in deed.answers}
    outcome = await workspace.submit(view_id, answers)
    if not outcome.acked or outcome.field_errors:
        raise NotThereError(f"{who}'s form was refused: {outcome.field_errors or outcome.error}")


async def _press(watcher: Watcher, who: str, number: int, button: str, beside: str) -> None:
    workspace = watcher.workspace

    def there() -> tuple[Seen, str] | None:
        offered = _offered(workspace, watcher.notes(number), button)
        return next((one for one in offered if beside in one[1]), None)

    try:
        note, block_id = await workspace.until(there, _WITHIN)
    except TimeoutError:
        raise NotThereError(f"{who} has no button {button!r} in the thread of #{number}.") from None
    outcome = await workspace.click(who, note.channel, note.ts, button, block_id=block_id)
    if not outcome.acked:
        raise NotThereError(f"{who}'s click was not answered: {outcome.error}")


def _offered(
    workspace: Workspace, notes: Iterator[Seen], button: str
) -> Iterator[tuple[Seen, str]]:
    for note in notes:
        message = workspace.channels[note.channel].find(note.ts)
        for block in message.blocks if message else ():
            if button in {element.get("action_id") for element in block.get("elements", ())}:
                yield note, str(block["block_id"])


def _fields(blocks: list[dict[str, object]]) -> Iterator[str]:
    for block in blocks:
        element = block.get("element")
        if isinstance(element, dict):
            yield str(element.get("action_id"))
