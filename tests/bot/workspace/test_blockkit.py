"""What Slack refuses, the checker refuses, at the same place; what Slack takes, it takes."""

from typing import Any

import pytest

from bot.workspace.blockkit import problems

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def md(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(value: str = "v", text: str = "t", **more: Any) -> Json:
    return {"text": plain(text), "value": value, **more}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain("Ack"), "action_id": "ack", **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def section(**more: Any) -> Json:
    return {"type": "section", "text": md("hello"), **more}


def field(element: Json, **more: Any) -> Json:
    return {"type": "input", "label": plain("Label"), "element": element, **more}


TEXT_INPUT = {"type": "plain_text_input", "action_id": "t"}
CONFIRM = {"title": plain("a"), "text": md("b"), "confirm": plain("c"), "deny": plain("d")}

GOOD: list[list[Json]] = [
    [],
    [section(text=md("x" * 3000))],
    [section(fields=[md("x" * 2000)] * 10)],
    [{"type": "section", "fields": [md("only fields")]}],
    [{"type": "header", "text": plain("x" * 150)}],
    [{"type": "context", "elements": [md("x"), {"type": "image", "image_url": "https://e.com/a.png", "alt_text": "a"}]}],
    [actions(*(button(action_id=f"a{i}") for i in range(25)))],
    [actions(button(value="x" * 2000, style="danger", confirm=CONFIRM))],
    [{"type": "divider"}],
    [section(accessory={"type": "overflow", "action_id": "o", "options": [option(str(i)) for i in range(5)]})],
    [section(accessory={"type": "static_select", "action_id": "s", "options": [option(str(i)) for i in range(100)]})],
    [section(accessory={"type": "static_select", "action_id": "s", "option_groups": [{"label": plain("g"), "options": [option()]}]})],
    [actions({"type": "users_select", "action_id": "u"}, {"type": "datepicker", "action_id": "d", "initial_date": "2026-02-28"})],
    [actions({"type": "timepicker", "action_id": "t", "initial_time": "23:59"})],
    [section(accessory={"type": "radio_buttons", "action_id": "r", "options": [option("a")], "initial_option": option("a")})],
    [section(accessory={"type": "checkboxes", "action_id": "r", "options": [{"text": md("*a*"), "value": "a"}]})],
    [field(TEXT_INPUT)],
    [{"type": "markdown", "text": "# hi"}],
    [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}],
    [section(block_id="a"), section(block_id="b")],
    [section()] * 50,
]  # fmt: skip

# blocks, and the pointer of the fault
BAD: list[tuple[list[Any], str]] = [
    ([section(text=md("x" * 3001))], "/blocks/0/text/text"),
    ([section(text=md(""))], "/blocks/0/text/text"),
    ([section(fields=[md("x")] * 11)], "/blocks/0/fields"),
    ([section(fields=[md("x" * 2001)])], "/blocks/0/fields/0/text"),
    ([{"type": "section"}], "/blocks/0"),
    ([section(text={"type": "html", "text": "x"})], "/blocks/0/text/type"),
    ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text"),
    ([{"type": "header", "text": md("x")}], "/blocks/0/text/type"),
    ([{"type": "context", "elements": [md("x")] * 11}], "/blocks/0/elements"),
    ([{"type": "context", "elements": []}], "/blocks/0/elements"),
    ([actions(*[button(action_id=str(i)) for i in range(26)])], "/blocks/0/elements"),
    ([actions(button(), button())], "/blocks/0/elements/1/action_id"),
    ([actions(button(text=plain("x" * 76)))], "/blocks/0/elements/0/text/text"),
    ([actions(button(text=md("x")))], "/blocks/0/elements/0/text/type"),
    ([actions(button(value="x" * 2001))], "/blocks/0/elements/0/value"),
    ([actions(button(action_id="x" * 256))], "/blocks/0/elements/0/action_id"),
    ([actions(button(url="x" * 3001))], "/blocks/0/elements/0/url"),
    ([actions(button(url="javascript:alert(1)"))], "/blocks/0/elements/0/url"),
    ([actions(button(style="green"))], "/blocks/0/elements/0/style"),
    ([actions(button(colour="red"))], "/blocks/0/elements/0/colour"),
    ([actions(button(confirm={**CONFIRM, "title": plain("x" * 101)}))], "/blocks/0/elements/0/confirm/title/text"),
    ([actions(button(confirm={**CONFIRM, "text": md("x" * 301)}))], "/blocks/0/elements/0/confirm/text/text"),
    ([actions(button(confirm={**CONFIRM, "deny": plain("x" * 31)}))], "/blocks/0/elements/0/confirm/deny/text"),
    ([actions(TEXT_INPUT)], "/blocks/0/elements/0/type"),
    ([actions({"type": "overflow", "action_id": "o", "options": [option(str(i)) for i in range(6)]})], "/blocks/0/elements/0/options"),
    ([actions({"type": "static_select", "action_id": "s", "options": []})], "/blocks/0/elements/0/options"),
    ([actions({"type": "static_select", "action_id": "s"})], "/blocks/0/elements/0"),
    ([actions({"type": "static_select", "action_id": "s", "options": [option(str(i)) for i in range(101)]})], "/blocks/0/elements/0/options"),
    ([actions({"type": "static_select", "action_id": "s", "options": [option("x" * 151)]})], "/blocks/0/elements/0/options/0/value"),
    ([actions({"type": "static_select", "action_id": "s", "options": [option(text="x" * 76)]})], "/blocks/0/elements/0/options/0/text/text"),
    ([actions({"type": "static_select", "action_id": "s", "options": [option("a")], "initial_option": option("b")})], "/blocks/0/elements/0/initial_option"),
    ([actions({"type": "static_select", "action_id": "s", "options": [{"text": md("x"), "value": "x"}]})], "/blocks/0/elements/0/options/0/text/type"),
    ([actions({"type": "checkboxes", "action_id": "s", "options": [option(str(i)) for i in range(11)]})], "/blocks/0/elements/0/options"),
    ([actions({"type": "datepicker", "action_id": "d", "initial_date": "28.2.2026"})], "/blocks/0/elements/0/initial_date"),
    ([actions({"type": "timepicker", "action_id": "d", "initial_time": "24:00"})], "/blocks/0/elements/0/initial_time"),
    ([section(block_id="same"), section(block_id="same")], "/blocks/1/block_id"),
    ([section(block_id="x" * 256)], "/blocks/0/block_id"),
    ([section(emphasis=True)], "/blocks/0/emphasis"),
    ([{"type": "image", "image_url": "https://e.com", "alt_text": ""}], "/blocks/0/alt_text"),
    ([{"type": "image", "alt_text": "a"}], "/blocks/0"),
    ([{"type": "markdown", "text": "x" * 12_001}], "/blocks/0/text"),
    ([{"type": "carousel"}], "/blocks/0/type"),
    (["text"], "/blocks/0"),
    ([field(TEXT_INPUT, label=md("x"))], "/blocks/0/label/type"),
    ([field(button())], "/blocks/0/element/type"),
    ([field({**TEXT_INPUT, "max_length": 3001})], "/blocks/0/element/max_length"),
    ([field({"type": "number_input", "action_id": "n"})], "/blocks/0/element/is_decimal_allowed"),
    ([section()] * 51, "/blocks"),
]  # fmt: skip


@pytest.mark.parametrize("blocks", GOOD)
def test_what_slack_takes_is_taken(blocks: list[Json]) -> None:
    assert problems({"blocks": blocks}, surface="message") == []


@pytest.mark.parametrize(("blocks", "pointer"), BAD)
def test_a_fault_is_named_with_its_place(blocks: list[Any], pointer: str) -> None:
    found = problems({"blocks": blocks}, surface="message")
    assert [fault for fault in found if fault.endswith(f"[json-pointer:{pointer}]")], found


def modal(**more: Any) -> Json:
    return {"type": "modal", "title": plain("Title"), "blocks": [section()], **more}


@pytest.mark.parametrize(
    ("view", "pointer"),
    [
        (modal(title=plain("x" * 25)), "/view/title/text"),
        (modal(title=None), "/view/title"),
        (modal(blocks=[field(TEXT_INPUT)]), "/view/submit"),
        (modal(submit=plain("x" * 25)), "/view/submit/text"),
        (modal(private_metadata="x" * 3001), "/view/private_metadata"),
        (modal(callback_id="x" * 256), "/view/callback_id"),
        (modal(blocks=[section()] * 101), "/view/blocks"),
        (modal(blocks=[{"type": "markdown", "text": "x"}]), "/view/blocks/0/type"),
        (modal(colour="red"), "/view/colour"),
        (modal(type="home"), "/view/type"),
        (modal(blocks=[section(text=md("x" * 3000))] * 90), "/view"),
    ],
)
def test_faults_of_a_modal(view: Json, pointer: str) -> None:
    found = problems(view, surface="modal")
    assert [fault for fault in found if fault.endswith(f"[json-pointer:{pointer}]")], found


def test_a_modal_and_a_home_that_slack_takes() -> None:
    assert problems(modal(blocks=[field(TEXT_INPUT)], submit=plain("Go")), surface="modal") == []
    assert problems({"type": "home", "blocks": [section()] * 100}, surface="home") == []
    assert problems({"type": "home", "blocks": []}, surface="home") == []


def test_the_text_of_a_message_has_a_limit() -> None:
    assert problems({"text": "x" * 40_000}, surface="message") == []
    assert problems({"text": "x" * 40_001}, surface="message")
