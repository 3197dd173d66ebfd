"""One target attacked for a while, led by which code each input reaches; run as a process.

`python -m tests.fuzz.guided <target> <folder> [libFuzzer's flags ...]`: needs atheris.
"""

import random
import sys
from collections.abc import Sequence
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bot", "rules"], enable_loader_override=False):
    from tests.fuzz.every import targets

from tests.fuzz.hostile import HOSTILE_BYTES
from tests.fuzz.mutation import mutate
from tests.fuzz.target import Target


def corpus(target: Target, folder: Path) -> Path:
    """Put the samples where the fuzzer begins; what it found before stays beside them."""
    place = folder / "corpus"
    place.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(target.seeds()):
        (place / f"sample-{number:03}").write_bytes(data)
    return place


def dictionary(folder: Path) -> Path:
    path = folder / "dictionary"
    path.write_text("".join(f'"{_escaped(one)}"\n' for one in HOSTILE_BYTES if len(one) < 60))
    return path


def _escaped(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)


def _mutator(samples: Sequence[bytes]) -> object:
    def mutator(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.5:
            return bytes(atheris.Mutate(data, most))
        return mutate(data, rng, rng.randrange(1, 5), samples)[:most]

    return mutator


def main(arguments: Sequence[str]) -> None:
    name, where, *flags = arguments
    target, folder = targets()[name], Path(where)
    place = corpus(target, folder)
    command = [sys.argv[0], f"-dict={dictionary(folder)}", "-max_len=100000", *flags, str(place)]
    atheris.Setup(command, target.attack, custom_mutator=_mutator(target.seeds()))
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
