"""What a start makes and never throws away again: modules, rules, the parts of the bot."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SELDOM = 50_000


@contextmanager
def lasting() -> Iterator[None]:
    """Let the collector look seldom while much is made that lasts, and not at that ever after.

    To look for garbage again and again among what only grows took a fifth of the start; each
    look through it all would stop everything else for 0.1 s.
    """
    usual = gc.get_threshold()
    gc.set_threshold(_SELDOM)
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*usual)


@contextmanager
def without(package: str) -> Iterator[None]:
    """Let what is imported meanwhile find that an optional package of its own is not there.

    Has no effect on one that is loaded already.
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # it means: not to be found
    try:
        yield
    finally:
        del sys.modules[package]
