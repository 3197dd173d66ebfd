"""The environments of real tools, each made once: `python -m tests.real.environments dbt` makes one."""

import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent


def environments() -> Path:
    """Return where the tools' environments are kept, made when they are first needed."""
    return Path(os.environ.get("WATCHBILL_REAL_ENVS", HERE.parents[1] / ".real")).absolute()


def environment(name: str) -> Path:
    """Return the bin directory of a tool's own environment, installing it when it is new.

    Who asks while another process installs it waits for that.
    """
    home = environments() / name
    done = home / "installed"
    wanted = (HERE / "constraints" / f"{name}.txt").read_text()
    home.mkdir(parents=True, exist_ok=True)
    with _alone(home.with_name(f"{name}.lock")):
        if not done.exists() or done.read_text() != wanted:
            _install(home, wanted)
            done.write_text(wanted)
    return home / "bin"


def _install(home: Path, wanted: str) -> None:
    # our pip serves, and only modules that a test imports are compiled, then: half of the time
    base = Path(sys.base_prefix) / "bin" / "python3"
    subprocess.run([base, "-m", "venv", "--without-pip", home], check=True)
    names = [line.split("  #")[0] for line in wanted.splitlines() if not line.startswith("#")]
    into = ["--disable-pip-version-check", "--python", str(home / "bin" / "python")]
    pip = [sys.executable, "-m", "pip", *into, "install", "-q", "--no-compile"]
    subprocess.run([*pip, *names], check=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(names: Sequence[str]) -> None:
    for name in names:
        environment(name)


if __name__ == "__main__":
    main(sys.argv[1:])
