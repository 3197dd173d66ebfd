"""Folders of Markdown become runbooks; what is wrong is told with its place, the rest counts."""

from pathlib import Path

from bot.runbooks.reading import read_runbooks, stamps
from tests.rules.runbooks.test_document import GOOD


def test_a_checkout_is_read_with_its_folders_and_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("late.md", "finance/late.md", "README.md", ".git/x.md", "notes.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(GOOD.replace("product: orders", f'product: "{name}"'))
    read = read_runbooks([str(tmp_path)], ["clear-task"], link="https://git.example/main/")
    assert read.faults == ()
    assert sorted(one.id for one in read.runbooks) == ["finance/late", "late"]
    late = read.runbooks.named("finance/late.md")
    assert late is not None
    assert late.url == "https://git.example/main/finance/late.md"


def test_a_broken_file_is_left_out_and_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(GOOD)
    (tmp_path / "bad.md").write_text(GOOD.replace("owner:", "ownr:"))
    (tmp_path / "latin.md").write_bytes(b"---\nowner: J\xf6\n---\n")
    read = read_runbooks([str(tmp_path), str(tmp_path / "nowhere")], ["clear-task"])
    assert [one.id for one in read.runbooks] == ["good"]
    told = [str(fault).removeprefix(f"{tmp_path}/") for fault in read.faults]
    assert any(one.startswith("bad.md:3: unknown key `ownr`") for one in told), told
    assert any(one.startswith("latin.md:2: not UTF-8") for one in told), told
    assert any("no such folder" in one for one in told), told


def test_an_action_that_nobody_declared_is_a_fault_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text(GOOD)
    (fault,) = read_runbooks([str(tmp_path)], ["clear-tasks"]).faults
    assert fault.line == 8
    assert 'has no "clear-task"' in fault.message
    assert "clear-tasks" in fault.message


def test_two_that_match_alike_and_two_of_one_name_are_told(tmp_path: Path) -> None:
    for name in ("a/late.md", "b/late.md", "b/other.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(GOOD)
    read = read_runbooks([str(tmp_path / "a"), str(tmp_path / "b")], ["clear-task"])
    assert ["rename this one" in fault.message for fault in read.faults] == [True]
    assert ["narrow one of them" in fault.message for fault in read.warnings] == [True]


def test_a_change_is_seen(tmp_path: Path) -> None:
    before = stamps([str(tmp_path)])
    (tmp_path / "new.md").write_text(GOOD)
    assert stamps([str(tmp_path)]) != before
