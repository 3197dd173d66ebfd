"""A receiver that stands in for the door: checks signatures, answers 202, keeps what came."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a-secret-of-the-tests"


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def delivery(self) -> str:
        return self.headers.get("x-watchbill-delivery", "")


@dataclass
class Recorder:
    """Everything that came, in order; `status` is what the next requests are answered."""

    url: str = ""
    status: int = 202
    delay: threading.Event | None = None
    requests: list[Received] = field(default_factory=list)
    refused: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, received: Received) -> int:
        if self.delay is not None:
            self.delay.wait(60)
        with self.changed:
            if self.status < 300:
                self.requests.append(received)
            else:
                self.refused += 1
            self.changed.notify_all()
            return self.status

    def wait_for(self, holds: Callable[[], bool], *, seconds: float = 10) -> bool:
        until = time.monotonic() + seconds
        with self.changed:
            while not holds():
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 1))
        return True

    def once(self) -> list[Received]:
        """Return what came, each delivery once, as the real door keeps it."""
        seen: dict[str, Received] = {}
        for number, one in enumerate(self.requests):
            seen.setdefault(one.delivery or str(number), one)
        return list(seen.values())


@contextmanager
def recording() -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = recorder.take(Received(self.path, headers, self.rfile.read(length)))
            try:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    recorder.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/test"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        if recorder.delay is not None:
            recorder.delay.set()
        server.shutdown()
        server.server_close()
        thread.join()
