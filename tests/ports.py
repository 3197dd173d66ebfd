"""Ports for servers of tests that must name theirs before they listen."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress

_FIRST, _END = 10_000, 32_000
"""Below those that the system gives to connections, so that none of them takes it meanwhile."""


def free_port() -> int:
    """Return a port of this machine that nobody has."""
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("they never end")


def from_here() -> Iterator[int]:
    """Yield ports without end; processes side by side begin a hundred ports apart."""
    port = _FIRST + os.getpid() * 100 % (_END - _FIRST)
    while True:
        yield port
        port = port + 1 if port + 1 < _END else _FIRST


_ports = from_here()
