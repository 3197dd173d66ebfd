"""Writes down what a real tool sent and what became of it in Slack, without a machine's paths."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from rules.alert import Alert

FOLDER = Path(__file__).parents[2] / "docs" / "transcripts"

_HIDDEN = (
    (re.compile(r"(/[\w.-]+)+/(dags|plugins|target|shop)\b"), r"/opt/\2"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00|Z| UTC)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<id>"),
)


def told(alerts: Iterable[Alert]) -> list[str]:
    """Return two lines an alert."""
    lines = []
    for one in alerts:
        lines.append(f"    {one.status.value:8} {one.severity.value:8} {one.title}")
        lines.append(f"             thing {one.dedup_key}   run {one.group_key or '-'}")
    return lines


def write(name: str, title: str, lines: Iterable[str]) -> None:
    """Replace a transcript when WATCHBILL_TRANSCRIPTS is set; otherwise only show it."""
    text = "\n".join([title, "", *lines, ""])
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    print(text)
    if os.environ.get("WATCHBILL_TRANSCRIPTS"):
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.txt").write_text(text)
