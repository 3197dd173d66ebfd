"""Mounts a local Google Calendar beside the other services, under the addresses of the real one."""

from collections.abc import Mapping

from aiohttp import web

from bot.local_google.calendar import LocalCalendar


def calendar_mounts(calendar: LocalCalendar) -> Mapping[str, web.Application]:
    """Return the applications that `server.serve` mounts for it."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        target = request.rel_url.raw_path_qs
        reply = calendar.exchange(request.method, target, headers, body)
        if reply is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        said = {**reply.headers, "Content-Type": reply.content_type}
        return web.Response(status=reply.status, body=reply.content, headers=said)

    single, batch = web.Application(), web.Application()
    single.router.add_route("*", "/v3/{path:.*}", handle)
    batch.router.add_post("/calendar/v3", handle)
    return {"/calendar": single, "/batch": batch}
