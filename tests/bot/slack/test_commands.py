from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.acts.act import (
    AckAll,
    ActPayload,
    AnswerTo,
    EndSilence,
    MakeSilence,
    OnIncident,
    OpenByHand,
    act_to_json,
)
from bot.acts.roster import MakeOverride
from bot.slack.commands import _READERS, parse
from bot.slack.vocabulary import ALIASES, ELSEWHERE, WORDS
from bot.slack.wishes import (
    AskExplain,
    AskHelp,
    AskList,
    AskNext,
    AskShow,
    AskSilences,
    AskWho,
    CommandError,
    Typist,
)
from rules.rotation import OnCall, Span
from tests.bot.slack.samples import ANA, BO, CY, NOW, ON_CALL, PEOPLE

TYPIST = Typist(by=ANA, now=NOW, zone="Europe/Berlin", people=PEOPLE, on_call=ON_CALL)
TWO = OnCall(
    [
        *ON_CALL.spans("data", "primary"),
        Span(NOW, NOW + timedelta(days=1), "ml", "primary", (CY,)),
    ]
)


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def on_42(event: str, **fields: object) -> OnIncident:
    return OnIncident(number=42, event=event, by=ANA, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("typed", "wish"),
    [
        ("", AskHelp()),
        ("help", AskHelp()),
        ("HELP me", AskHelp()),
        ("who", AskWho()),
        ("who DATA", AskWho("data")),
        ("who data at 18:00", AskWho("data", at(17))),
        ("who at tomorrow 9am", AskWho("", at(8, day=24))),
        ("whoisoncall", AskWho()),
        ("next", AskNext(3)),
        ("next 5", AskNext(5)),
        ("next 999 data", AskNext(20, "data")),
        ("list", AskList("open")),
        ("list mine", AskList("mine")),
        ("show 42", AskShow(42)),
        ("show #42", AskShow(42)),
        ("explain 42", AskExplain(42)),
        ("silences", AskSilences()),
        ("ack 42", on_42("acked")),
        ("ack all", AckAll(by=ANA)),
        ("acknowledge #42", on_42("acked")),
        ("unack 42", on_42("unacked")),
        ("reopen 42", on_42("reopened")),
        ("escalate 42", on_42("escalated")),
        ("resolve 42", on_42("resolved")),
        ("resolve 42 a &lt; b &amp; c", on_42("resolved", note="a < b & c")),
        ("snooze 42 2h", on_42("snoozed", until=NOW + timedelta(hours=2))),
        ("snooze 42 until 09:00", on_42("snoozed", until=at(8))),
        ("assign 42 <@U0BO0001|bo>", on_42("reassigned", person=BO)),
        ("assign 42 Bo", on_42("reassigned", person=BO)),
        ("assign 42 me", on_42("reassigned", person=ANA)),
        ("assign 42 <@U0NEW001>", on_42("reassigned", person="slack:U0NEW001")),
        (
            "assign 42 <mailto:new@example.com|new@example.com>",
            on_42("reassigned", person="new@example.com"),
        ),
        ("page <@U0BO0001> disk is full", OpenByHand(by=ANA, title="disk is full", person=BO)),
        ('page "Bo" disk is full', OpenByHand(by=ANA, title="disk is full", person=BO)),
        ("page data disk is full", OpenByHand(by=ANA, title="disk is full", rotation="data")),
        (
            "silence team=finance dag=~“daily.*” 2h planned work",
            MakeSilence(
                by=ANA,
                matchers="team=finance dag=~daily.*",
                until=NOW + timedelta(hours=2),
                why="planned work",
            ),
        ),
        (
            "silence dag_id=<http://load.py|load.py> host=<http://db1.io|DB1.io> 2h planned work",
            MakeSilence(
                by=ANA,
                matchers="dag_id=load.py host=DB1.io",
                until=NOW + timedelta(hours=2),
                why="planned work",
            ),
        ),
        (
            "resolve 42 see <https://a.example/b?c=d&amp;e=f> and <https://b.example|the log>",
            on_42("resolved", note="see https://a.example/b?c=d&e=f and https://b.example"),
        ),
        (
            "silence product in [orders, “daily sales”] dag_id like daily_* 2h planned work",
            MakeSilence(
                by=ANA,
                matchers='product in [orders, "daily sales"] dag_id like daily_*',
                until=NOW + timedelta(hours=2),
                why="planned work",
            ),
        ),
        *(
            (f"page {person} disk is full", OpenByHand(by=ANA, title="disk is full", person=BO))
            for person in ("<@U0BO0001>:", "<@U0BO0001|bo>,", "@bo:", "Bo,", "«Bo»:", "bo@example.com:")
        ),
        ("page data: disk is full", OpenByHand(by=ANA, title="disk is full", rotation="data")),
        ("page @data disk is full", OpenByHand(by=ANA, title="disk is full", rotation="data")),
        (
            "page <!subteam^S0000001|@data> disk is full",
            OpenByHand(by=ANA, title="disk is full", rotation="data"),
        ),
        ("page me disk is full", OpenByHand(by=ANA, title="disk is full", person=ANA)),
        ("assign 42 to <@U0BO0001>.", on_42("reassigned", person=BO)),
        ("assign 42 <@U0BO0001|bo> please", on_42("reassigned", person=BO)),
        ("unsilence abc", EndSilence(by=ANA, silence_id="abc")),
        (
            "take 2h",
            MakeOverride(by=ANA, person=ANA, rotation="data", role="primary", starts_at=NOW,
                         ends_at=NOW + timedelta(hours=2)),
        ),
        (
            "take data/secondary",
            MakeOverride(by=ANA, person=ANA, rotation="data", role="secondary", starts_at=NOW,
                         ends_at=NOW + timedelta(days=4)),
        ),
        (
            "override <@U0BO0001> 18:00 20:00 data",
            MakeOverride(by=ANA, person=BO, rotation="data", role="primary", starts_at=at(17),
                         ends_at=at(19)),
        ),
        (
            "override <@U0BO0001>, 18:00 - 20:00",
            MakeOverride(by=ANA, person=BO, rotation="data", role="primary", starts_at=at(17),
                         ends_at=at(19)),
        ),
        (
            "override <@U0BO0001> tomorrow 9am tomorrow 5pm",
            MakeOverride(by=ANA, person=BO, rotation="data", role="primary",
                         starts_at=at(8, day=24), ends_at=at(16, day=24)),
        ),
        (
            "override me from now to fri 09:00",
            MakeOverride(by=ANA, person=ANA, rotation="data", role="primary", starts_at=NOW,
                         ends_at=at(8, day=27)),
        ),
    ],
)  # fmt: skip
def test_words_become_wishes(typed: str, wish: object) -> None:
    assert parse(typed, TYPIST).wish == wish


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *((typed, "ack 42") for typed in (
            "Ack 42.", "ack #42!", "ack: 42,", "ack\u200b \u200b42", "\u2060ack 42\ufeff",
            "`/oncall ack 42`", "“ack 42”", "*ack 42*", "/oncall ack 42", "oncall ack 42",
            "ack 42 on it",
        )),
        ("Ack all.", "ack all"),
        ("resolve 42: restarted it", "resolve 42 restarted it"),
        ("resolve #42, 3 rows were missing", "resolve 42 3 rows were missing"),
        ("snooze 42. 2h.", "snooze 42 2h"),
        ("snooze 42 until tomorrow, 9 a.m.", "snooze 42 until tomorrow 9am"),
        ("silence team=finance until 18:00, planned", "silence team=finance 18:00 planned"),
        ("correct 42 not actionable: noise", "correct 42 not actionable noise"),
        ("unsilence `abc`.", "unsilence abc"),
        ("Who is on call?", "who"),
        ("who’s on call?", "who"),
        ("who data?", "who data"),
        ("who data at 18:00?", "who data at 18:00"),
        ("list All.", "list all"),
        ("tasks mine!", "tasks mine"),
        ("journal trends.", "journal trends"),
        ("runbook gaps.", "runbook gaps"),
        ("access list.", "access list"),
        ("revoke all!", "revoke all"),
        ("revoke `abc`. done", "revoke abc done"),
        ("help!", "help"),
    ],
)  # fmt: skip
def test_what_a_phone_adds_is_not_meant(typed: str, meant: str) -> None:
    assert parse(typed, TYPIST).wish == parse(meant, TYPIST).wish


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("ak 42", "Did you mean `/oncall ack <n|all>`?"),
        ("resolv 42", "Did you mean `/oncall resolve <n> [note]`?"),
        ("xyzzy", "`/oncall help` lists them all."),
        ("swap mine yours", "is not a time"),
        ("swap 2026-11-23", "Say for which shift"),
        ("cover 2027-11-01 09:00 2027-11-01 10:00", "You have no shift then"),
        ("ack", "Say which incident, by its number. Write `/oncall ack <n|all>`."),
        ("ack 42x", "Say which incident"),
        ("ack 42 43", "One incident at a time; nothing was done."),
        ("ack #42, #43 and #44.", "One incident at a time; nothing was done."),
        ("resolve 42 43", "One incident at a time; nothing was done."),
        ("snooze 42", "time is missing"),
        ("snooze 42 2020-01-01 09:00", "That time has passed."),
        ("assign 42", "Say to whom."),
        ("assign 42 Zoltan", 'Nobody is called "Zoltan".'),
        ("page", "Say whom to page."),
        ("page <@U0BO0001>", "Say what it is about."),
        ("page <!subteam^S0000002|@sales> disk is full", 'Nobody is called "@sales".'),
        ("list everything", '"everything" is no list.'),
        ("silence 2h why", "Name at least one label"),
        ("silence team=a 2h", "Say why"),
        ("silence team=~( 2h why", "not a regular expression"),
        ("silence team in [a, b 2h why", "annot read the list of team"),
        ("silence team like * 2h why", "fits every value"),
        ("take nothere", 'No rotation is called "nothere".'),
        ("take data/king", 'Rotation data has no role "king"'),
        ("override <@U0BO0001> 2026-11-24 20:00 2026-11-24 18:00", "It must end after it starts."),
        ("override <@U0BO0001> 2026-11-20 10:00 2026-11-20 18:00", "That is over already."),
        ("who dta", 'Did you mean "data"?'),
        ("who at never", "is not a time"),
    ],
)
def test_a_wrong_command_is_told_what_to_write(typed: str, said: str) -> None:
    with pytest.raises(CommandError) as told:
        parse(typed, TYPIST)
    assert said in str(told.value)


def test_every_word_is_read_and_every_other_leads_to_one() -> None:
    assert set(_READERS) == set(WORDS)
    assert set(ALIASES.values()) <= set(WORDS)
    assert not set(ELSEWHERE) & set(WORDS)


def test_no_rotation_means_the_one_you_are_part_of() -> None:
    typist = Typist(by=CY, now=NOW, zone="UTC", people=PEOPLE, on_call=TWO)
    taken = parse("take 1h", typist).wish
    assert isinstance(taken, MakeOverride)
    assert taken.rotation == "ml"
    stranger = Typist(by="x@example.com", now=NOW, zone="UTC", people=PEOPLE, on_call=TWO)
    with pytest.raises(CommandError, match="Say which rotation: data, ml"):
        parse("take 1h", stranger)


@pytest.mark.parametrize(
    "typed",
    [
        'take "Data Platform" 2h',
        "take “data platform”, 2h",
        "override me now 2h Data Platform",
        'override me now 2h "Data Platform".',
        "cover now 2h Data Platform",
        "cover “Data Platform”",
        "who Data Platform",
        'page "Data Platform" disk is full',
    ],
)
def test_a_rotation_may_have_a_name_of_several_words(typed: str) -> None:
    spans = [replace(one, rotation="Data Platform") for one in ON_CALL.spans("data", "primary")]
    wish = parse(typed, replace(TYPIST, on_call=OnCall(spans))).wish
    assert "rotation='Data Platform'" in repr(wish)


def test_how_a_doubtful_time_was_read_is_said() -> None:
    autumn = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    typist = Typist(by=ANA, now=autumn, zone="Europe/Berlin", people=PEOPLE, on_call=ON_CALL)
    assert "happens twice" in parse("snooze 42 until 2026-10-25 02:30", typist).note


@pytest.mark.parametrize("count", ["²", "9" * 5_000])
def test_what_is_no_count_is_taken_for_a_rotation(count: str) -> None:
    with pytest.raises(CommandError, match="No rotation is called"):
        parse(f"next {count}", TYPIST)


def test_half_a_character_is_taken_out_of_what_is_typed() -> None:
    wish = parse("resolve 42 restarted \ud800 it", TYPIST).wish
    assert isinstance(wish, OnIncident)
    assert act_to_json(ActPayload(act=wish, answer_to=AnswerTo("U1")))
