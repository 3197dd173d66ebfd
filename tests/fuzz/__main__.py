"""Attacks every reader of outside input, and the HTTP server, and tells how to see it again.

`python -m tests.fuzz` (30 s a target), `python -m tests.fuzz --seconds 600 config matchers`,
`python -m tests.fuzz --replay config .fuzz/config/crash-…`
"""

import argparse
import hashlib
import importlib.util
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path

from bot.config.settings import environment
from tests.fuzz.every import targets
from tests.fuzz.mutation import mutate

HERE = Path(".fuzz")
HTTP = "http"
_REQUESTS_A_SECOND = 20
_HANG = 20
_MEMORY_MB = 2_000
_GRACE = 600
_LAST_LINES = 25


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(targets())}, {HTTP}")
    parser.add_argument("--seconds", type=int, default=30, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--unled", action="store_true", help="without atheris")
    parser.add_argument("--replay", nargs=2, metavar=("TARGET", "FILE"), help="one input again")
    asked = parser.parse_args()
    if asked.replay:
        name, file = asked.replay
        targets()[name].attack(Path(file).read_bytes())
        _say(f"{name}: nothing is wrong with {file}")
        return 0
    known = [*sorted(targets()), HTTP]
    if unknown := set(asked.targets) - set(known):
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    led = not asked.unled and importlib.util.find_spec("atheris") is not None
    if not led and not asked.unled:
        _say("atheris is not installed: inputs are made without looking at what they reach")
    names = asked.targets or known
    fallen = []
    for at, name in enumerate(names):
        attack = _served if name == HTTP else _led if led else _unled
        if not attack(name, asked.seconds, asked.seed, f"{at + 1}/{len(names)}"):
            fallen.append(name)
    _say(
        f"{len(names)} targets, {len(fallen)} fell over{': ' if fallen else ''}{', '.join(fallen)}"
    )
    return 1 if fallen else 0


def _served(name: str, seconds: int, seed: int, turn: str) -> bool:
    """Send hostile requests to a running bot, on SQLite and on PostgreSQL."""
    requests = str(seconds * _REQUESTS_A_SECOND)
    chosen = str(seed or random.randrange(1, 2**31))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "--timeout=3600", "tests/fuzz/test_http.py"],
        env={**environment(), "FUZZ_REQUESTS": requests, "FUZZ_SEED": chosen},
        capture_output=True,
        check=False,
    )
    if ran.returncode == 0:
        _say(f"{turn} {name}: {requests} requests")
        return True
    lines = ran.stdout.decode("utf-8", "replace").splitlines()
    told = [line for line in lines if line.startswith("E ")] or lines
    _say(f"{turn} {name}: FELL OVER\n" + "\n".join(told[:_LAST_LINES]))
    _say(f"  see it again: make fuzz ARGS='--seconds {seconds} --seed {chosen} {name}'")
    return False


def _led(name: str, seconds: int, seed: int, turn: str) -> bool:
    """Attack it with atheris, in a process of its own: a hang or a full memory ends that."""
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    before = _crashes(folder)
    command = (
        *(sys.executable, "-m", "tests.fuzz.guided", name, str(folder)),
        *(f"-max_total_time={seconds}", f"-timeout={_HANG}", f"-rss_limit_mb={_MEMORY_MB}"),
        *(f"-artifact_prefix={folder}/", "-print_final_stats=1", f"-seed={seed}"),
    )
    try:
        ran = subprocess.run(command, capture_output=True, timeout=seconds + _GRACE, check=False)
    except subprocess.TimeoutExpired:
        _say(f"{turn} {name}: did not end")
        return False
    lines = (ran.stdout + ran.stderr).decode("utf-8", "replace").splitlines()
    runs = next((one.split()[-1] for one in lines if "number_of_executed_units" in one), "?")
    if ran.returncode == 0:
        _say(f"{turn} {name}: {runs} inputs")
        return True
    _say(f"{turn} {name}: FELL OVER\n" + "\n".join(lines[-_LAST_LINES:]))
    for file in sorted(_crashes(folder) - before):
        _how_to_replay(name, str(file))
    return False


def _crashes(folder: Path) -> set[Path]:
    return {one for kind in ("crash", "timeout", "oom") for one in folder.glob(f"{kind}-*")}


def _unled(name: str, seconds: int, seed: int, turn: str) -> bool:
    target = targets()[name]
    samples = target.seeds()
    rng = random.Random(seed or None)
    end, runs = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = mutate(rng.choice(samples), rng, rng.randrange(1, 8), samples)
        runs += 1
        try:
            target.attack(data)
        except Exception:  # noqa: BLE001 - whatever it raises is what we look for
            _say(f"{turn} {name}: FELL OVER\n{traceback.format_exc(limit=-8)}")
            _how_to_replay(name, str(_keep(name, data)))
            return False
    _say(f"{turn} {name}: {runs} inputs")
    return True


def _keep(name: str, data: bytes) -> Path:
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"crash-{hashlib.sha256(data).hexdigest()[:16]}"
    path.write_bytes(data)
    return path


def _how_to_replay(name: str, file: str) -> None:
    _say(f"  see it again: make fuzz ARGS='--replay {name} {file}'")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(_main())
