"""The rules of the house that no linter knows: imports of `rules`, sizes, broad excepts, paths."""

import ast
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot
import rules

REPO = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

PURE = {
    *("bisect", "collections", "dataclasses", "datetime", "difflib", "enum", "fractions"),
    *("functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "re", "typing"),
    *("types", "unicodedata", "zoneinfo", "rules"),
}
"""What the rules may import: values and arithmetic, nothing that touches the world."""

IMPURE = {"print", "open", "input", "eval", "exec", "__import__", "breakpoint"}

READERS = {
    "rules/documents/category_spec.py": {"pydantic"},
    "rules/cron.py": {"cronsim"},
    "rules/matching/expression.py": {"cel_expr_python"},
    "rules/documents/journal_spec.py": {"pydantic"},
    "rules/documents/overruling_spec.py": {"pydantic"},
    "rules/documents/priority_spec.py": {"pydantic"},
    "rules/documents/rulebook_spec.py": {"pydantic"},
    "rules/documents/runbook_spec.py": {"pydantic"},
    "rules/documents/spec.py": {"pydantic"},
    "rules/documents/strict_yaml.py": {"pydantic", "pydantic_core", "yaml"},
    "rules/documents/tasks_spec.py": {"pydantic"},
    "rules/documents/verification_spec.py": {"pydantic"},
}
"""The places where YAML becomes a rulebook, and the one that reads CEL."""

BROAD_EXCEPTS = {
    "bot/app/application.py": "what is done beside paging must not end it: counted, tried again",
    "bot/calendar/following.py": "a calendar must never stop the paging: logged, tried again",
    "bot/engine/engine.py": "the wake-up loop: one bad incident must not stop the others",
    "bot/outbox.py": "the outbox loop: one bad job must not stop the others",
    "bot/outbox": "the same, where it is a package",
    "bot/picture/raster.py": "a panic of native code becomes a picture that is missing",
    "bot/sources/registry.py": "a parser's fault becomes an unreadable alert",
    "bot/web/answers.py": "a fault of ours is logged and answered with 500",
    "bot/web/probes.py": "a check that breaks is a check that fails",
}
"""Where any exception at all is caught, and why; everywhere else it is named."""

LONGEST_FILE, LONGEST_FUNCTION, P90_FUNCTION, MEDIAN_FUNCTION = 400, 60, 25, 8

MACHINE_PATH = re.compile(r"(?<![\w.$}-])/(?:home|root|Users|work)/[A-Za-z]")
MACHINE_HOST = re.compile(
    r"(?<![\d.])(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}(?![\d.])"
)
INDEX = re.compile(
    r"pythonhosted\.|pypi\.org/simple|^--?(?:extra-)?index-url|^--find-links", re.MULTILINE
)


def product() -> list[Path]:
    return sorted(p for root in ("bot", "rules") for p in (REPO / root).rglob("*.py"))


def place(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    """Yield each function with its lines, docstring and decorators not counted."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                first = node.body[0]
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield f"{place(path)}:{node.name}", lines


def test_both_packages_come_from_this_repository() -> None:
    assert {Path(str(p.__file__)).resolve().parent.parent for p in (bot, rules)} == {REPO}


def test_rules_import_only_what_is_pure() -> None:
    wrong = {
        (place(path), name)
        for path in (REPO / "rules").rglob("*.py")
        for name in imported(path)
        if name.split(".")[0] not in PURE | READERS.get(place(path), set())
    }
    assert wrong == set()


def test_rules_neither_await_nor_print_nor_open() -> None:
    wrong = set()
    for path in (REPO / "rules").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                wrong.add((place(path), node.lineno, "async"))
            elif isinstance(node, ast.Name) and node.id in IMPURE:
                wrong.add((place(path), node.lineno, node.id))
    assert wrong == set()


def test_files_and_functions_stay_small() -> None:
    files = {place(p): len(p.read_text().splitlines()) for p in product()}
    assert {p: n for p, n in files.items() if n > LONGEST_FILE} == {}
    functions = [pair for path in product() for pair in function_lengths(path)]
    assert {f: n for f, n in functions if n > LONGEST_FUNCTION} == {}
    lengths = sorted(n for _, n in functions)
    assert statistics.median(lengths) <= MEDIAN_FUNCTION
    assert lengths[int(len(lengths) * 0.9)] <= P90_FUNCTION


def test_only_named_places_catch_everything() -> None:
    found = set()
    for path in product():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node) and not _passes_on(node):
                found.add(place(path))
    places = tuple(BROAD_EXCEPTS)
    assert {f for f in found if not f.startswith(places)} == set()


def _is_broad(handler: ast.ExceptHandler) -> bool:
    named = ast.unparse(handler.type) if handler.type else "BaseException"
    return re.search(r"\b(Base)?Exception\b", named) is not None


def _passes_on(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def tracked() -> list[Path]:
    """Return the repository's own text files; without git there is no way to tell them apart."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [REPO / name for name in listed.stdout.split("\0") if name]
    return [p for p in paths if p.is_file() and b"\0" not in p.read_bytes()]


def test_no_file_knows_a_machine() -> None:
    wrong = []
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        if path == Path(__file__).resolve():
            continue
        if place(path).startswith(("tests/payloads/", "tests/real/")):  # recorded elsewhere
            patterns = [INDEX]
        elif place(path).startswith("tests/"):  # tests name strangers' hosts to see them refused
            patterns = [INDEX, MACHINE_PATH]
        else:
            patterns = [INDEX, MACHINE_PATH, MACHINE_HOST]
        wrong += [(place(path), hit[0]) for p in patterns if (hit := p.search(text))]
    assert wrong == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "see /home/ana/watchbill"),
        (MACHINE_PATH, '"/' + 'root/watchbill.db"'),
        (MACHINE_HOST, "http://192.168.1.7:8080"),
        (MACHINE_HOST, "bind 10.1.2.3"),
        (INDEX, "--index-url https://mirror.example/simple"),
    ],
)
def test_a_machine_in_a_file_is_seen(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)


def test_every_dependency_says_why() -> None:
    text = (REPO / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"].values()
    for requirement in [*project["dependencies"], *(r for extra in extras for r in extra)]:
        line = next(line for line in text.splitlines() if f'"{requirement}"' in line)
        assert re.search(r"#\s+\S.{5}", line), f"{requirement}: say why, in a comment"


def test_the_guide_names_only_what_is_there() -> None:
    guide = (REPO / "docs/contributing.md").read_text()
    named = set(re.findall(r"`((?:bot|rules|tests|docs)/[\w/.-]+)`", guide))
    assert len(named) > 20
    assert {path for path in named if not (REPO / path).exists()} <= {"tests/browser/"}


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return what the import contracts say of a copy with a fault of every kind in it."""
    copy = tmp_path_factory.mktemp("planted")
    for name in ("bot", "rules"):
        shutil.copytree(REPO / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "pyproject.toml", copy)
    for module, line in {
        "rules/alert": "import asyncio",
        "rules/effects": "import bot.clock",
        "rules/sentence": "import rules.incident",
        "bot/ports/jobs": "import bot.sources",
        "bot/workspace/model": "import bot.slack",
        "bot/slack/text": "import bot.store.tables",
        "bot/helpers": "",
    }.items():
        path = copy / f"{module}.py"
        path.write_text(f"{line}\n{path.read_text() if path.exists() else ''}")
    return _contracts(copy)


def _contracts(where: Path) -> str:
    command = [str(BIN / "lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True)
    return f"exit {done.returncode}\n" + re.sub(r"\s+", " ", done.stdout + done.stderr)


def test_the_import_contracts_hold() -> None:
    said = _contracts(REPO)
    assert said.startswith("exit 0"), said


@pytest.mark.parametrize(
    "fault",
    [
        "Rules decide; they never act BROKEN",
        "rules.alert -> asyncio",
        "rules.effects -> bot.clock",
        "The road reads top-down, and the edges do not know each other BROKEN",
        "bot.ports.jobs -> bot.sources",
        "bot.workspace.model -> bot.slack",
        "bot.helpers",
        "Tables never leave the store BROKEN",
        "bot.slack.text -> bot.store.tables",
        "No import cycles BROKEN",
    ],
)
def test_the_import_contracts_see_a_planted_fault(planted: str, fault: str) -> None:
    assert planted.startswith("exit 1"), planted
    assert fault in planted


BANNED = """
import asyncio, os, time
from datetime import date, datetime
from unittest.mock import patch
datetime.now()
datetime.utcnow()
date.today()
time.time()
time.sleep(1)
asyncio.sleep(1)
asyncio.create_task(None)
asyncio.ensure_future(None)
os.environ
os.getenv("HOME")
from . import engine
"""


def test_banned_calls_are_seen_in_product_and_tests() -> None:
    for file in ("bot/planted.py", "rules/planted.py", "tests/test_planted.py"):
        command = [str(BIN / "ruff"), "check", "--select=TID", "--output-format=concise"]
        done = subprocess.run(
            [*command, "--stdin-filename", str(REPO / file), "-"],
            input=BANNED, cwd=REPO, capture_output=True, text=True,
        )  # fmt: skip
        seen = {int(n) for n in re.findall(rf"{file}:(\d+):", done.stdout)}
        assert seen >= set(range(4, len(BANNED.splitlines()) + 1)), done.stdout
