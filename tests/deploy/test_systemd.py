"""The units are what systemd takes, and are shut in as far as it can tell."""

import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted(DEPLOY.glob("*.service")) + sorted(DEPLOY.glob("*.timer"))
EXPOSURE = {"watchbill.service": "15", "watchbill-backup.service": "35"}
"""The most that may be left open, in tenths of systemd's own measure, in which 10 is all."""


def analyzed(*words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_systemd_finds_no_fault(tmp_path: Path) -> None:
    for unit in UNITS:
        # its own programs are not installed here
        text = unit.read_text().replace("/opt/watchbill/bin/watchbill", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    done = analyzed("verify", "--man=no", *(str(tmp_path / unit.name) for unit in UNITS))
    ours = [line for line in done.stderr.splitlines() if "watchbill" in line]
    assert ours == []


def test_nothing_that_a_roster_can_break_stands_before_the_start() -> None:
    assert "ExecStartPre" not in (DEPLOY / "watchbill.service").read_text()


@pytest.mark.parametrize("name", EXPOSURE)
def test_a_service_is_shut_in(name: str) -> None:
    done = analyzed(
        "security", "--offline=true", f"--threshold={EXPOSURE[name]}", str(DEPLOY / name)
    )
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this systemd cannot look at a file")
    assert done.returncode == 0, done.stdout[-400:]
