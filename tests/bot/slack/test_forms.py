"""Modals, App Home, answers and timelines, for ordinary and for hostile facts."""

import json
import re
from datetime import datetime, timedelta

import pytest

from bot.ports.store import TimelineEntry
from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.text import Mrkdwn, md
from bot.slack.views import answers, modals
from bot.slack.views.home import HomeFacts, home_view
from bot.slack.views.timeline import timeline_answer, timeline_modal
from bot.slack.vocabulary import WORDS
from bot.slack.wishes import CommandError
from bot.workspace.blockkit import Surface, problems
from rules.incident import Mutedness
from rules.matching.matcher import matcher, parse_matchers
from rules.rotation import OnCall, Span
from rules.sentence import Who, say
from rules.silence import Silence
from tests.bot.slack.samples import (
    ANA,
    BO,
    HOSTILE,
    NOW,
    ON_CALL,
    OPENED,
    FakeNames,
    incident,
    scene,
    spread,
)
from tests.bot.slack.test_views import KINDS, MARKUP, OUR_LINKS, _mrkdwn

NAMES = FakeNames()
NASTY = OnCall(
    [
        Span(NOW - timedelta(hours=1), NOW + timedelta(days=n + 1), HOSTILE[:80] + str(n),
             HOSTILE[:40], (HOSTILE, ANA), HOSTILE)
        for n in range(120)
    ]
)  # fmt: skip
SILENCES = tuple(
    Silence(f"s{n}", (matcher("team", "=", HOSTILE * 9),), NOW, NOW + timedelta(hours=1), HOSTILE,
            HOSTILE * 40)
    for n in range(40)
)  # fmt: skip
ENTRIES = [
    TimelineEntry(at=OPENED, what="x", sentence=say("{who} said {what}.", who=Who(HOSTILE),
                                                    what=HOSTILE * 9), by=HOSTILE)
    for _ in range(60)
]  # fmt: skip


def refuse_nothing(made: Json, surface: Surface) -> None:
    assert problems(made, surface=surface) == []
    for part in _mrkdwn(made):
        for token in MARKUP.findall(part):
            assert token.startswith(("!date^", *OUR_LINKS)), token


@pytest.mark.parametrize("kind", KINDS)
def test_slack_takes_every_modal_of_every_incident(kind: str) -> None:
    of = spread()[kind]
    matchers, _ = parse_matchers(modals.like_this(of))
    recent = [{"title": HOSTILE, "team": HOSTILE}] * 50
    preview = modals.preview_block(modals.caught(matchers, recent))
    for made in (
        modals.loading(of.number),
        modals.resolve_modal(of, "{}"),
        modals.snooze_modal(of, "{}"),
        modals.reassign_modal(of, "{}"),
        modals.loop_in_modal(of, "{}"),
        modals.silence_modal("{}", matchers=modals.like_this(of), why=HOSTILE, preview=preview),
        timeline_modal(scene(of), ENTRIES, "{}"),
    ):
        refuse_nothing(made, "modal")
    refuse_nothing(timeline_answer(scene(of), ENTRIES), "message")


@pytest.mark.parametrize("on_call", [ON_CALL, NASTY, OnCall()])
def test_slack_takes_every_form_answer_and_home(on_call: OnCall) -> None:
    everything = tuple(spread().values())
    facts = HomeFacts(person=ANA, now=NOW, names=NAMES, on_call=on_call,
                      open_incidents=everything, silences=SILENCES)  # fmt: skip
    refuse_nothing(home_view(facts), "home")
    for made in (
        modals.open_modal("Create incident", on_call, "{}", title=HOSTILE, details=HOSTILE * 90),
        modals.override_modal(on_call, "U0ANA001", "{}"),
        modals.trouble("Not found", md("{x}", x=HOSTILE)),
    ):
        refuse_nothing(made, "modal")
    for made in (
        answers.who_answer(on_call, "", NOW, NOW, NAMES),
        answers.who_answer(on_call, "", NOW + timedelta(days=5), NOW, NAMES),
        answers.next_answer(on_call, "", 20, NOW, NAMES),
        answers.list_answer(everything * 5, "all", NAMES, NOW, count=None),
        answers.list_answer((), "mine", NAMES, NOW, count=0),
        answers.silences_answer(SILENCES, NAMES, NOW),
        answers.silences_answer((), NAMES, NOW),
        answers.help_answer(),
        answers.error_answer(CommandError(HOSTILE * 99, "Write `/oncall ack <n>`.")),
    ):
        refuse_nothing(made, "message")


def test_of_many_silences_each_can_be_ended() -> None:
    many = tuple(
        Silence(
            f"s{n:02}", (matcher("team", "=", "finance"),), NOW, NOW + timedelta(hours=1), BO, "x"
        )
        for n in range(40)
    )
    shown = json.dumps(answers.silences_answer(many, NAMES, NOW), ensure_ascii=False)
    assert all(f's{n:02}"' in shown or f"`s{n:02}` team=finance until" in shown for n in range(40))
    assert "And 25 more" in shown


def test_what_an_error_says_to_type_can_be_typed() -> None:
    problem = "You have no shift then: `x`. `/oncall next` shows who has."
    said = answers.error_answer(CommandError(problem, "Write `/oncall cover`."))["text"]
    assert said.endswith("ˋxˋ. `/oncall next` shows who has. Write `/oncall cover`.")


def test_help_names_every_word_and_marks_what_is_typed() -> None:
    (lines, _) = answers.help_answer()["blocks"]
    told = lines["text"]["text"].splitlines()
    assert len(told) == len(WORDS)
    assert any(line.endswith("ask somebody to swap: `swap next @bo`") for line in told)
    assert all(line.count("`") % 2 == 0 and "\u02cb" not in line for line in told)


def shown(made: Json) -> str:
    return re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", json.dumps(made, ensure_ascii=False))


def test_who_names_the_people_their_end_and_who_follows() -> None:
    said = answers.who_answer(ON_CALL, "", NOW, NOW, NAMES)["text"]
    said = re.sub(r"<!date\^\d+\^[^|]*\|([^>]*)>", r"\1", said)
    assert said.splitlines() == [
        "On call now:",
        "*data*",
        "primary: Ana until 2026-11-27 03:02 UTC, then Bo",
        "secondary: Bo until 2026-11-27 03:02 UTC",
    ]


def test_nobody_on_call_is_said_loudly() -> None:
    later = NOW + timedelta(days=30)
    assert "primary: ⚠️ nobody" in shown(answers.who_answer(ON_CALL, "data", later, NOW, NAMES))


def test_touching_spans_of_the_same_people_are_one_turn() -> None:
    day = timedelta(days=1)
    spans = [Span(NOW + day * n, NOW + day * (n + 1), "data", "primary", (BO,)) for n in (1, 2, 3)]
    present = Span(NOW - day, NOW + day, "data", "primary", (ANA,))
    said = answers.next_answer(OnCall([present, *spans]), "data", 3, NOW, NAMES)["text"]
    assert said.count("Bo") == 1
    assert "2026-11-24 03:02 UTC> – " in said
    assert "2026-11-27 03:02 UTC>: Bo, primary of data" in said


def test_the_timeline_has_a_past_and_a_future() -> None:
    past = [
        TimelineEntry(at=OPENED, what="paged", sentence=say("Paging {who}.", who=Who(ANA))),
        TimelineEntry(at=NOW, what="note", sentence=say("Checked the logs."), by=BO),
        TimelineEntry(at=NOW, what="acked", sentence=say("{who} took it.", who=Who(BO)), by=BO),
    ]
    said = shown(timeline_modal(scene(), past, "{}"))
    assert "03:00 UTC  Paging Ana.\\n03:02 UTC  Checked the logs. (by Bo)" in said
    assert "03:02 UTC  Bo took it.\\n" not in said.replace("Bo took it.", "", 1)
    assert "03:05 UTC  Paging Bo, step 2." in said


def test_an_ended_silence_is_foreseen() -> None:
    muted = incident().mute(Mutedness(NOW + timedelta(hours=1), BO, "work"))
    assert "04:02 UTC" in shown(timeline_modal(scene(muted), [], "{}"))
    done = shown(timeline_modal(scene(incident().resolve(ANA, NOW)), [], "{}"))
    assert "Nothing happens by itself." in done


def test_a_silence_like_this_catches_this() -> None:
    of = incident(labels={"team": 'fin "a\\nce"', "dag_id": "daily_orders"})
    matchers, rest = parse_matchers(modals.like_this(of))
    assert rest == ""
    found = modals.caught(matchers, [{**of.labels, "source": "airflow", "title": "x"}, {"a": "b"}])
    assert (found.count, found.looked_at, found.titles) == (1, 2, ("x",))


def test_a_silence_that_catches_nothing_is_doubted() -> None:
    nothing = modals.preview_block(modals.caught([matcher("team", "=", "x")], [{"team": "y"}]))
    assert "*none* of the last 1 alerts" in nothing["text"]["text"]
    empty = modals.preview_block(modals.caught([], []))
    assert "no recent alerts" in empty["text"]["text"]


def test_home_shows_mine_apart() -> None:
    mine = incident().ack(ANA, NOW, None)
    other = incident(number=43, id="i43", title="billing failed", paged=(BO,))
    facts = HomeFacts(person=ANA, now=NOW, names=NAMES, on_call=ON_CALL,
                      open_incidents=(other, mine))  # fmt: skip
    said = shown(home_view(facts))
    assert said.index("My open incidents") < said.index("*P2 #42*")
    assert said.index("*P2 #42*") < said.index("Other open") < said.index("*P2 #43*")
    assert "primary of data: 2026-11-22 03:02 UTC – 2026-11-27 03:02 UTC *now*" in said


def test_what_joined_and_why_are_one_line_told_once() -> None:
    opened, later = NOW - timedelta(minutes=9), NOW - timedelta(minutes=2)

    def entry(at: datetime, text: str, rule: str) -> TimelineEntry:
        return TimelineEntry(at=at, what="x", sentence=say(text), rule=rule)

    past = [
        entry(opened, "Route everything.", "routes.everything"),
        entry(later, "A consequence: b is made from a.", "folding.consequence"),
        entry(later, "Joined by: b failed", "grouping"),
        entry(later, "A cause: c", "folding.cause"),
        entry(later, "P1.", "priority_matrix.high.high"),
    ]
    said = shown(timeline_answer(scene(), past))
    assert said.count("Joined by: b failed") == said.count("A consequence: b") == 1
    assert "Joined by: b failed  `grouping` · A consequence: b is made from a." in said
    assert said.count("A cause: c") == 1


def test_an_emoji_counts_as_two() -> None:
    fires = "🔥" * 3_000
    entries = [TimelineEntry(at=OPENED + timedelta(minutes=n), what="x",
                             sentence=say("{what}", what=fires)) for n in range(20)]  # fmt: skip
    made = (
        timeline_modal(scene(), entries, "{}"),
        modals.open_modal("Create incident", ON_CALL, "{}", title=fires, details=fires),
        modals.override_modal(OnCall([Span(NOW, NOW + timedelta(1), "🔥" * n, "primary", (ANA,))
                                      for n in range(70, 75)]), "U0ANA001", "{}"),
        modals.open_modal("Page someone", OnCall([Span(NOW, NOW + timedelta(1), "🔥" * 99,
                                                       "primary", (ANA,))]), "{}"),
        kit.message(md("x"), [kit.section(Mrkdwn(fires)), *kit.fields([Mrkdwn(fires)])]),
    )  # fmt: skip
    for one in made:
        text = json.dumps(one).replace("\\ud83d", "x").replace("\\udd25", "x")
        assert problems(json.loads(text), surface=one.get("type", "message")) == []


def test_nobody_else_is_next_where_one_person_has_all_turns() -> None:
    day = timedelta(days=1)
    turns = [Span(NOW + n * day, NOW + (n + 1) * day, "data", "primary", (ANA,)) for n in range(9)]
    for until, words in ((NOW + 8 * day, "whoever is on call now stays so"), (None, "no later")):
        on_call = OnCall(turns, known_until=until)
        assert words in answers.next_answer(on_call, "", 3, NOW, NAMES)["text"]
