from datetime import UTC, datetime, timedelta

import pytest

from bot.slack import text
from bot.slack.text import Mrkdwn, as_read, cut, link, md, outside, safe_url, spoken
from rules.sentence import Who, say
from tests.bot.slack.samples import ANA, HOSTILE, NOW, FakeNames


def test_outside_text_cannot_mention_link_or_format() -> None:
    shown = outside(HOSTILE, 3000)
    assert "<" not in shown
    assert ">" not in shown
    assert not set("*`~") & set(shown)
    assert "_it_" not in shown
    assert ":tada:" not in shown
    assert not {"\u202e", "\x00", "\x1b", "\ud800"} & set(shown)
    shown.encode()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("daily_orders.load failed", "daily_orders.load failed"),
        ("a & b < c", "a &amp; b &lt; c"),
        ("at 12:30:45 UTC", "at 12:30:45 UTC"),
        ("> quoted\n> twice", "\u203a quoted\n\u203a twice"),
        ("one\r\ntwo\u2028three", "one\ntwo\nthree"),
        ("__init__", "\u02cd\u02cdinit\u02cd\u02cd"),
    ],
)
def test_outside_text_changes_only_what_could_do_harm(raw: str, shown: str) -> None:
    assert outside(raw) == shown


def test_cutting_says_how_much_is_left_and_counts_as_slack_does() -> None:
    assert cut("short", 10) == "short"
    assert cut("x" * 100, 40) == "x" * 28 + "… (72 more)"
    for nasty in ("&" * 5000, "<" * 5000, "😀" * 5000, "a&" * 5000):
        assert len(outside(nasty, 300).encode("utf-16-le")) // 2 <= 300


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ftp://files.example",
        "https://user:pass@evil.example",
        "https://slack.com@evil.example/",
        "//no.scheme",
        "https://",
        "http://a b",
        "http://[bad",
        "https://x.example/" + "a" * 2000,
        "",
    ],
)
def test_a_url_nobody_should_follow_becomes_its_label(url: str) -> None:
    assert safe_url(url) == ""
    assert link(url, "Runbook") == "Runbook"


def test_a_link_cannot_be_broken_by_its_url_or_label() -> None:
    made = link("https://a.example/x|y>z?a=1&b=2", "one|two>three")
    assert made == "<https://a.example/x%7Cy%3Ez?a=1&amp;b=2|one¦two&gt;three>"


def test_our_templates_keep_braces_of_values_apart() -> None:
    assert md("*{name}* {n}", name="{n}<b>", n=3) == "*{n}&lt;b&gt;* 3"
    assert md("{made}", made=Mrkdwn("*ours*")) == "*ours*"


def test_a_sentence_shows_people_by_name_and_times_in_the_readers_zone() -> None:
    when = datetime(2026, 11, 23, 3, 5, tzinfo=UTC)
    sentence = say("{who} has {n} until {end}, for {d}: {why}", who=Who(ANA), n=2, end=when,
                   d=timedelta(minutes=72), why="*<!here>*")  # fmt: skip
    shown = spoken(sentence, FakeNames(), NOW)
    assert shown == (
        f"Ana has 2 until <!date^{int(when.timestamp())}^{{time}}|03:05 UTC>, for 1 h 12 min: "
        "\u2217&lt;!here&gt;\u2217"
    )
    plain = text.spoken_plain(sentence, FakeNames(), NOW)
    assert plain == "Ana has 2 until 03:05 UTC, for 1 h 12 min: *<!here>*"


def test_what_a_sentence_of_the_rules_asks_to_be_typed_is_no_link() -> None:
    sentence = say("Say why: `/oncall waive {number} <why>`.", number=7)
    assert spoken(sentence, FakeNames(), NOW) == "Say why: `/oncall waive 7 &lt;why&gt;`."


def test_far_times_carry_their_date() -> None:
    far = NOW + timedelta(days=6)
    assert "{date_short_pretty}" in text.at(far, NOW)
    assert text.at(far, NOW).endswith("|2026-11-29 03:02 UTC>")


@pytest.mark.parametrize("user", ["U1|x>", "<!here>", "here", ""])
def test_only_user_ids_are_mentioned(user: str) -> None:
    assert text.mention("U0ANA001") == "<@U0ANA001>"
    assert "<" not in text.mention(user)
    assert "<" not in text.mention_group(user)


def test_a_message_is_read_as_people_see_it() -> None:
    written = (
        "fewer than &lt;5&gt; rows &amp; late, says <@U0BO0001> in <#C0ABC0001|data>: "
        "<https://ci.example/run?a=1&amp;b=2|the run> <http://x.example|x.example> "
        "<https://y.example> <mailto:cy@example.com|cy@example.com> <!here> "
        "<!subteam^S0000001|@data> <!date^1764000000^{time}|16:00 UTC> <@> &amp;lt;"
    )
    assert as_read(written, lambda user: {"U0BO0001": "Bo"}.get(user, user)) == (
        "fewer than <5> rows & late, says @Bo in #data: "
        "the run (https://ci.example/run?a=1&b=2) x.example "
        "https://y.example cy@example.com @here "
        "@data 16:00 UTC @ &lt;"
    )


def test_a_name_that_slack_made_a_link_of_is_read_as_it_was_typed() -> None:
    assert as_read("<http://load.py|load.py> failed", str) == "load.py failed"
