"""Puts a workspace on a port of this machine."""

from dataclasses import dataclass

from aiohttp import web

from bot.workspace.control import Control
from bot.workspace.guard import refuses_strangers, require_loopback
from bot.workspace.page import Page
from bot.workspace.state import Workspace
from bot.workspace.web_api import LARGEST_BODY, WebApi


@dataclass
class RunningWorkspace:
    """A workspace that listens; `api_url` is what goes into `slack.api_url`."""

    workspace: Workspace
    url: str
    port: int
    runner: web.AppRunner
    api: WebApi
    page: Page

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    async def close(self) -> None:
        """Hang up, stop, and write the state if it has a file."""
        self.api.closing.set()
        self.page.live.close()
        await self.workspace.link.close()
        await self.workspace.sockets.close()
        await self.workspace.background.close()
        await self.runner.cleanup()
        self.workspace.save()


async def serve(
    workspace: Workspace,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    control_token: str | None = None,
) -> RunningWorkspace:
    """Listen on `host` (loopback only, else NotLoopbackError); port 0 takes a free one.

    `control_token` opens /control/ for tests in other processes.

    Raises OSError when the port is taken.
    """
    require_loopback(host)
    api = WebApi(workspace)
    app = web.Application(middlewares=[refuses_strangers()], client_max_size=LARGEST_BODY)
    page = Page(workspace)
    app.add_routes([*api.routes(), *page.routes()])
    app.add_routes([web.get("/socket", workspace.sockets.handle)])
    if control_token:
        app.add_routes(Control(workspace, control_token).routes())
    await workspace.background.open()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    try:
        await site.start()
    except OSError:
        await workspace.background.close()
        await runner.cleanup()
        raise
    bound = runner.addresses[0][1]
    shown = f"[{host}]" if ":" in host else host
    workspace.base_url = f"http://{shown}:{bound}"
    return RunningWorkspace(workspace, workspace.base_url, bound, runner, api, page)
