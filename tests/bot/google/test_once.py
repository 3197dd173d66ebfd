"""Answers without an end: whoever waits for one must be free again, as the roster waits, too."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException

import pytest

from bot.google.once import OnceHttp

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Answer = Callable[[socket.socket, threading.Event], None]


def drips(first: bytes) -> Answer:
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(first)
        while not over.wait(0.05):
            connection.sendall(b"a")

    return answer


def floods(connection: socket.socket, over: threading.Event) -> None:
    connection.sendall(HEAD + b"\r\n")
    while not over.is_set():
        connection.sendall(b" " * 1_000_000)


def breaks_off(connection: socket.socket, _over: threading.Event) -> None:
    connection.sendall(HEAD + b"Content-Length: 9\r\n\r\n{}")


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        try:
            with connection:
                connection.recv(65_536)
                answer(connection, over)
        except OSError:
            pass  # the other side has hung up, as it should

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if over.is_set():
                connection.close()
                return
            threading.Thread(target=one, args=[connection], daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        over.set()
        socket.create_connection(listener.getsockname()).close()
        thread.join(5)
        listener.close()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "answer",
    [
        drips(b""),
        drips(HEAD),
        drips(HEAD + b"\r\n"),
        drips(HEAD + b"Content-Length: 99999\r\n\r\n"),
        floods,
        breaks_off,
    ],
)
def test_an_answer_without_an_end_is_given_up(answer: Answer, method: str) -> None:
    def asks(url: str) -> None:
        http = OnceHttp(0.2)
        with suppress(HTTPException, OSError):
            http.request(url, method, body="" if method == "POST" else None)
        http.close()

    with serving(answer) as url:
        waiting = threading.Thread(target=asks, args=[url], daemon=True)
        waiting.start()
        waiting.join(8)
        assert not waiting.is_alive()
