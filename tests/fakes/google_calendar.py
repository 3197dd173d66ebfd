"""The local Google Calendar on a port of its own, in a thread, for tests of what blocks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bot.local_google.calendar import Fault, LocalCalendar, RefusalError

__all__ = ["FakeGoogleCalendar", "Fault", "RefusalError"]


class FakeGoogleCalendar(LocalCalendar):
    """`url` is where it listens while `serving`."""

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.cut_answers = 0

    @contextmanager
    def serving(self) -> Iterator["FakeGoogleCalendar"]:
        """Listen; a call that no Google would understand fails the test at the end."""
        fake = self

        class Handler(_Handler):
            google = fake

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            server.daemon_threads = True
            self.url = f"http://127.0.0.1:{server.server_address[1]}/"
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()
        assert self.breaches == []


class _Handler(BaseHTTPRequestHandler):
    google: FakeGoogleCalendar
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers["Content-Length"])))

    def do_PUT(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        self._serve(b"")

    def _serve(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.google.exchange(self.command, self.path, headers, body)
        if reply is None:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(reply.status)
        for name, value in {
            "Content-Type": reply.content_type,
            "Content-Length": str(len(reply.content)),
            **reply.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        if self.google.cut_answers:
            self.google.cut_answers -= 1
            self.close_connection = True
            self.wfile.write(reply.content[: len(reply.content) // 2])
            return
        self.wfile.write(reply.content)

    def log_message(self, *args: object) -> None:
        """Say nothing: tests have their own words."""
