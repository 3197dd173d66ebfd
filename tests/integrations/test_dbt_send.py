"""`watchbill send` and the script for dbt jobs, against a local receiver."""

import hashlib
import hmac
import importlib
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import courier
from bot.send import NOT_DELIVERED, NOT_READABLE, SENT, Destination, send
from bot.sources.dbt_artifacts import ArtifactError, documents
from bot.web.authentication import sign
from tests.fakes.deliveries import PAYLOADS
from tests.integrations.recorder import SECRET, Recorder, recording

DBT = PAYLOADS / "dbt"
REPO = PAYLOADS.parents[1]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with recording() as found:
        yield found


def destination(url: str, kind: str = "dbt") -> Destination:
    return Destination(source="shop", kind=kind, url=url, secret=SECRET)


class Console:
    """Keeps what is said, and how long was waited."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.waits: list[float] = []

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def send(self, url: str, *files: Path, kind: str = "dbt", **more: Any) -> int:
        return send(
            files, destination(url, kind), say=self.lines.append, sleep=self.waits.append, **more
        )


def test_results_are_joined_signed_and_stored(recorder: Recorder) -> None:
    console = Console()
    assert console.send(recorder.url, DBT / "run_results.json", DBT / "sources.json") == SENT
    results, freshness = recorder.requests
    digest = hmac.new(SECRET.encode(), results.body, hashlib.sha256).hexdigest()
    assert results.headers["x-watchbill-signature"] == f"sha256={digest}"
    assert results.json["artifact"] == "run_results"
    assert freshness.json["artifact"] == "sources"
    assert "Sending run_results.json part 1 (18 results) to shop" in console.text


def test_sending_twice_names_the_same_delivery(recorder: Recorder) -> None:
    for _ in range(2):
        Console().send(recorder.url, DBT / "run_results.json")
    first, second = recorder.requests
    assert first.delivery == second.delivery != ""


def test_only_the_nodes_that_are_needed_travel(recorder: Recorder) -> None:
    Console().send(recorder.url, DBT / "run_results_unit_test.json")
    (row,) = recorder.requests[0].json["results"]
    assert row["node"]["depends_on"] == ["model.shop.revenue"]
    assert row["node"]["attached"]["name"] == "revenue"
    assert len(recorder.requests[0].body) < 4_000


def test_a_failed_test_brings_its_model_group_and_owner(recorder: Recorder) -> None:
    Console().send(recorder.url, DBT / "run_results.json")
    rows = {row["unique_id"]: row for row in recorder.requests[0].json["results"]}
    node = rows["test.shop.accepted_values_fct_orders_status__paid__open.24c2e29eab"]["node"]
    assert node["attached"]["name"] == "fct_orders"
    assert node["attached"]["tags"] == ["tier1"]
    assert node["owner"]["slack"] == "finance-data"
    assert node["test"] == {"name": "accepted_values", "namespace": None}
    assert rows["exposure.shop.revenue_dashboard"]["node"]["depends_on"] == [
        "model.shop.revenue_report"
    ]


def test_without_a_manifest_the_results_go_alone(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "run_results.json").write_bytes((DBT / "run_results.json").read_bytes())
    assert Console().send(recorder.url, tmp_path / "run_results.json") == SENT
    assert all(row.get("node") is None for row in recorder.requests[0].json["results"])


def test_a_manifest_from_elsewhere_can_be_named(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "run_results.json").write_bytes((DBT / "run_results.json").read_bytes())
    Console().send(
        recorder.url, tmp_path / "run_results.json", manifest=DBT / "manifest.json", target="prod"
    )
    assert recorder.requests[0].json["project"] == "shop"
    assert recorder.requests[0].json["target"] == "prod"


def test_other_files_go_as_they_are(recorder: Recorder, tmp_path: Path) -> None:
    (tmp_path / "alert.json").write_bytes(b'{"title": "a"}')
    assert Console().send(recorder.url, tmp_path / "alert.json", kind="generic") == SENT
    (one,) = recorder.requests
    assert one.body == b'{"title": "a"}'
    assert one.headers["content-type"] == "application/json"


def test_a_bot_that_is_away_is_tried_again_and_then_said(recorder: Recorder) -> None:
    console = Console()
    assert console.send("http://127.0.0.1:9/hooks/shop", DBT / "sources.json") == NOT_DELIVERED
    assert console.waits == list(courier.WAITS)
    assert "Nobody answers at http://127.0.0.1:9/hooks/shop" in console.text
    assert "Is the bot running" in console.text
    assert "sending twice is harmless" in console.text


def test_a_busy_bot_gets_it_when_it_has_time(recorder: Recorder) -> None:
    recorder.status = 503
    lines: list[str] = []

    def wait(seconds: float) -> None:
        recorder.status = 202

    done = send([DBT / "sources.json"], destination(recorder.url), say=lines.append, sleep=wait)
    assert done == SENT
    assert recorder.refused == 1
    assert "Watchbill answered 503. Trying again in 1 s (2 of 5)." in lines


@pytest.mark.parametrize(
    ("status", "word"), [(401, "secret"), (404, "source"), (413, "larger"), (302, "elsewhere")]
)
def test_a_refusal_says_what_to_do_and_is_not_repeated(
    recorder: Recorder, status: int, word: str
) -> None:
    recorder.status = status
    console = Console()
    assert console.send(recorder.url, DBT / "sources.json") == NOT_DELIVERED
    assert console.waits == []
    assert recorder.refused == 1
    assert word in console.text


def test_a_long_wait_that_is_asked_for_is_bounded() -> None:
    receipts = courier.Receipt(429, "Watchbill answered 429.", 3_600)
    assert not receipts.final
    assert courier.LONGEST_WAIT == 60


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "has no results"),
        ('{"metadata": {}}', "has no results"),
        ('{"metadata": {}, "results": [1]}', "has no results"),
    ],
)
def test_a_file_that_is_no_artefact_is_named(
    recorder: Recorder, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "run_results.json").write_text(text)
    console = Console()
    assert console.send(recorder.url, tmp_path / "run_results.json") == NOT_READABLE
    assert words in console.text
    assert recorder.requests == []


@pytest.mark.parametrize("command", ["generate", "compile", "clone"])
def test_what_a_command_that_ran_nothing_wrote_is_not_sent(
    recorder: Recorder, tmp_path: Path, command: str
) -> None:
    found = json.loads((DBT / "run_results.json").read_text())
    found["args"]["which"] = command
    (tmp_path / "run_results.json").write_text(json.dumps(found))
    console = Console()
    assert console.send(recorder.url, tmp_path / "run_results.json") == NOT_READABLE
    assert f"run_results.json is of `{command}`, which runs nothing" in console.text
    assert recorder.requests == []


def test_a_file_that_is_not_there_does_not_stop_the_others(recorder: Recorder) -> None:
    console = Console()
    assert console.send(recorder.url, DBT / "none.json", DBT / "sources.json") == NOT_READABLE
    assert "none.json cannot be read: No such file or directory." in console.text
    assert len(recorder.requests) == 1


@pytest.mark.parametrize(
    "text", ["", "[", '{"nodes": {"a": ', '{"nodes": {"a": {}', "{,}", '{"a" 1}']
)
def test_a_broken_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"manifest\.json"):
        list(documents(DBT / "run_results.json", tmp_path / "manifest.json"))


def results_of(tmp_path: Path, rows: list[dict[str, Any]]) -> Path:
    file = tmp_path / "run_results.json"
    file.write_text(json.dumps({"metadata": {"invocation_id": "i"}, "results": rows}))
    return file


def test_thousands_of_results_become_parts_of_a_thousand(tmp_path: Path) -> None:
    rows = [{"unique_id": f"model.p.m{n}", "status": "success"} for n in range(2_500)]
    rows.append({"unique_id": "model.p.bad", "status": "error", "message": "x"})
    found = list(documents(results_of(tmp_path, rows)))
    assert [len(one["results"]) for one in found] == [1_000, 1_000, 501]
    assert [one["part"] for one in found] == [1, 2, 3]
    assert found[0]["results"][0]["unique_id"] == "model.p.bad"


def test_no_part_is_larger_than_the_door(tmp_path: Path) -> None:
    rows = [
        {"unique_id": f"model.p.m{n}", "status": "error", "message": "é" * 2_000}
        for n in range(900)
    ]
    sizes = [len(json.dumps(one)) for one in documents(results_of(tmp_path, rows))]
    assert max(sizes) < 1_000_000


def test_several_owners_are_told(tmp_path: Path) -> None:
    owners = {"owner": ["@ana", "@ben"], "subscribers": [{"no": "text"}], "tier": 1}
    node = {"name": "orders", "resource_type": "model", "config": {"meta": owners, "group": "shop"}}
    group = {"name": "shop", "owner": {"email": ["a@shop.example", "b@shop.example"]}}
    manifest = tmp_path / "manifest.json"
    found = {"nodes": {"model.p.orders": node}, "groups": {"group.p.shop": group}}
    manifest.write_text(json.dumps(found))
    results = results_of(tmp_path, [{"unique_id": "model.p.orders", "status": "error"}])
    (document,) = documents(results, manifest)
    (row,) = document["results"]
    assert row["node"]["meta"] == {"owner": "@ana, @ben", "tier": 1}
    assert row["node"]["owner"] == {"email": "a@shop.example, b@shop.example"}


def test_a_large_manifest_is_read_in_little_memory(tmp_path: Path) -> None:
    sql = "select 1 " * 1_000
    manifest = tmp_path / "manifest.json"
    with manifest.open("w") as file:
        file.write('{"metadata": {"project_name": "big"}, "nodes": {')
        for number in range(3_000):
            node = {"name": f"m{number}", "resource_type": "model", "raw_code": sql}
            file.write(("," if number else "") + f'"model.p.m{number}": {json.dumps(node)}')
        file.write('}, "macros": {"a": {"macro_sql": "x"}}}')
    results = results_of(tmp_path, [{"unique_id": "model.p.m2999", "status": "error"}])
    tracemalloc.start()
    (document,) = documents(results, manifest)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert document["results"][0]["node"]["name"] == "m2999"
    assert peak < manifest.stat().st_size / 2


@pytest.mark.parametrize("copied", [True, False])
def test_the_script_for_dbt_jobs_sends_the_same_bytes(
    recorder: Recorder, tmp_path: Path, copied: bool
) -> None:
    script = REPO / "integrations" / "dbt" / "watchbill_dbt.py"
    if copied:
        for file in (script, REPO / "bot/sources/dbt_artifacts.py", REPO / "bot/courier.py"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
        script = tmp_path / script.name
    env = {"WATCHBILL_URL": recorder.url, "WATCHBILL_SECRET": SECRET, "PATH": os.environ["PATH"]}  # noqa: TID251
    done = subprocess.run(
        [sys.executable, script, DBT / "run_results.json"],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    Console().send(recorder.url, DBT / "run_results.json")
    first, second = recorder.requests
    assert (first.body, first.delivery) == (second.body, second.delivery)


def test_the_script_says_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, REPO / "integrations/dbt/watchbill_dbt.py", DBT / "sources.json"],
        env={},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "Set WATCHBILL_URL" in done.stderr


def test_every_sender_signs_as_the_door_checks() -> None:
    body = b'{"a": 1}'
    sys.path.insert(0, str(REPO / "integrations" / "airflow"))
    client = importlib.import_module("watchbill_client")
    assert courier.signature(SECRET, body) == sign(SECRET, body)
    assert client.signature(SECRET.encode(), body) == sign(SECRET, body)
