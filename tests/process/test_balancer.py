"""The balancer of the replicas' tests: everybody's turn comes, and the dead are passed over."""

import aiohttp
from aiohttp import web

from tests.ports import free_port
from tests.process.balancer import balancing


async def echo(request: web.Request) -> web.Response:
    said = await request.text()
    return web.Response(status=202, text=f"{request.headers['Authorization']} {said}")


async def test_turns_are_taken_and_the_dead_are_passed_over() -> None:
    app = web.Application()
    app.router.add_post("/hooks/tests", echo)
    runner, port = web.AppRunner(app), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    alive, dead = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    headers = {"Authorization": "Bearer a-secret"}
    async with (
        balancing([alive, dead]) as balancer,
        aiohttp.ClientSession() as session,
    ):
        for _ in range(6):
            url = f"{balancer.url}/hooks/tests"
            async with session.post(url, data="hello", headers=headers) as answer:
                assert (answer.status, await answer.text()) == (202, "Bearer a-secret hello")
        assert sum(balancer.served.values()) == 6
    await runner.cleanup()


async def test_nobody_there_is_told_as_503() -> None:
    dead = [f"http://127.0.0.1:{free_port()}" for _ in range(2)]
    async with (
        balancing(dead) as balancer,
        aiohttp.ClientSession() as session,
        session.post(f"{balancer.url}/hooks/tests", data="hello") as answer,
    ):
        assert answer.status == 503
