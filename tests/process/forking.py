"""Starts processes from one that has loaded their modules, which is most of what a start takes.

What is forked goes on as `python -m <module>` does, from `main` on, and dies as any process does.
"""

import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A process to be: `python -m` these arguments, its whole environment, where its output goes."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: str


class Started(Protocol):
    """A child process, as subprocess has it."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | Any: ...
    def poll(self) -> int | None: ...
    def kill(self) -> None: ...
    def wait(self, timeout: float | None = None) -> int: ...


class Forked:
    """A child of the process that forks; that one is asked how it ended."""

    def __init__(self, pid: int, forks: "_Forks") -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._forks = forks

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._forks.ask(end_of=self.pid)
        return self.returncode

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        if self.poll() is None:
            self._ends(timeout)
        status = self.poll()
        assert status is not None
        return status

    def _ends(self, timeout: float | None) -> None:
        watched = os.pidfd_open(self.pid)
        try:
            if not select.select([watched], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        finally:
            os.close(watched)


class _Forks:
    """The other end of a process that forks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, **order: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@dataclass
class Forking:
    """Forks processes of modules, each from one that is loaded when it is first asked for."""

    _loaded: dict[str, _Forks] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def start(self, wanted: Wanted) -> Started:
        module = wanted.arguments[0]
        if module not in self._loaded:
            self._loaded[module] = _Forks(self._stack.enter_context(_loading(module)))
        forks = self._loaded[module]
        return Forked(forks.ask(**asdict(wanted)), forks)

    def close(self) -> None:
        self._stack.close()


@contextmanager
def _loading(module: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.process.forking", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin"},
    ) as process:
        yield process


def _load(module: str) -> None:
    """Load what `serve` loads at its start, or a module that is run by itself."""
    main = importlib.import_module(f"{module}.__main__")
    if module == "bot":
        main.commands(["serve"])
        importlib.import_module("bot.app.serving")
    del sys.modules[main.__name__]  # it is run as `__main__`, and anew


def _fork() -> Wanted | None:
    """Fork at each order; return in each child what it is to be, and None when no more orders come."""
    for line in sys.stdin:
        order = json.loads(line)
        if "end_of" in order:
            pid, status = os.waitpid(order["end_of"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        elif not (answer := os.fork()):
            return Wanted(**order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return None


def _become(wanted: Wanted) -> None:
    output = os.open(wanted.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)
    os.environ.clear()  # noqa: TID251 - it is another process's from here on
    os.environ.update(wanted.environment)  # noqa: TID251
    sys.argv = [*wanted.arguments]


if __name__ == "__main__":
    _load(sys.argv[1])
    if wanted := _fork():
        _become(wanted)
        runpy.run_module(wanted.arguments[0], run_name="__main__", alter_sys=True)
