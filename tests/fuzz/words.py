"""Targets: what people type in Slack, what Slack sends of clicks, and text on its way out."""

import html
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from bot.acts.act import ActPayload, AnswerTo, OnIncident, act_from_json, act_to_json, event_of
from bot.slack.clicks import _chosen
from bot.slack.commands import parse
from bot.slack.intake import read_metadata
from bot.slack.submits import Form
from bot.slack.text import escape, link, md, outside, safe_url
from bot.slack.views.answers import error_answer
from bot.slack.views.incident import page_message, root_message
from bot.slack.vocabulary import WORDS
from bot.slack.wishes import CommandError
from bot.workspace.blockkit import problems
from rules.cron import checked_cron
from rules.durations import format_duration, parse_duration
from rules.facts import Facts
from rules.journal.words import words_of
from rules.matching.expression import Expression, expression_fault
from rules.matching.glob_index import glob_fault
from rules.matching.matcher import parse_matchers
from rules.matching.phrases import phrase_fault
from rules.spoken_time import read_duration, read_moment
from tests.bot.slack.samples import ANA, HOSTILE, NOW, incident, scene, shown_alert
from tests.bot.slack.test_commands import TYPIST
from tests.fuzz.target import Target, short, text_in

_TAG = re.compile(r"<[^>]*>")
_OURS = re.compile(r"<(?:!date\^\d+\^[^|>]*\|[^>]*|https?://[^|>]*(?:\|[^>]*)?|@[UW][A-Z0-9]+)>")
_EXAMPLES = (
    "who data at 18:00", "next 5", "page @bo the load is stuck", "list mine", "show #42",
    "ack 42", "ack all", "resolve 42 restarted it", "escalate 42", "snooze 42 until 09:00",
    "assign 42 <@U0BO0001>", 'silence team=finance,dag_id=~"daily_.*" 2h planned work',
    "take data 2h", "override <@U0BO0001> tomorrow 9am fri 18:00 data/primary", "cover 18:00 22:00",
    "swap mon tue", "access writers 2h fix the load", "revoke g12", "journal search late orders",
    "journal trends", "journal 42", "explain 42", "test", "issues", "correct 42 freshness",
    "waive 42 nobody reads it", "runbook 42", "tasks", "slo", "people", "unsilence 3",
)  # fmt: skip
_MATCHERS = (
    "team=finance", "team!=finance", "team in [finance, risk]", 'team not in [finance, "r i"]',
    "dag_id like daily_*", "dag_id not like [daily_*, *_test]", 'title=~"job .* failed"',
    'title!~"a|b"', "a=b,c!=d e=f rest of it",
)  # fmt: skip
_CEL = (
    "labels.rows > 1000 && alert.tier <= 2", 'text.version == "1.10"', "has(labels.rows)",
    'labels.name.matches("a.*b") || alert.product.startsWith("x")',
    'labels.x == "a" && (labels.y in ["b", "c"] ? true : false)',
)  # fmt: skip
_TIMES = (
    "18:00", "fri 18:00", "tomorrow 9am", "2h", "2026-11-23 09:00", "1h30m", "90 min", "3 days",
    "2026-11-23T09:00:00+01:00", "today 9.30 p.m.", "0 6 * * mon-fri", "*/15 0 1 1 *", "90s", "5m",
    "daily_*", "source timed out",
)  # fmt: skip


def targets() -> list[Target]:
    return [
        Target(name="command", run=_command, seeds=_commands),
        Target(name="matchers", run=_matchers, seeds=lambda: _encoded(_MATCHERS)),
        Target(name="expression", run=_expression, seeds=lambda: _encoded(_CEL)),
        Target(name="times", run=_times, seeds=lambda: _encoded(_TIMES)),
        Target(name="click", run=_click, seeds=_clicks),
        Target(name="act", run=_act, seeds=_acts),
        Target(name="message", run=_message, seeds=lambda: _encoded((HOSTILE, *_EXAMPLES))),
    ]


def _encoded(texts: Sequence[str]) -> Sequence[bytes]:
    return [one.encode("utf-8", "surrogatepass") for one in texts]


def _command(data: bytes) -> None:
    """What is typed is a wish, or an error that a message can show; an act can be stored."""
    try:
        typed = parse(text_in(data), TYPIST)
    except CommandError as error:
        _shown(error_answer(error))
        return
    md("{note}", note=typed.note).encode()
    _storable(typed.wish)


def _storable(wish: Any) -> None:
    if type(wish).__name__.startswith("Ask"):
        return
    payload = ActPayload(act=wish, answer_to=AnswerTo("U1"))
    assert act_from_json(act_to_json(payload)) == payload
    if isinstance(wish, OnIncident):
        event_of(wish)


def _matchers(data: bytes) -> None:
    written = text_in(data)
    try:
        with warnings.catch_warnings():
            # of signs that a later Python may read otherwise inside [...]: harmless to us
            warnings.simplefilter("ignore", FutureWarning)
            found, rest = parse_matchers(written)
    except ValueError as error:
        short(error, 2_000)
        return
    assert len(rest) <= len(written)
    seen = Facts({"team": "finance", "title": "job a failed" * 50, "dag_id": "daily_" * 40})
    for one in found:
        one.holds(seen)
    again, left = parse_matchers(",".join(map(str, found)))
    assert (again, left) == (found, "")


def _expression(data: bytes) -> None:
    source = text_in(data)
    if fault := expression_fault(source):
        assert len(fault) < 2_000
        return
    Expression(source).holds({"rows": "1001", "x": "a" * 900, "name": "aab", "version": "1.10"})
    Expression(source).holds({})


def _times(data: bytes) -> None:
    written = text_in(data)
    for read in (read_duration, checked_cron):
        _or_value_error(read, written)
    _or_value_error(lambda text: read_moment(text, NOW, "Europe/Berlin"), written)
    try:
        span = parse_duration(written)
    except ValueError:
        pass
    else:
        assert parse_duration(format_duration(span)) == span
    assert len(glob_fault(written)) < 2_000
    assert len(phrase_fault(written)) < 2_000
    assert all(words_of(written))


def _or_value_error(read: Any, written: str) -> None:
    try:
        read(written)
    except ValueError as error:
        str(error)


# --- clicks and forms ------------------------------------------------------------------------


def _click(data: bytes) -> None:
    """Values of buttons and fields may be of another version, or of nobody."""
    try:
        body = json.loads(text_in(data))
    except (ValueError, RecursionError):
        return
    if not isinstance(body, dict):
        return
    action = {name: body.get(name) for name in ("action_id", "value", "selected_option")}
    option = action.pop("selected_option")
    if isinstance(option, dict):
        action["selected_option"] = option
    word, number = _chosen({"actions": [{**action, "action_id": str(action["action_id"])}]})
    assert isinstance(word, str)
    assert number is None or number < 10**18, "a number that no database holds"
    kept = body.get("private_metadata")
    read_metadata({"private_metadata": kept if isinstance(kept, str) else ""})
    # Slack signs what it sends: its shape holds, whatever people typed.
    typed = {"value": str(body.get("value")), "selected_user": str(body.get("user"))}
    blocks = ("note", "until", "person", "matchers")
    form = Form({"state": {"values": {one: {one: typed} for one in blocks}}}, str)
    assert act_to_json(
        ActPayload(
            act=OnIncident(number=1, event="resolved", by=ANA, note=form.text("note")),
            answer_to=AnswerTo("U1"),
        )
    )
    for block in blocks:
        for read in (form.text, form.choice, form.person):
            _or_value_error(read, block)
        _or_value_error(lambda one: form.moment(one, NOW, "UTC"), block)


def _clicks() -> Sequence[bytes]:
    return [
        json.dumps(one).encode()
        for one in (
            {"action_id": "ack", "value": "42", "private_metadata": '{"n": 42, "c": "C1"}'},
            {"action_id": "overflow", "selected_option": {"value": "snooze:42"}},
            {"action_id": "x", "value": "tomorrow 9am", "user": "U0BO0001"},
        )
    ]


def _act(data: bytes) -> None:
    """A stored act of another version is read, or refused as what it is."""
    try:
        act_from_json(data)
    except ValidationError:
        return


def _acts() -> Sequence[bytes]:
    found = []
    for text in _EXAMPLES:
        try:
            wish: Any = parse(text, TYPIST).wish
        except CommandError:
            continue
        if not type(wish).__name__.startswith("Ask"):
            found.append(act_to_json(ActPayload(act=wish, answer_to=AnswerTo("U1", "C1"))))
    return found


def _commands() -> Sequence[bytes]:
    return _encoded([*_EXAMPLES, *(word.usage for word in WORDS.values())])


# --- on the way out --------------------------------------------------------------------------


def _message(data: bytes) -> None:
    """Text from outside mentions nobody, hides no link and breaks no message, wherever it stands."""
    text = text_in(data)
    shown = outside(text, 600)
    assert not _TAG.search(shown), shown
    assert len(shown) <= 600 or "&" in shown
    assert html.unescape(escape(text)) == text or "&" in text
    target = safe_url(text)
    assert not target or target.startswith(("http://", "https://"))
    _only_ours(link(text, text))
    half, rest = text[: len(text) // 2], text[len(text) // 2 :]
    made = incident(
        title=text[:2_000],
        description=rest,
        source=half[:200],
        url=rest[:2_000],
        labels={"team": text[:1_000], half[:100] or "x": rest[:1_000], "runbook": text[:2_000]},
        note=half,
        alerts=(shown_alert(1, title=text[:300], url=text[:500]), shown_alert(2, title=half[:300])),
    )
    for one in (made, made.resolve(ANA, NOW, text), replace(made, unreadable=True)):
        _shown(root_message(scene(one)))
        _shown(page_message(scene(one), ANA, None))


def _shown(message: dict[str, Any]) -> None:
    """Slack takes the message, and nothing in it is a control sequence that we did not write."""
    assert problems(message, surface="message") == []
    json.dumps(message).encode()
    _only_ours(str(message.get("text", "")))
    for text in _mrkdwn(message.get("blocks", [])):
        _only_ours(text)


def _mrkdwn(node: object) -> Sequence[str]:
    if isinstance(node, list):
        return [text for one in node for text in _mrkdwn(one)]
    if not isinstance(node, dict):
        return []
    if node.get("type") == "mrkdwn":
        assert node.get("verbatim") is True, "Slack would make mentions of what looks like them"
        return [str(node["text"])]
    return [text for one in node.values() for text in _mrkdwn(one)]


def _only_ours(text: str) -> None:
    for found in _TAG.findall(text):
        assert _OURS.fullmatch(found), found
    assert "<" not in _TAG.sub("", text), text
