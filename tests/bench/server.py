"""The processes under load: Watchbill's own hooks and store, and the engine behind them.

`python -m tests.bench.server accept PORT CONFIG` has the real /hooks and the real store;
`... process PORT CONFIG` the engine as well. What they are held against is tests.bench.bare.
"""

import asyncio
import signal
import sys
from pathlib import Path

from aiohttp import web
from sqlalchemy import text

from bot.app.application import Application, Setting
from bot.app.building import build
from bot.app.slack_side import SlackAccess
from bot.clock import SystemClock
from bot.config.file import load
from bot.config.settings import environment, use_our_zones
from bot.logs import set_up_logs

_WAITING = text("SELECT count(*) FROM inbound WHERE state = 'new'")


def _waiting(application: Application) -> web.Application:
    """Return the application's own web, and an address that tells what is still to be decided."""

    async def waiting(_request: web.Request) -> web.Response:
        async with application.store.database.read() as connection:
            found = (await connection.execute(_WAITING)).scalar_one()
        return web.json_response({"waiting": found})

    app = application._web()
    app.router.add_get("/waiting", waiting)
    return app


async def _application(config: Path) -> Application:
    loaded = load(config, environment())
    assert loaded.config is not None, loaded.faults
    assert loaded.parts is not None
    set_up_logs(level="warning", form="json", secrets=())
    access = SlackAccess(api_url="http://127.0.0.1:1/api/", bot_token="xoxb-nobody")
    return await build(
        Setting(config=loaded.config, parts=loaded.parts, clock=SystemClock(), access=access)
    )


async def _serve(mode: str, port: int, config: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    application = await _application(config)
    runner = web.AppRunner(_waiting(application), access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=512).start()
    async with asyncio.TaskGroup() as group:
        if mode == "process":
            group.create_task(application.engine.run())
        await stop.wait()
        application.engine.stop()
    await runner.cleanup()
    await application.slack.close()
    await application.session.close()
    await application.store.close()


if __name__ == "__main__":
    use_our_zones()
    mode, port, config = sys.argv[1:]
    asyncio.run(_serve(mode, int(port), Path(config)))
