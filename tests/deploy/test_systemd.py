"""The units are what systemd takes, and are shut in as far as it can tell."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
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


LOOK_AT = """
import os, sqlite3, sys
used = sqlite3.connect(sys.argv[1])
used.execute("SELECT count(*) FROM incident").fetchone()
print(*sorted({os.stat(sys.argv[1] + ending).st_uid for ending in ("", "-wal", "-shm")}))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be less than that")
def test_a_backup_leaves_nothing_that_the_bot_cannot_open(tmp_path: Path) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv")
    unit = (DEPLOY / "watchbill-backup.service").read_text()
    rights = re.findall(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)[0].split()
    left = ",".join(["-all", *(f"+{one.removeprefix('CAP_').lower()}" for one in rights)])
    database = tmp_path / "watchbill.db"
    with sqlite3.connect(database) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE incident (number)")
    made.close()
    for place in (tmp_path, database):
        os.chown(place, 12345, 12345)
    least = ["setpriv", f"--bounding-set={left}", f"--inh-caps={left}", sys.executable]
    done = subprocess.run(
        [*least, "-c", LOOK_AT, str(database)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == (["12345"], "")


@pytest.mark.parametrize("name", EXPOSURE)
def test_a_service_is_shut_in(name: str) -> None:
    done = analyzed(
        "security", "--offline=true", f"--threshold={EXPOSURE[name]}", str(DEPLOY / name)
    )
    if "Unknown" in done.stderr or "unrecognized" in done.stderr:
        pytest.skip("this systemd cannot look at a file")
    assert done.returncode == 0, done.stdout[-400:]
