"""An action by webhook: called once, and honest about an answer that did not come."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web

from bot.ports.jobs import Job
from bot.runbooks.running import Action, ActionDeliverer, RunningParts
from bot.store.opening import OpenedStore
from bot.webhook import WebhookTarget, incident_payload, signed
from rules.runbooks.runbook import ActionRun, ActionState, action_key
from tests.bot.store.samples import incident
from tests.fakes.clock import FakeClock


async def ran(
    store: OpenedStore,
    clock: FakeClock,
    answer: Callable[[web.Request], web.Response] | None,
    pieces: Sequence[bytes] = (),
) -> tuple[ActionRun, list[web.Request]]:
    """Ask for an action and deliver it twice; return how it ended, and what was called."""
    made, seen = incident(1, clock.now()), list[web.Request]()
    run = ActionRun(key=action_key(made.id, 0, 1), incident_id=made.id, step=0, attempt=1,
                    action="restart", by="ana", asked_at=clock.now())  # fmt: skip
    async with store.store.begin() as tx:
        await tx.load_for([], now=clock.now(), window=timedelta(0))
        tx.save(made)
        tx.runbooks.ask(run)

    async def handle(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        if pieces:
            said = web.StreamResponse()
            await said.prepare(request)
            for piece in pieces:
                await said.write(piece)
                await asyncio.sleep(0)  # noqa: TID251 - the reader's turn
            return said
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        await request.read()
        return answer(request)

    app = web.Application()
    app.router.add_post("/restart", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/restart"
    job = Job.__new__(Job)
    object.__setattr__(job, "key", run.key)
    try:
        async with aiohttp.ClientSession() as session:
            deliverer = ActionDeliverer(
                RunningParts(
                    store=store.store,
                    reader=store.reader,
                    runbooks=store.runbooks,
                    clock=clock,
                    session=session,
                    actions={"restart": Action(url=url, timeout=timedelta(seconds=0.5))},
                    payload=incident_payload,
                    headers=lambda _, body, key: signed(WebhookTarget("", "s"), body, key),
                    hide=str,
                )
            )
            await deliverer.deliver(job)
            await deliverer.deliver(job)
    finally:
        await runner.cleanup()
    found = await store.runbooks.run(run.key)
    assert found is not None
    return found, seen


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, ActionState.DONE), (202, ActionState.DONE), (302, ActionState.FAILED),
     (404, ActionState.FAILED), (500, ActionState.FAILED)],
)  # fmt: skip
async def test_an_answer_decides_and_nothing_is_called_twice(
    status: int, state: ActionState, opened_store: OpenedStore, clock: FakeClock
) -> None:
    text = "restarted <!channel> " + "x" * 10_000
    run, seen = await ran(opened_store, clock, lambda _: web.Response(status=status, text=text))
    assert (run.state, len(seen)) == (state, 1)
    assert run.output.startswith(f"Answered {status}.\nrestarted <!channel>")
    assert len(run.output) < 4_100
    assert seen[0].headers["Idempotency-Key"] == run.key
    assert seen[0].headers["X-Watchbill-Signature"].startswith("sha256=")


async def test_no_answer_in_time_may_have_run(opened_store: OpenedStore, clock: FakeClock) -> None:
    run, seen = await ran(opened_store, clock, None)
    assert (run.state, len(seen)) == (ActionState.UNKNOWN, 1)
    assert "may have run" in run.output


async def test_an_answer_in_pieces_is_read_to_its_end(
    opened_store: OpenedStore, clock: FakeClock
) -> None:
    run, _ = await ran(opened_store, clock, None, pieces=(b"one ", b"two ", b"x" * 9_000))
    assert run.state is ActionState.DONE
    assert run.output.startswith("Answered 200.\none two xxx")
    assert len(run.output) <= 4_020
