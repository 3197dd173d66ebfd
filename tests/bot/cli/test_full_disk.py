"""A command whose words find no room says so, in words."""

import subprocess
import sys
from pathlib import Path


def test_a_full_disk_is_no_traceback() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bot", "manifest"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "Nothing more can be written: the disk is full. Make room, then try again.\n"
    )
