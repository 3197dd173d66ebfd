"""`watchbill demo` as people start it: a real process."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.config.settings import environment

ROOT = Path(__file__).parents[3]
ORDER = (
    r"alert in +dbt sent orders_stale",
    r"page to \w+ +P1 #1 source raw\.orders .* promised to Finance by 07:30 .* Ack within",
    r"in the thread +Who is hit while Orders is broken",
    r"Blast radius of raw\.orders: 5 dashboards, 1 product",
    r"page to \w+ +P1 #1 .* Ack within",
    r"now says +🟡 P1 #1",
    r"ticks the first step",
    r"alert in +dbt sent orders_tests ",
    r"in the thread +Root cause of 3 alerts downstream",
    r"page to \w+ +P1 #2 unique on fct_orders\.order_id failed: 37 rows",
    r"now says +🟡 P1 #2",
    r"answer to \w+ +🟡 P1 #1 source raw\.orders",
    r"Why",
    r"Who is paged next",
    r"alert in +airflow sent payments_third_try",
    r"message +🔴 P1 #3 warehouse-",
    r"to data-alerts +🚨 Break-glass: \w+ \w+ takes warehouse-admin",
    r"to \w+ +🔓 You are in warehouse-admin since",
    r"answer to \w+ +Silence \w+ covers env=staging until",
    r"alert in +alertmanager sent warehouse_up",
    r"now says +🟢 P1 #3",
    r"alert in +generic sent checks_failed",
    r"Alert storm from generic",
    r"answer to \w+ +Acknowledged 11 incidents\.",
    r"alert in +dbt sent orders_tests_again",
    r"now says +🟢 P1 #1 ",
    r"now says +🟢 P1 #2 ",
    r"To be proved by the check after the run due tomorrow 05:10",
    r"So far: .* began before the fix was claimed: it proves nothing",
    r"answer to \w+ +\w+ \w+ did: Tell the readers of Orders",
    r"in the thread +📓 What should the next person know about #2 ",
    r"wrote the journal: “Removed the second copy",
    r"alert in +dbt sent orders_mended",
    r"✅ Proved: unique on fct_orders\.order_id passed",
    r"to \w+ +📓 #\d+ .* has no journal entry yet",
    r"message +🔴 P1 #16 unique on fct_orders\.order_id failed: 12 rows",
    r"📓 Seen once before \(#2, .*\): \w+ \w+ fixed it: “Removed the second copy.* · `/oncall journal 2`",
    r"answer to \w+ +1 open in production",
    r"All \d+ checks held",
)


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start it in an empty folder, which is also where temporary files go."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "demo", *arguments],
        cwd=folder,
        env={**environment(), "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def test_the_night_goes_as_it_should_and_is_told_in_order(tmp_path: Path) -> None:
    with demo(tmp_path, "--once") as process:
        said, _ = process.communicate(timeout=90)
    assert process.returncode == 0, said
    at = 0
    for pattern in ORDER:
        hit = re.compile(pattern).search(said, at)
        assert hit, f"{pattern} does not come where it should in:\n{said}"
        at = hit.end()
    # Pages overtake decoration: which of the two comes first is left open.
    assert re.search(r"#data-alerts +message +🔴 P1 #1 source raw\.orders is stale", said)
    assert re.search(r"now says +🟡 P1 #1 .*\n +🔗 Root cause of 3 alerts downstream", said)
    assert re.search(r"in the thread +Left to do after #2", said)
    assert re.search(r"page to \w+ +P1 #16 unique on fct_orders", said)
    second = re.findall(r"(\d\d:\d\d):\d\d +page to (\w+) +P1 #1 ", said)
    assert len(second) == 2
    assert second[0][1] != second[1][1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_takes_other_ports_when_its_own_are_taken_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    with closing(listening()) as one, closing(listening()) as other:
        ports = [taken.getsockname()[1] for taken in (one, other)]
        config = tmp_path / "config.yaml"
        text = (ROOT / "config.yaml").read_text(encoding="utf-8")
        text = text.replace("127.0.0.1:8080\n", f"127.0.0.1:{ports[0]}\n")
        listen = f"\nlocal_workspace: {{listen: 127.0.0.1:{ports[1]}}}\n"
        config.write_text(text + listen, encoding="utf-8")
        with demo(tmp_path, "-c", "config.yaml", "--speed", "100") as process:
            assert process.stdout
            said = ""
            while "sleeps on" not in said:
                line = process.stdout.readline()
                assert line, said
                said += line
            process.send_signal(number)
            said += process.communicate(timeout=20)[0]
    assert process.returncode == 0, said
    assert said.count("is taken, so another port is used") == 2
    assert "nothing is left behind" in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == [config]


def listening() -> socket.socket:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    return taken


def test_a_faulty_configuration_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("slack: {mode: locl}\n", encoding="utf-8")
    with demo(tmp_path, "-c", "config.yaml", "--once") as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "config.yaml:1" in said
    assert "Traceback" not in said
