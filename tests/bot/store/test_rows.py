"""JSON as columns hold it."""

import json

import pytest

from bot.store.rows import to_json


@pytest.mark.parametrize(
    "text", ["", "plain", 'quote " and \\', "é 漢 🙂", "\0", "\x7f", "\ud800 é"]
)
def test_any_text_comes_back_and_no_column_chokes_on_it(text: str) -> None:
    written = to_json({"text": [text]})
    assert json.loads(written) == {"text": [text]}
    assert "\0" not in written
    written.encode()
