import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.slack.blocks import Json
from bot.slack.text import mention_group
from bot.slack.views import incident as views
from bot.workspace.blockkit import problems
from rules.category import Category
from rules.incident import Incident
from rules.sentence import say
from tests.bot.slack.samples import (
    ANA,
    BO,
    HOSTILE,
    OPENED,
    incident,
    scene,
    shown_alert,
    spread,
)

REASON = say("step 1 of default")
KINDS = spread()
OUR_LINKS = ("https://team.slack.example/", "https://airflow.example/", "https://w.example/raw/")
MARKUP = re.compile(r"<([^>|]*)")


def words(message: Json) -> str:
    """All text of the blocks, one after another."""
    found: list[str] = []

    def walk(part: object) -> None:
        if isinstance(part, dict):
            if part.get("type") in {"mrkdwn", "plain_text"}:
                found.append(str(part["text"]))
            else:
                list(map(walk, part.values()))
        elif isinstance(part, list):
            list(map(walk, part))

    walk(message["blocks"])
    return re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", "\n".join(found))


def labels_of(message: Json) -> list[str]:
    row = next(b for b in message["blocks"] if b["type"] == "actions")
    made = []
    for element in row["elements"]:
        options = element.get("options", [])
        made += [o["text"]["text"] for o in options] or [element["text"]["text"]]
    return made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("message", ["root", "page", "still", "group", "note"])
def test_slack_takes_every_message_of_every_incident(kind: str, message: str) -> None:
    made = _messages(KINDS[kind])[message]
    assert problems(made, surface="message") == []
    assert made["text"]
    json.dumps(made).encode()


@pytest.mark.parametrize("kind", ["hostile", "hostile resolved"])
@pytest.mark.parametrize("message", ["root", "page", "still", "group", "note"])
def test_hostile_text_neither_mentions_nor_links_nor_hides(kind: str, message: str) -> None:
    made = _messages(KINDS[kind])[message]
    for part in _mrkdwn(made):
        for token in MARKUP.findall(part):
            ours = token == "!subteam^S0000009" or token.startswith("!date^")
            assert ours or token.startswith(OUR_LINKS), token
    assert "\u202e" not in json.dumps(made, ensure_ascii=False)


def _mrkdwn(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == "mrkdwn" else []
        top = [part["text"]] if {"text", "blocks"} <= set(part) else []
        return [*own, *top, *(t for v in part.values() for t in _mrkdwn(v))]
    if isinstance(part, list):
        return [t for item in part for t in _mrkdwn(item)]
    return []


def _messages(of: Incident) -> dict[str, Json]:
    at = scene(of)
    return {
        "root": views.root_message(at),
        "page": views.page_message(at, BO, REASON),
        "still": views.still_on_it(at),
        "group": views.group_note(at, mention_group("S0000009")),
        "note": views.thread_note(at, say("{what}", what=of.title)),
    }


def test_the_phone_says_what_broke_and_what_happens_if_nobody_moves() -> None:
    assert views.root_message(scene())["text"] == (
        "P2 #42: daily_orders.load failed: KeyError 'amount'. Ack within 3 min or Bo is paged."
    )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("acked", "Acknowledged by Ana."),
        ("snoozed", "Snoozed by Bo for 2 h."),
        ("resolved by hand", "Resolved by Ana."),
        ("resolved by source", "Resolved by airflow."),
        ("muted", "Silenced, nobody is paged."),
        ("quiet", "Nobody is paged for a P5."),
        ("exhausted", "Ack within 3 min or Cy is paged."),
        ("gone", "Please acknowledge."),
    ],
)
def test_the_phone_tells_the_state(kind: str, said: str) -> None:
    assert views.root_message(scene(KINDS[kind]))["text"].endswith(said)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("triggered", "*Triggered.* Ana paged 03:00 UTC. Bo next at 03:05 UTC."),
        ("not paged yet", "*Triggered.* Nobody has been paged yet. Ana next at 03:05 UTC."),
        ("acked", "*Acknowledged* by Ana 03:02 UTC. We ask again 05:02 UTC."),
        ("assigned", "Assigned to Bo."),
        ("asked", "without an answer by 03:12 UTC it pages again."),
        ("snoozed", "*Snoozed* by Bo until 05:02 UTC; then it pages again."),
        ("resolved by hand", "*Resolved* by Ana 03:02 UTC after 2 min. “restarted the load”"),
        ("resolved by source", "*Resolved* by airflow 03:02 UTC after 2 min."),
        ("muted", "*Silenced* until 04:02 UTC by Bo: planned work. Nobody is paged."),
        ("flapping", "*Flapping*: opened 5 times in 1 h."),
        ("storm", "*Storm*: 340 alerts of airflow, 12 still firing."),
        ("storm", "and 335 more"),
        ("unreadable", "*Unreadable.*"),
        ("unreadable", "<https://w.example/raw/1|Raw body>"),
        ("quiet", "A P5 pages nobody."),
        ("seen before", "seen before: #37"),
        ("triggered", "<https://airflow.example/dags/daily_orders|Open in airflow>"),
        ("triggered", "*team*\nfinance"),
    ],
)
def test_the_channel_message_says(kind: str, said: str) -> None:
    assert said in words(views.root_message(scene(KINDS[kind])))


def test_a_page_on_its_way_is_not_said_to_have_arrived() -> None:
    said = words(views.root_message(scene(incident(paged=(ANA, BO)))))
    assert "Ana paged 03:00 UTC, paging Bo." in said


def test_the_first_block_names_the_state_in_sign_and_the_second_in_words() -> None:
    first, second = views.root_message(scene())["blocks"][:2]
    assert first["text"]["text"] == "🔴 P2 #42 daily_orders.load failed"
    assert second["text"]["text"].startswith("*Triggered.*")


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("triggered", ["Acknowledge", "Resolve", "Escalate now", "Snooze…"]),
        ("acked", ["Resolve", "Unacknowledge", "Snooze…"]),
        ("snoozed", ["Resolve", "Wake it up now", "Unacknowledge"]),
        ("resolved by hand", ["Reopen", "Not right?…", "Timeline…"]),
    ],
)
def test_buttons_follow_the_state(kind: str, labels: list[str]) -> None:
    shown = labels_of(views.root_message(scene(KINDS[kind])))
    assert shown[: len(labels)] == labels
    assert shown == labels_of(views.page_message(scene(KINDS[kind]), ANA, REASON))


def test_a_page_says_why_you_and_links_to_the_channel() -> None:
    said = words(views.page_message(scene(), ANA, REASON))
    assert "You are primary of data until 2026-11-27 03:02 UTC." in said
    assert "<https://team.slack.example/archives/C1/p1|#data-alerts>" in said
    other = words(views.page_message(scene(), "dee@example.com", REASON))
    assert "Why you: step 1 of default." in other


def test_five_alerts_are_listed_firing_first_and_the_rest_counted() -> None:
    alerts = tuple(shown_alert(n) for n in range(17))
    said = words(views.root_message(scene(incident(alerts=alerts, alert_count=17))))
    assert said.count("🔴 daily_orders.task") == 5
    assert "daily_orders.task16" in said
    assert "and 12 more" in said
    said = words(views.root_message(scene(incident(alerts=alerts[:6], alert_count=6))))
    assert said.count("🔴 daily_orders.task") == 6
    assert "and 1 more" not in said


def test_a_single_alert_tells_how_often_it_was_reported() -> None:
    once = replace(incident(), alerts=(shown_alert(count=1),))
    again = replace(incident(), alerts=(shown_alert(count=3),))
    assert "reported" not in words(views.root_message(scene(once)))
    assert "reported 3 times, last " in words(views.root_message(scene(again)))


def test_the_description_stays_exactly_as_it_came() -> None:
    text = "SELECT *\nFROM `a`_b_ & <c>"
    blocks = views.root_message(scene(incident(description=text)))["blocks"]
    plain = [b["text"] for b in blocks if b["type"] == "section" and "text" in b]
    assert {"type": "plain_text", "text": text, "emoji": False} in plain


def test_nobody_on_call_for_the_next_step_names_the_one_after() -> None:
    later = scene(incident(step=1, rotation="unknown"))
    assert later.incident.rotation == "unknown"
    assert "Cy next at" in words(views.root_message(later))


def test_an_overdue_step_is_now() -> None:
    late = replace(scene(), now=OPENED + timedelta(minutes=6))
    assert "Bo next now." in words(views.root_message(late))
    assert views.root_message(late)["text"].endswith("Ack now or Bo is paged.")


def test_a_storm_has_a_shape() -> None:
    alerts = (shown_alert(1), shown_alert(2, title="billing.sum failed"))
    said = words(views.root_message(scene(incident(storm=True, alerts=alerts, alert_count=99))))
    assert "Of the latest 2: daily_orders 1, billing 1" in said


def test_names_from_outside_are_text_too() -> None:
    said = views.root_message(scene(incident(paged=(HOSTILE,))))
    assert "<!channel>" not in json.dumps(said)
    assert "&lt;!channel&gt;" in json.dumps(said)


def test_a_page_before_the_channel_message_names_the_channel() -> None:
    early = replace(scene(), permalink="", channel_id="C0ALERTS1")
    assert "<#C0ALERTS1>" in words(views.page_message(early, ANA, REASON))


@pytest.mark.parametrize(
    ("category", "alternative", "confidence", "line"),
    [
        (Category.COMPLETENESS, None, 0.9, "*Completeness*"),
        (Category.ACCESS, Category.SCHEMA, 0.65, "Probably *access*, or schema"),
        (Category.PIPELINE_FAILURE, None, 0.4, "Probably *pipeline failure*"),
    ],
)
def test_the_category_stands_under_the_title(
    category: Category, alternative: Category | None, confidence: float, line: str
) -> None:
    at = scene(incident(category=category, category_alt=alternative, confidence=confidence))
    for message in (views.root_message(at), views.page_message(at, BO, REASON)):
        assert message["blocks"][1]["text"]["text"].splitlines()[0] == line


@pytest.mark.parametrize("odd", ["unreadable", "storm"])
def test_no_category_is_shown_where_it_would_mislead(odd: str) -> None:
    at = scene(incident(category=Category.ACCESS, confidence=0.9, **{odd: True}))
    assert "access" not in words(views.root_message(at)).lower()
