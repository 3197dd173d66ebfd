"""What Watchbill is held against: a bare aiohttp handler that parses the same JSON, answers 202.

`python -m tests.bench.bare PORT`
"""

import json
import sys

from aiohttp import web


async def _bare(request: web.Request) -> web.Response:
    json.loads(await request.read())
    return web.Response(status=202, body=b'{"delivery": "0"}', content_type="application/json")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/{path:.*}", _bare)
    port = int(sys.argv[1])
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, backlog=512, print=None)
