"""What a message says, however the tool that posted it has written it."""

import pytest

from bot.slack.blocks import Json
from bot.slack.intake import written_in

SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "*orders* is late"},
           "fields": [{"type": "mrkdwn", "text": "since 02:00"}]}  # fmt: skip
HEADER = {"type": "header", "text": {"type": "plain_text", "text": "Monitor alert"}}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"text": "plain", "attachments": [{"text": "more"}]}, "plain"),
        ({"text": "", "attachments": [{"pretext": "P", "title": "T", "text": "B"}]}, "P\nT\nB"),
        ({"attachments": [{"fallback": "[FIRING] orders"}]}, "[FIRING] orders"),
        ({"attachments": [{"fallback": "x", "blocks": [HEADER, SECTION]}]},
         "Monitor alert\n*orders* is late\nsince 02:00"),
        ({"text": " ", "blocks": [HEADER, SECTION, {"type": "divider"}]},
         "Monitor alert\n*orders* is late\nsince 02:00"),
        ({"text": "This content can't be displayed.", "blocks": [HEADER]}, "Monitor alert"),
        ({"text": None, "attachments": ["?", None], "blocks": [{"text": "?"}, 7]}, ""),
        ({"attachments": {"text": "no list"}, "blocks": "none"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_what_it_says_is_read_from_wherever_it_stands(message: Json, said: str) -> None:
    assert written_in(message) == said
