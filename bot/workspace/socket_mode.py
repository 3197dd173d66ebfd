"""Socket Mode over a real WebSocket: hello, envelopes, acks, refreshes, several connections."""

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bot.workspace.link import UNREACHABLE, Ack, Kind, Retry
from bot.workspace.model import Json
from bot.workspace.records import Change, Records

MOST_CONNECTIONS = 10
TICKET_SECONDS = 60.0


@dataclass(eq=False)
class Connection:
    socket: web.WebSocketResponse
    transport: asyncio.Transport | None = None
    waiting: dict[str, asyncio.Future[Ack]] = field(default_factory=dict)


class SocketMode:
    """The server's end of every open connection of the app.

    Tests break it on purpose: `drop_all`, `refuse`, `ask_to_refresh`, `deaf`.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._turn = 0
        self._refusals = 0
        self.connections: list[Connection] = []
        self.opened = 0
        self.deaf = False

    # ------------------------------------------------------------ the door

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self._refusals > 0:
            self._refusals -= 1
            raise web.HTTPServiceUnavailable(text="refused")
        issued = self._records.tickets.pop(request.query.get("ticket", ""), None)
        if issued is None or self._records.stopwatch() - issued > TICKET_SECONDS:
            raise web.HTTPForbidden(text="invalid ticket")
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=1_000_000)
        await socket.prepare(request)
        if len(self.connections) >= MOST_CONNECTIONS:
            await socket.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await socket.close()
            return socket
        connection = Connection(socket, request.transport)
        self.connections.append(connection)
        self.opened += 1
        try:
            await socket.send_json(self._hello())
            self._records.changed(Change("connection"))
            await self._read(connection)
        finally:
            if connection in self.connections:
                self.connections.remove(connection)
            for future in connection.waiting.values():
                if not future.done():
                    future.set_result(Ack(ok=False, reason=UNREACHABLE))
            self._records.changed(Change("connection"))
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": {
                "host": "applink-local",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
            "connection_info": {"app_id": self._records.app_id},
        }

    async def _read(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type is not WSMsgType.TEXT:
                continue
            try:
                body = json.loads(frame.data)
            except json.JSONDecodeError:
                continue
            if not isinstance(body, dict):
                continue
            waiting = connection.waiting.get(str(body.get("envelope_id")))
            if waiting is not None and not waiting.done():
                waiting.set_result(Ack(ok=True, payload=body.get("payload")))

    # ------------------------------------------------------------ sending

    async def send(self, kind: Kind, payload: Json, retry: Retry | None = None) -> Ack:
        """Hand the payload to one connection, in turn; any of them may get it, as in Slack."""
        alive = [c for c in self.connections if not c.socket.closed]
        if not alive:
            return Ack(ok=False, reason=UNREACHABLE)
        self._turn += 1
        connection = alive[self._turn % len(alive)]
        envelope_id = self._records.secret()
        envelope: Json = {
            "envelope_id": envelope_id,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope["retry_attempt"] = retry.number if retry else 0
            envelope["retry_reason"] = retry.reason if retry else ""
        future: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        connection.waiting[envelope_id] = future
        try:
            async with asyncio.timeout(self._records.ack_seconds):
                if not self.deaf:
                    await connection.socket.send_json(envelope)
                return await future
        except TimeoutError:
            return Ack(ok=False, reason="http_timeout")
        except ConnectionError:
            return Ack(ok=False, reason=UNREACHABLE)
        finally:
            connection.waiting.pop(envelope_id, None)

    # ------------------------------------------------------------ trouble to order

    def drop_all(self) -> int:
        """Cut every connection without a goodbye; returns how many there were."""
        dropped = list(self.connections)
        for connection in dropped:
            if connection.transport is not None:
                connection.transport.abort()
        return len(dropped)

    def refuse(self, handshakes: int) -> None:
        """Answer the next WebSocket handshakes with 503."""
        self._refusals += handshakes

    async def ask_to_refresh(self, reason: str = "refresh_requested") -> None:
        """Tell every connection to reconnect, as Slack does every few hours."""
        for connection in list(self.connections):
            await connection.socket.send_json({"type": "disconnect", "reason": reason})

    async def close(self) -> None:
        for connection in list(self.connections):
            await connection.socket.close()
