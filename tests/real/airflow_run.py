"""Runs a real Airflow of its own home directory, and stops it again."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

HERE = Path(__file__).parent
CLIENT = HERE.parents[1] / "integrations" / "airflow"


@dataclass
class Airflow:
    bin: Path
    home: Path
    env: dict[str, str]
    broken: Path

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            [self.bin / "airflow", *words],
            env=self.env,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def add_dag(self, name: str) -> None:
        shutil.copy(HERE / "dags" / name, self.home / "dags" / name)


@contextmanager
def airflow(bin_dir: Path, home: Path, *, three: bool, url: str, secret: str) -> Iterator[Airflow]:
    for folder in ("dags", "plugins"):
        (home / folder).mkdir(parents=True)
    for module in CLIENT.glob("watchbill_*.py"):
        shutil.copy(module, home / "plugins" / module.name)
    broken = home / "broken"
    broken.touch()
    port = free_port()
    env = {
        "PATH": f"{bin_dir}:{os.environ['PATH']}",
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "BROKEN": str(broken),
        "WATCHBILL_URL": url,
        "WATCHBILL_SECRET": secret,
        "WATCHBILL_INSTANCE": "test-airflow",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "3",
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "3",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "3",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__SECRET_KEY": "only-for-this-test-run-0123456789abcdef",
        "AIRFLOW__API_AUTH__JWT_SECRET": "only-for-this-test-run-0123456789abcdef",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__WORKERS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    if three:
        env["AIRFLOW__CORE__EXECUTOR"] = "LocalExecutor"
        env["AIRFLOW__CORE__PARALLELISM"] = "2"
        api = ["api-server", "--host", "127.0.0.1", "--port", str(port)]
        parts = [api, ["scheduler"], ["dag-processor"], ["triggerer"]]
    else:
        env["AIRFLOW__CORE__EXECUTOR"] = "SequentialExecutor"
        parts = [["scheduler"]]
    running = Airflow(bin_dir, home, env, broken)
    running.add_dag("orders.py")
    running("db", "migrate")
    started = [_start(running, words) for words in parts]
    try:
        yield running
    finally:
        for process in started:
            _stop(process)


def _start(running: Airflow, words: list[str]) -> "subprocess.Popen[bytes]":
    with (running.home / f"{words[0]}.log").open("wb") as log:
        return subprocess.Popen(
            [running.bin / "airflow", *words],
            env=running.env,
            cwd=running.home,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
