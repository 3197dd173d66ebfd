"""The people's side of the rotation in the whole application: real Slack clients, both databases."""

from collections.abc import Callable
from datetime import timedelta

from bot.clock import SystemClock
from bot.workspace.model import Message, View
from tests.bot.app.conftest import Running


async def until(true: Callable[[], bool]) -> None:
    """Wait for what no message tells of."""
    clock = SystemClock()
    for _ in range(200):
        if true():
            return
        await clock.sleep_until(clock.now() + timedelta(seconds=0.05))
    assert true()


async def until_primary(running: Running, person: str) -> None:
    rules, clock = running.app.rules, running.app.setting.clock

    def is_primary() -> bool:
        return rules.shown().at("data", "primary", clock.now()) == (f"{person}@example.com",)

    await until(is_primary)


async def heard(running: Running, who: str, words: str) -> Message:
    """Wait until somebody alone is told `words` in the channel."""
    channel = running.workspace.conversation("data-alerts").id

    def found() -> list[Message]:
        seen = running.workspace.messages(channel, viewer=who)
        return [m for m in seen if m.only_for and words in str((m.text, m.blocks))]

    assert await running.workspace.until(lambda: bool(found()), seconds=10), words
    return found()[-1]


async def clicked(running: Running, who: str, message: Message, action: str) -> None:
    outcome = await running.workspace.click(who, message.channel, message.ts, action)
    assert outcome.acked


async def top(running: Running, person: str, callback: str) -> View:
    workspace = running.workspace
    user = workspace.person(person).id

    def found() -> list[View]:
        stack = [workspace.views[v] for v in workspace.stacks.get(user, [])]
        return [v for v in stack[-1:] if v.payload["callback_id"] == callback]

    assert await workspace.until(lambda: bool(found()), seconds=10)
    return found()[0]


async def test_cover_is_asked_taken_and_given_back(running: Running) -> None:
    primary, _, other = running.order
    await running.workspace.command(primary, "data-alerts", "/oncall cover")
    asked = await running.until_said("data-alerts", "asks for cover")
    await clicked(running, other, asked, "cover_accept")
    taken = await running.until_said("data-alerts", "takes it. Thank you!")
    assert taken.ts == asked.ts
    await running.until_said(primary, "covers primary of data for you")
    await until_primary(running, other)
    await running.workspace.command("dee", "data-alerts", "/oncall who")
    await heard(running, "dee", "override by")
    await clicked(running, primary, taken, "override_undo")
    await running.until_said("data-alerts", "has it back")
    await until_primary(running, primary)
    assert len([m for m in running.said("data-alerts") if "asks for cover" in m.text]) == 1


async def test_two_shifts_are_swapped_by_a_direct_message(running: Running) -> None:
    workspace, (primary, secondary, other) = running.workspace, running.order
    rules, clock = running.app.rules, running.app.setting.clock
    named = {p: f"{p}@example.com" for p in running.order}
    ahead = {
        span.people[0]: span
        for span in reversed(rules.shown().spans("data", "primary"))
        if span.start > clock.now() + timedelta(days=1)
    }
    mine, theirs = ahead[named[secondary]], ahead[named[other]]
    user = workspace.person(other)
    text = (
        f"/oncall swap {mine.start + timedelta(hours=3):%Y-%m-%d} <@{user.id}|{user.name}>"
        f" {theirs.start + timedelta(hours=3):%Y-%m-%d}"
    )
    await workspace.command(secondary, "data-alerts", text)
    asked = await running.until_said(other, "to swap shifts")
    assert rules.shown().at("data", "primary", mine.start) == (named[secondary],)
    await clicked(running, other, asked, "swap_accept")
    await running.until_said(secondary, "Agreed and in force")
    await running.until_said(secondary, "Swapped:")

    def swapped() -> bool:
        on_call = rules.shown()
        return on_call.at("data", "primary", mine.start) == (named[other],) and on_call.at(
            "data", "primary", theirs.start
        ) == (named[secondary],)

    await until(swapped)
    assert running.said(primary) == []


async def test_the_home_asks_for_cover_of_a_shift(running: Running) -> None:
    workspace, primary = running.workspace, running.order[0]
    await workspace.open_home(primary)
    user = workspace.person(primary).id
    assert await workspace.until(lambda: user in workspace.homes, seconds=10)
    home = workspace.homes[user]
    block = next(b["block_id"] for b in home.payload["blocks"] if "home_cover" in str(b))
    clicked_ = await workspace.click_view(home.id, "home_cover", block_id=block)
    assert clicked_.acked
    form = await top(running, primary, "cover")
    values = {block: {block: form_value(form, block)} for block in ("from", "to")}
    assert (await workspace.submit(form.id, {**values, "why": {"why": "dentist"}})).acked
    asked = await running.until_said("data-alerts", "asks for cover")
    assert "dentist" in str(asked.blocks)


async def test_the_load_is_told_and_drawn(running: Running) -> None:
    workspace, primary = running.workspace, running.order[0]
    await workspace.command(primary, "data-alerts", "/oncall load")
    told = await heard(running, primary, "Load of all rotations")
    assert "would be fair" in str(told.blocks)
    outcome = await workspace.click(primary, told.channel, told.ts, "load_draw")
    assert outcome.acked
    shared = await running.until_said(primary, "On-call load of all rotations")
    (file,) = shared.files
    assert str(file["name"]).startswith("load-")


def form_value(form: View, block: str) -> str:
    found = next(b for b in form.payload["blocks"] if b.get("block_id") == block)
    return str(found["element"]["initial_value"])
