"""Sends a write to Google once, and waits for no answer that is endless in time or size."""

import contextlib
import socket
import threading
from collections.abc import Sequence
from functools import partial
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any

import httplib2

MOST_BYTES = 64_000_000
_PART = 65_536
_TIME_OUTS = 6
"""So many time-outs a whole request may last: the time-out itself is that of each single read."""


class AnswerTooLongError(HTTPException):
    """More bytes than any answer that is meant."""


class OnceHttp(httplib2.Http):  # type: ignore[misc] # the library has no types
    """An Http that follows no redirects and leaves repeating to whoever knows if it is safe.

    httplib2 by itself repeats any request that had no answer.
    """

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self.follow_redirects = False
        self._longest = timeout * _TIME_OUTS

    def _conn_request(
        self, conn: Any, request_uri: str, method: str, body: Any, headers: Any
    ) -> Any:
        answer, over = conn.getresponse, threading.Event()
        sockets: list[socket.socket] = []

        def once() -> Any:
            try:
                if over.is_set():
                    raise ConnectionAbortedError
                sockets.append(conn.sock)  # the connection forgets it where the answer ends it
                response = answer()
            except (HTTPException, OSError) as error:
                if over.is_set():
                    raise TimeoutError("the answer took too long") from error
                if method == "GET" or not isinstance(error, HTTPException):
                    raise
                raise ConnectionResetError("no answer to a write") from error
            response.read = partial(_whole, response)
            return response

        conn.getresponse = once
        alarm = threading.Timer(self._longest, _hang_up, [sockets, over])
        alarm.daemon = True
        alarm.start()
        try:
            return super()._conn_request(conn, request_uri, method, body, headers)
        except (HTTPException, OSError):
            conn.close()  # what is left of an answer must not be taken for the next one
            raise
        finally:
            alarm.cancel()
            del conn.getresponse


def _hang_up(sockets: Sequence[socket.socket], over: threading.Event) -> None:
    over.set()
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _whole(response: HTTPResponse) -> bytes:
    expected = response.length
    found = bytearray()
    with contextlib.closing(response):
        while part := HTTPResponse.read(response, _PART):
            found += part
            if len(found) > MOST_BYTES:
                raise AnswerTooLongError(f"more than {MOST_BYTES} bytes")
    if expected is not None and len(found) < expected:
        raise IncompleteRead(bytes(found), expected - len(found))
    return bytes(found)
