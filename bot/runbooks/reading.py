"""Reads folders of Markdown files into runbooks, with every fault and its place."""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from rules.documents.runbook_document import LARGEST_RUNBOOK, read_runbook
from rules.documents.yaml_document import Document, Fault
from rules.nearest import did_you_mean
from rules.runbooks.choosing import Runbooks
from rules.runbooks.runbook import Runbook

MOST_RUNBOOKS = 2_000
_MOST_ENTRIES = 50_000
"""Of a checkout; what is beyond is not looked at."""
_SKIPPED = frozenset({"readme.md", "index.md", "contributing.md", "changelog.md"})

Stamps = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class RunbooksRead:
    """What the folders hold: usable even with faults, which leave out the files they concern."""

    runbooks: Runbooks
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()


def read_runbooks(
    folders: Sequence[str], actions: Collection[str] = (), *, link: str = ""
) -> RunbooksRead:
    """Read every runbook; it blocks, and never raises for what stands in a file.

    `actions` are the names that steps may use; `link` is the address that a file's path is added
    to, for those that give none of their own.
    """
    faults: list[Fault] = []
    found: dict[str, tuple[Runbook, str]] = {}
    warnings: list[Fault] = []
    for folder in folders:
        for name, path in _files(Path(folder), faults):
            runbook = _runbook(name, path, actions, faults)
            if runbook is None:
                continue
            if runbook.id in found:
                words = f"{found[runbook.id][1]} has the same name and counts; rename this one"
                faults.append(Fault(str(path), 0, 0, words))
                continue
            found[runbook.id] = _linked(runbook, link, name), str(path)
    warnings += _alike(found)
    runbooks = Runbooks(runbook for runbook, _ in found.values())
    return RunbooksRead(runbooks, tuple(sorted(faults)), tuple(sorted(warnings)))


def stamps(folders: Sequence[str]) -> Stamps:
    """Return what tells that a file was added, changed or removed."""
    found = []
    for folder in folders:
        for _, path in _files(Path(folder), []):
            try:
                stat = path.stat()
            except OSError:
                found.append((str(path), 0, 0))
            else:
                found.append((str(path), stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _files(folder: Path, faults: list[Fault]) -> Iterator[tuple[str, Path]]:
    """Yield each Markdown file with its path in the folder; hidden places and READMEs are not."""

    def unreadable(error: OSError) -> None:
        place, why = str(error.filename or folder), error.strerror or error
        faults.append(Fault(place, 0, 0, f"cannot be read: {why}"))

    try:
        if not folder.is_dir():
            faults.append(Fault(str(folder), 0, 0, "there is no such folder of runbooks"))
            return
    except OSError as error:
        unreadable(error)
        return
    entries = count = 0
    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        entries += len(names)
        for name in sorted(names):
            if not name.lower().endswith(".md") or name.lower() in _SKIPPED:
                continue
            count += 1
            path = Path(place, name)
            yield path.relative_to(folder).as_posix(), path
        if count > MOST_RUNBOOKS or entries > _MOST_ENTRIES:
            faults.append(Fault(str(folder), 0, 0, "too many files; name the folder of runbooks"))
            return


def _runbook(
    name: str, path: Path, actions: Collection[str], faults: list[Fault]
) -> Runbook | None:
    text = _text(path, faults)
    if text is None:
        return None
    runbook, document, found = read_runbook(text, str(path), name[: -len(".md")])
    if runbook is not None and document is not None:
        found += _unknown_actions(runbook, document, actions)
    faults += found
    return None if found else runbook


def _text(path: Path, faults: list[Fault]) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_RUNBOOK * 4 + 1)
        return data.decode("utf-8")
    except OSError as error:
        faults.append(Fault(str(path), 0, 0, f"cannot be read: {error.strerror or error}"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.append(Fault(str(path), line, 1, "not UTF-8 text; save the file as UTF-8"))
    return None


def _unknown_actions(
    runbook: Runbook, document: Document, actions: Collection[str]
) -> Iterator[Fault]:
    for at, step in enumerate(runbook.steps):
        if step.action and step.action not in actions:
            hint = did_you_mean(step.action, actions)
            words = f'`runbooks.actions` of config.yaml has no "{step.action}"{hint}'
            yield document.fault(("steps", at, "action"), words)


def _alike(found: dict[str, tuple[Runbook, str]]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for runbook, path in sorted(found.values(), key=lambda one: one[0].id):
        before = seen.setdefault(repr(runbook.matches), path)
        if before != path:
            words = f"matches just what {before} does, so it is never chosen; narrow one of them"
            yield Fault(path, 0, 0, words)


def _linked(runbook: Runbook, link: str, name: str) -> Runbook:
    if runbook.url or not link:
        return runbook
    return replace(runbook, url=f"{link.rstrip('/')}/{quote(name)}")
