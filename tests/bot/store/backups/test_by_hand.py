"""Dumps that people are told to take by hand leave out what a restore has put aside."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from bot.store.schema import KEPT

REPOSITORY = Path(__file__).parents[4]
TEXTS = (
    "docs/operations/backup.md",
    "deploy/compose.yaml",
    "deploy/helm/watchbill/templates/backup.yaml",
)
DUMPS = [
    (text, re.sub(r"\\\n\s*", "", found))
    for text in TEXTS
    for found in re.findall(r"pg_dump (-(?:.*\\\n)*.*)", (REPOSITORY / text).read_text("utf-8"))
]


def test_every_place_has_one() -> None:
    assert {text for text, _ in DUMPS} == set(TEXTS)


@pytest.mark.parametrize(("text", "options"), DUMPS)
def test_what_was_put_aside_is_not_dumped_again(text: str, options: str) -> None:
    left_out = re.search(r"--exclude-schema='([^']+)'", options)
    assert left_out, f"{text}: a restore of it would meet a schema that is there"
    assert fnmatchcase(f"{KEPT}restore", left_out[1])
