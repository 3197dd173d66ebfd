"""The bench itself: its arithmetic, its tables, its gates, and what it says of wrong words."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench import __main__ as bench
from tests.bench import gates, page, past
from tests.bench.chart import drawn
from tests.bench.machine import Machine
from tests.bench.parts import PARTS, Part, chosen
from tests.bench.peers.columns import Cell, Column, standings
from tests.bench.peers.known import ALERTMANAGER, KNOWN
from tests.bench.peers.watchbill import all_told
from tests.bench.promises import PROMISES
from tests.bench.result import Result, Section
from tests.bench.rounds import Progress, Run
from tests.bench.table import Figure, of_rounds, promised, ratios, rendered
from tests.process.harness import Json

MACHINE = Machine(2, "a processor", 24.0, "ext4 on vda", "3.11.7", "3.40.1")
FAST = promised("accept", Figure("accepted / bare", 0.61, beside="610 against 1,000"))
SLOW = promised("page p50", Figure("request to page", 1_234.5, "ms"))


def result_of(*figures: Figure, columns: Sequence[Column] = (), others: float = 0.0) -> Result:
    return Result(MACHINE, [Section("ingest", "Ingest", figures, others)], 12.0, columns)


def test_ratios_are_taken_round_by_round() -> None:
    figure = of_rounds("one", ratios([50, 90, 20], [100, 100, 100]))
    assert (figure.value, figure.spread) == (0.5, (0.2, 0.9))


def test_rounds_of_unequal_number_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("value", "at_most", "kept"),
    [(5, True, True), (5.1, True, False), (5, False, True), (4.9, False, False)],
)
def test_a_bound_is_the_least_or_the_most(value: float, at_most: bool, kept: bool) -> None:
    assert Figure("one", value, bound=5, at_most=at_most).kept is kept


def test_no_gate_is_stricter_than_its_promise() -> None:
    for key, promise in PROMISES.items():
        if promise.gate is not None:
            looser = (
                promise.gate >= promise.bound if promise.at_most else promise.gate <= promise.bound
            )
            assert looser, key


def test_the_table_tells_what_was_promised_and_what_was_kept() -> None:
    fast, slow = rendered([FAST, SLOW])
    assert "0.61" in fast
    assert ">= 0.5" in fast
    assert "610 against 1,000" in fast
    assert "not kept" in slow
    assert "1,234 ms" in slow


def test_a_document_gets_its_tables_between_the_marks(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    page.write(path, result_of(FAST, SLOW))
    told = path.read_text()
    assert told.startswith(f"before\n{page.BEGIN}\n")
    assert told.endswith(f"{page.END}\nafter\n")
    assert "old" not in told
    assert "1 of 2 bounds were kept" in told
    assert "- request to page: 1,234 ms, promised <= 8 ms" in told
    assert not path.with_suffix(".svg").exists()


def test_a_document_without_marks_is_told_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "performance.md"
    path.write_text("no place\n")
    assert bench.main(["--write", str(path)]) == 2
    assert page.BEGIN in capsys.readouterr().err


def test_an_unknown_part_is_told_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--only", "ingest,speed"]) == 2
    said = capsys.readouterr().err
    assert "no part speed" in said
    assert "latency" in said


def test_all_usual_parts_run_where_none_is_named() -> None:
    assert {part.name for part in chosen([])} == {part.name for part in PARTS if part.usual}
    assert [part.name for part in chosen(["sheet"])] == ["sheet"]


def _never(_run: Run) -> list[Figure]:
    raise AssertionError("it is not measured here")


GATED = (Part("ingest", "Ingest", _never, 1, _never, 1), Part("core", "Core", _never, 1))


@pytest.mark.parametrize(
    ("runs", "status", "asked"),
    [
        ([[FAST]], 0, 1),
        ([[Figure("a", 0.1, gate=0.2)], [FAST]], 0, 2),
        ([[Figure("a", 0.1, gate=0.2)], [Figure("a", 0.1, gate=0.2)]], 1, 2),
    ],
)
def test_only_what_is_slow_twice_stops_a_change(
    runs: list[list[Figure]], status: int, asked: int
) -> None:
    measured: list[Sequence[Part]] = []
    left: Iterator[list[Figure]] = iter(runs)

    def measure(parts: Sequence[Part]) -> Result:
        measured.append(parts)
        return result_of(*next(left))

    assert gates.ask(GATED, measure, lambda _result: None) == status
    assert len(measured) == asked
    assert all([part.name for part in parts] == ["ingest"] for parts in measured)


def test_a_part_that_fails_costs_no_other_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(Path(), True, ExitStack(), Progress(1.0))
    section = bench._section(GATED[0], run, gates=False)
    assert "it is not measured here" in section.failed
    assert "it is not measured here" in capsys.readouterr().err
    assert gates.ask(GATED, lambda _parts: Result(MACHINE, [section], 1.0), lambda _told: None) == 1


def test_a_busy_machine_judges_nobody() -> None:
    slow = Figure("a", 0.1, gate=0.2)
    assert gates.ask(GATED, lambda _parts: result_of(slow, others=1.2), lambda _result: None) == 0


def test_only_those_that_store_anything_are_the_measure() -> None:
    ours = Column("Watchbill", here=True, stores=True, cells={"p50": Cell(8), "list": Cell(200)})
    volatile = Column("fast", here=True, stores=False, cells={"p50": Cell(1)})
    found = standings([ours, volatile, *KNOWN])
    assert [(one.row.key, one.of.split()[0], one.better) for one in found] == [
        ("p50", "Alerta", True),
        ("list", "Grafana", False),
    ]


def test_the_comparison_names_rows_that_others_win(tmp_path: Path) -> None:
    ours = Column(
        "Watchbill, SQLite", here=True, stores=True, cells={"p50": Cell(8), "list": Cell(200)}
    )
    path = tmp_path / "performance.md"
    path.write_text(f"{page.BEGIN}{page.END}")
    page.write(path, result_of(FAST, columns=[ours, ALERTMANAGER, *KNOWN]))
    told = path.read_text()
    assert "in 1 of 2 rows" in told
    assert "Not in: list with 100,000 stored (200 ms against 93 ms" in told
    assert "![Watchbill beside others](performance.svg)" in told
    assert "Watchbill" in path.with_suffix(".svg").read_text()


def test_all_are_told_once_the_storm_and_those_before_it_stand_in_the_channel() -> None:
    def call(second: int, text: str, **args: str) -> Json:
        args = {"channel": "C1", "text": text} | args
        return {"at": f"2026-11-22T03:00:{second:02}+00:00", "args": args}

    calls = [
        call(1, "P1 #2: Alert storm from tests: 1,998 alerts. Ack within 30 min.", channel="D1"),
        call(2, "P1 #1: orders is stale: it feeds the dashboard."),
        call(3, "P1 #2: Alert storm from tests: 900 alerts. Ack within 30 min."),
        call(4, "P1 #1: orders is stale: it feeds the dashboard."),
        call(5, "#3: a runbook", thread_ts="1"),
        call(6, "P1 #2: Alert storm from tests: 1,998 alerts. Ack within 30 min."),
        call(7, "P1 #4: users is stale."),
    ]
    assert all_told(calls, 1_999).second == 6
    with pytest.raises(ValueError, match="told of 2000 of 2001"):
        all_told(calls, 2_001)


def test_the_picture_is_an_svg_with_a_bar_for_each_figure() -> None:
    tree = ET.fromstring(drawn([ALERTMANAGER, *KNOWN]))
    bars = [one for one in tree if one.tag.endswith("rect")]
    assert len(bars) == 1 + 6 * 4


def test_what_is_copied_gets_keys_of_its_own() -> None:
    for table, changed in past._CHANGED.items():
        assert changed.keys() <= set(table.columns.keys()), table.name
        keys = {column.name for column in table.primary_key} & changed.keys()
        assert keys, table.name
        for column in table.columns:
            if column.unique:
                assert column.name in changed, f"{table.name}.{column.name}"
