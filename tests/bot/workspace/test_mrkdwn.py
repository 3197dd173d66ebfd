"""mrkdwn becomes HTML, and nothing that anybody typed becomes markup."""

from datetime import UTC, datetime

import pytest

from bot.workspace.mrkdwn import Reader
from bot.workspace.rich_text import markdown, rich_text
from bot.workspace.state import Workspace
from tests.bot.workspace.conftest import seeded
from tests.fakes.clock import FakeClock

LINK = 'target="_blank" rel="noopener noreferrer nofollow"'


@pytest.fixture
def reader() -> Reader:
    workspace: Workspace = seeded(clock=FakeClock(datetime(2026, 11, 23, 3, 0, tzinfo=UTC)))
    return Reader(workspace, workspace.person("bo").id)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*bold* _it_ ~no~ `x*y*`", "<strong>bold</strong> <em>it</em> <s>no</s> <code>x*y*</code>"),
        ("2 * 3 * 4 snake_case_name", "2 * 3 * 4 snake_case_name"),
        ("*_both_*", "<strong><em>both</em></strong>"),
        ("a\nb", "a<br>b"),
        ("&gt; quoted\nnot", "<blockquote>quoted</blockquote>not"),
        ("• one\n• two", "<ul><li>one</li><li>two</li></ul>"),
        ("```a &lt; *b*```", "<pre>a &lt; *b*</pre>"),
        ("<https://e.com|here>", f'<a href="https://e.com" {LINK}>here</a>'),
        ("see https://e.com/a.", f'see <a href="https://e.com/a" {LINK}>https://e.com/a</a>.'),
        ("<!here>", '<span class="mention mine">@here</span>'),
        ("<@U404>", '<span class="mention">@U404</span>'),
        (":unknown_thing:", ":unknown_thing:"),
    ],
)  # fmt: skip
def test_markup(reader: Reader, text: str, html: str) -> None:
    assert str(reader.mrkdwn(text)) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<javascript:alert(1)|click>",
        "*<b onclick='x'>*",
        "```<script>```",
        '<https://e.com"onmouseover="alert(1)|x>',
        "<https://e.com|<b>x</b>>",
        "<!date^1^{date}^javascript:alert(1)|x>",
        "<!date^x^<script>|<script>>",
        "<@U1|<script>>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_nothing_typed_becomes_markup(reader: Reader, text: str) -> None:
    for html in (str(reader.mrkdwn(text)), str(reader.plain(text)), str(markdown(reader, text))):
        low = html.lower()
        assert "<script" not in low
        assert "<img" not in low
        assert "<b" not in low.replace("<br>", "").replace("<blockquote>", "")
        assert 'href="javascript' not in low
        assert '"onmouseover' not in low
        assert "onclick='" not in low


def test_mentions_know_the_reader(reader: Reader) -> None:
    bo = reader.user
    assert str(reader.mrkdwn(f"<@{bo}>")) == '<span class="mention mine">@Bo Chen</span>'


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("{date_short_pretty} at {time}", "today at 20:00"),
        ("{date_num}", "2026-11-22"),
        ("{date_long}", "Sunday, November 22nd, 2026"),
        ("{ago}", "1 hour ago"),
    ],
)
def test_dates_are_in_the_readers_zone(reader: Reader, pattern: str, shown: str) -> None:
    stamp = int(datetime(2026, 11, 23, 2, 0, tzinfo=UTC).timestamp())
    assert f">{shown}</time>" in str(reader.mrkdwn(f"<!date^{stamp}^{pattern}|x>"))


def test_rich_text_blocks(reader: Reader) -> None:
    text = {"type": "text", "text": "<b>", "style": {"bold": True}}
    item = {"type": "rich_text_section", "elements": [text]}
    block = {"elements": [{"type": "rich_text_list", "style": "ordered", "elements": [item]}]}
    assert str(rich_text(reader, block)) == (
        "<ol><li><div><strong>&lt;b&gt;</strong></div></li></ol>"
    )
    assert str(markdown(reader, "**b** [x](https://e.com)")) == (
        f'<strong>b</strong> <a href="https://e.com" {LINK}>x</a>'
    )
