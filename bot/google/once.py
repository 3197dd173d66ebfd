"""Sends a write to Google once: by itself httplib2 repeats any request that had no answer."""

from http.client import HTTPException
from typing import Any

import httplib2


class OnceHttp(httplib2.Http):  # type: ignore[misc] # the library has no types
    """An Http that follows no redirects and leaves repeating to whoever knows if it is safe."""

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self.follow_redirects = False

    def _conn_request(
        self, conn: Any, request_uri: str, method: str, body: Any, headers: Any
    ) -> Any:
        if method == "GET":
            return super()._conn_request(conn, request_uri, method, body, headers)
        answer = conn.getresponse

        def once() -> Any:
            try:
                return answer()
            except HTTPException as error:
                raise ConnectionResetError("no answer to a write") from error

        conn.getresponse = once
        try:
            return super()._conn_request(conn, request_uri, method, body, headers)
        finally:
            del conn.getresponse
