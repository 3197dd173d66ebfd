"""What the chart tells whoever installs it works when it is needed: when the bot is not ready."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

NOTES = Path(__file__).parents[2] / "deploy/helm/watchbill/templates/NOTES.txt"
REASON = b'{"ready": false, "checks": {"database": "the disk is full"}}'


class NotReady(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/readyz" else 404)
        self.end_headers()
        self.wfile.write(REASON)

    def log_request(self, *_words: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), NotReady)
    running = threading.Thread(target=server.serve_forever)
    running.start()
    yield server.server_port
    server.shutdown()
    running.join()
    server.server_close()


def test_the_notes_ask_a_bot_that_is_not_ready_for_its_reason(port: int) -> None:
    (code,) = re.findall(r'python -c "(.*)"$', NOTES.read_text(), re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", code.replace("127.0.0.1:8080", f"127.0.0.1:{port}")],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (REASON.decode(), "")
