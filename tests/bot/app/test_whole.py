"""The whole road: a webhook in, Slack out, a click back, over real HTTP and WebSocket."""

import tzdata

from bot.workspace.model import Message
from tests.bot.app.conftest import Running, checked

BROKEN = {"title": "orders table is late", "severity": "error", "id": "orders"}
WHOLE = {**BROKEN, "status": "resolved"}


def buttons(message: Message) -> set[str]:
    return {
        str(element["action_id"])
        for block in message.blocks
        if block["type"] == "actions"
        for element in block["elements"]
    }


async def test_an_alert_is_shown_paged_escalated_acknowledged_and_resolved(
    running: Running,
) -> None:
    primary, secondary, _ = running.order
    assert await running.post("generic", BROKEN) == 202
    root = await running.until_said("data-alerts", "orders table is late")
    checked(root)
    assert {"ack", "resolve", "overflow"} <= buttons(root)
    page = await running.until_said(primary, "orders table is late")
    checked(page)
    second = await running.until_said(secondary, "orders table is late")
    outcome = await running.workspace.click(secondary, second.channel, second.ts, "ack")
    assert outcome.acked
    acked = await running.until_said("data-alerts", "Acknowledged")
    assert acked.ts == root.ts
    assert "ack" not in buttons(acked)
    await running.until_said(primary, "Acknowledged")
    assert await running.post("generic", WHOLE) == 202
    resolved = await running.until_said("data-alerts", "Resolved")
    assert resolved.ts == root.ts
    assert len(running.said("data-alerts")) == 1
    assert len(running.said(primary)) == len(running.said(secondary)) == 1


async def test_words_of_the_command_do_what_buttons_do(running: Running) -> None:
    primary, _, other = running.order
    await running.post("generic", BROKEN)
    await running.until_said(primary, "orders table is late")
    outcome = await running.workspace.command(other, "data-alerts", "/oncall ack 1")
    assert outcome.acked
    await running.until_said("data-alerts", "Acknowledged")
    await running.workspace.command(other, "data-alerts", "/oncall resolve 1 reran it")
    await running.until_said("data-alerts", "reran it")


async def test_a_dead_button_answers(running: Running) -> None:
    primary = running.order[0]
    await running.post("generic", BROKEN)
    page = await running.until_said(primary, "orders table is late")
    await running.workspace.click(primary, page.channel, page.ts, "ack")
    await running.until_said(primary, "Acknowledged")
    outcome = await running.workspace.command(running.order[2], "data-alerts", "/oncall ack 1")
    assert outcome.acked

    def told() -> bool:
        channel = running.workspace.conversation("data-alerts").id
        seen = running.workspace.messages(channel, viewer=running.order[2])
        return any("already has" in m.text for m in seen)

    assert await running.workspace.until(told, seconds=10)


async def test_somebody_can_be_paged_by_hand(running: Running) -> None:
    _, _, other = running.order
    user = running.workspace.person(other)
    text = f"/oncall page <@{user.id}|{user.name}> the dashboard is empty"
    await running.workspace.command("dee", "data-alerts", text)
    await running.until_said(other, "the dashboard is empty")


async def test_taking_over_changes_who_is_paged(running: Running) -> None:
    primary, _, other = running.order
    await running.workspace.command(other, "data-alerts", "/oncall take 2h")
    now = running.app.setting.clock.now
    reader = running.app.store.reader

    async def taken() -> bool:
        overrides = await reader.overrides(now())
        return bool(overrides)

    for _ in range(200):
        if await taken():
            break
        await running.app.setting.clock.sleep_until(now().replace(microsecond=0))
    await running.post("generic", BROKEN)
    await running.until_said(other, "orders table is late")
    (told,) = running.said(primary)
    assert "changed who is primary" in told.text


async def test_unreadable_bodies_are_alerts_with_a_link_to_the_body(running: Running) -> None:
    assert await running.post("alertmanager", {"nonsense": True}) == 202
    root = await running.until_said("data-alerts", "/deliveries/")
    checked(root)
    link = str(root.blocks).split("http://")[1].split("|")[0].split(">")[0].split("'")[0]
    async with running.http.get("http://" + link.replace("&amp;", "&")) as answer:
        assert answer.status == 200
        assert "nonsense" in await answer.text()


async def test_the_probes_tell_the_truth(running: Running) -> None:
    await running.post("generic", BROKEN)
    await running.until_said(running.order[0], "orders table is late")
    async with running.http.get(running.app.url + "/readyz") as answer:
        told = await answer.json()
    assert told["ready"], told
    assert told["details"]["zones"] == f"tzdata {tzdata.IANA_VERSION}"
    acked = await running.until_said(running.order[0], "orders table is late")
    await running.workspace.click(running.order[0], acked.channel, acked.ts, "ack")
    await running.until_said(running.order[0], "Acknowledged")
    async with running.http.get(running.app.url + "/metrics") as answer:
        text = await answer.text()
    assert 'watchbill_pages_total{outcome="delivered"} 1.0' in text
    assert 'watchbill_alerts_total{source="generic",status="firing"} 1.0' in text
