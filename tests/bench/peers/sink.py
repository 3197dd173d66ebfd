"""A sink that takes what is meant for Slack and remembers when: `python -m tests.bench.peers.sink PORT`.

GET /taken tells the seconds, by the clock of this machine, and what each request was about.
"""

import sys
import time

from aiohttp import web

_taken: list[tuple[float, str]] = []


async def _take(request: web.Request) -> web.Response:
    _taken.append((time.clock_gettime(time.CLOCK_REALTIME), await request.text()))
    return web.Response(text="ok")


async def _tell(_request: web.Request) -> web.Response:
    found, _taken[:] = list(_taken), []
    return web.json_response(found)


if __name__ == "__main__":
    app = web.Application(client_max_size=64 * 2**20)
    app.router.add_post("/{path:.*}", _take)
    app.router.add_get("/taken", _tell)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
