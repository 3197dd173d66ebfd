"""Ports of tests: free, and none that a connection could be given before it is taken."""

import socket
from itertools import islice

from tests.ports import free_port, from_here


def test_a_port_that_is_taken_is_passed_over() -> None:
    after = free_port() + 1
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", after))
        assert free_port() != after


def test_no_port_is_given_twice_in_a_row_nor_one_of_connections() -> None:
    given = list(islice(from_here(), 30_000))
    assert len({*given}) == 22_000
    assert min(given) == 10_000
    assert max(given) < 32_768
