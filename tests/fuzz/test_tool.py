"""The fuzzers themselves: what they make is the same again, and what falls over is found."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.mutation import LARGEST, mutate
from tests.fuzz.target import Target

SAMPLE = b'{"alerts": [{"labels": {"a": "b"}, "startsAt": "2026-11-23T03:00:00Z"}], "n": 1}'
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("sample", [SAMPLE, b"Start,End\n2026-11-16,x\n", b"", b"\xff\x00"])
def test_the_same_seed_makes_the_same_input(sample: bytes) -> None:
    made = [mutate(sample, random.Random(seed), 5, [sample]) for seed in range(200)]
    assert made == [mutate(sample, random.Random(seed), 5, [sample]) for seed in range(200)]
    assert len(set(made)) > 20
    assert all(len(data) <= LARGEST for data in made)


def test_every_field_is_reached_by_what_no_encoder_writes() -> None:
    made = b" ".join(mutate(SAMPLE, random.Random(seed), 2) for seed in range(3_000))
    for piece in (b"1e999", b"NaN", b"\\ud800", b"9" * 5_000, b"[" * 70, b'"a":1,"a":'):
        assert piece in made


def test_a_reader_that_takes_too_long_falls_over() -> None:
    slow = Target(
        name="slow", run=lambda _: sum(range(2_000_000)), seeds=lambda: [b""], seconds=0.001
    )
    with pytest.raises(AssertionError, match="slow: "):
        slow.attack(b"")


def test_a_fault_is_found_within_a_thousand_inputs() -> None:
    def read(data: bytes) -> None:
        if b"1e999" in data and b"startsAt" in data:
            raise ZeroDivisionError

    planted = Target(name="planted", run=read, seeds=lambda: [SAMPLE])
    found = 0
    for seed in range(1_000):
        try:
            planted.attack(mutate(SAMPLE, random.Random(seed), 3))
        except ZeroDivisionError:
            found += 1
    assert found > 5


@pytest.mark.timeout(400)
def test_coverage_leads_through_a_bounded_run(tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    command = [sys.executable, "-m", "tests.fuzz.guided", "matchers", str(tmp_path)]
    ran = subprocess.run(
        [*command, "-runs=3000", "-seed=1", "-timeout=60", f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT,
        capture_output=True,
        timeout=380,
        check=False,
    )
    said = ran.stderr.decode("utf-8", "replace")
    assert ran.returncode == 0, said[-2_000:]
    assert "cov: " in said
