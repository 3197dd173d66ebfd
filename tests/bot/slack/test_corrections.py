"""The forms of a correction, from the menu to the saved rule, against the local workspace."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.acts.act import EndRule, OnIncident, SaveRule
from bot.slack.commands_correct import read_correction
from bot.slack.correcting import Corrections
from bot.slack.desk import Desk
from bot.slack.intake import Intake, Running
from bot.slack.listeners import Identity, Listening, build_listeners
from bot.slack.views import correct as views
from bot.slack.views.incident import page_message, root_message
from bot.workspace.model import Message, View
from bot.workspace.payloads import view_submission
from bot.workspace.state import Workspace
from rules.category import Category, Classified
from rules.corrected import Correction
from rules.incident import Stakes
from rules.priority import Impact, Priority, Urgency
from rules.sentence import say
from rules.teaching.correction import Breadth, Remedy, breadths, rule_name, rule_yaml
from rules.teaching.learned import LearnedRule
from rules.teaching.trial import Example, PastAlert, PastIncident, Trial
from tests.bot.slack.samples import ANA, BO, HOSTILE, NOW, FakeNames, incident, scene, spread
from tests.bot.slack.test_commands import TYPIST
from tests.bot.slack.test_forms import refuse_nothing
from tests.bot.slack.test_listeners import WHERE, acts, modal, open_form, root, submit, typed
from tests.bot.slack.test_views import KINDS
from tests.fakes.inbox import FakeInbox
from tests.fakes.lessons import FakeLessons
from tests.fakes.reader import FakeReader
from tests.rules.build import make_alert

__all__ = ["root"]

LABELS = {"test": "not_null", "model": "orders", "product": "sales"}
FRESH = Classified(Category.FRESHNESS, None, 0.9, "tests", say("x"))


@pytest.fixture
def lessons() -> FakeLessons:
    made = FakeLessons()
    for n in range(14):
        labels = LABELS if n < 5 else {**LABELS, "model": f"other{n}"}
        alert = make_alert(f"k{n}", source="dbt", labels=labels, classified=FRESH)
        made.alerts.append(PastAlert(alert=alert, incident_id=f"i{n}", at=NOW - timedelta(hours=n)))
        made.incidents[f"i{n}"] = PastIncident(number=n, priority=Priority.P1, paged=n == 3)
    return made


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader(
        incident(source="dbt", labels=LABELS, category=Category.FRESHNESS,
                 category_alt=Category.COMPLETENESS, confidence=0.6)
    )  # fmt: skip


@pytest.fixture
def desk(desk: Desk, lessons: FakeLessons) -> Desk:
    return replace(desk, lessons=lessons)


@pytest.fixture
def listening(desk: Desk, inbox: FakeInbox, workspace: Workspace) -> Listening:
    me = Identity(bot_user=workspace.bot_user_id, bot=workspace.bot_id, team=workspace.team_id)
    return build_listeners(
        desk,
        inbox,
        token=workspace.bot_token,
        identity=lambda: me,
        signing_secret=workspace.signing_secret,
    )


def shown(view: View) -> str:
    return json.dumps(view.payload["blocks"], ensure_ascii=False)


async def test_from_the_menu_to_a_saved_rule(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    view = await open_form(workspace, root, "correct", "correct")
    first, second, *_ = view.payload["blocks"][1]["element"]["options"]
    assert first["text"]["text"] == "Freshness (as it is)"
    assert second["value"] == "completeness"
    outcome = await submit(workspace, view, {"category": "completeness", "why": "rows  <!here>"})
    assert outcome.acked
    assert acts(inbox)[0].act == OnIncident(
        number=42, event="corrected", by=ANA, note="rows <!here>", category=Category.COMPLETENESS
    )
    tried = await modal(workspace, "correct_rule")
    assert "Would have changed *5* of the 14 alerts" in shown(tried)
    assert "5 freshness → completeness" in shown(tried)
    assert "not_null on orders" in shown(tried)
    assert len(inbox.deliveries) == 1, "nothing is learned before it is saved"
    await workspace.click_view(tried.id, "rule_wider")
    await workspace.until(lambda: "*14* of the 14" in shown(workspace.view(tried.id)))
    await workspace.click_view(tried.id, "rule_narrower")
    await workspace.until(lambda: "*5* of the 14" in shown(workspace.view(tried.id)))
    assert (await workspace.submit(tried.id, {})).acked
    remedy = Remedy(category=Category.COMPLETENESS)
    found = incident(source="dbt", labels=LABELS)
    assert acts(inbox)[1].act == SaveRule(
        by=ANA, number=42, breadth=0, name=rule_name(found, breadths(found)[0], remedy),
        category=Category.COMPLETENESS, why="rows <!here>",
    )  # fmt: skip
    assert not acts(inbox)[1].answer_to.quiet


async def test_not_actionable_warns_of_pages_that_would_not_have_been_sent(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    view = await open_form(workspace, root, "correct", "correct")
    await submit(workspace, view, {"actionable": "no"})
    tried = await modal(workspace, "correct_rule")
    assert "P1 among them*: #3" in shown(tried)
    act = acts(inbox)[0].act
    assert isinstance(act, OnIncident)
    assert (act.actionable, act.category, act.impact) == (False, None, None)


async def test_a_form_in_which_nothing_differs_is_not_sent(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox
) -> None:
    view = await open_form(workspace, root, "correct", "correct")
    outcome = await submit(workspace, view, {"why": "?"})
    assert "Nothing is different" in outcome.field_errors["category"]
    inbox.broken = True
    outcome = await submit(workspace, view, {"impact": "minor"})
    assert "could not save" in outcome.field_errors["category"]
    assert inbox.deliveries == []


@pytest.mark.parametrize("category", Category)
@pytest.mark.parametrize("end", ["", " nobody reads it"])
def test_a_category_is_typed_as_it_is_shown(category: Category, end: str) -> None:
    for shown_as in (category.words, category.words.capitalize(), category.value):
        typed_words = f"{shown_as}{end}".split()
        act = read_correction(42, typed_words, TYPIST).wish
        assert isinstance(act, OnIncident)
        assert (act.category, act.note) == (category, end.strip())


async def test_a_correction_that_is_changed_and_sent_again_counts(
    desk: Desk, inbox: FakeInbox
) -> None:
    """Slack keeps a form open whose answer came late."""

    async def ack(**_said: object) -> None:
        return None

    for impact in ("minor", "minor", "significant"):
        chosen = {"impact": {"impact": {"selected_option": {"value": impact}}}}
        view = {"id": "V1", "private_metadata": '{"n": 42}', "state": {"values": chosen}}
        await Corrections(Intake(inbox, desk, Running())).submitted(
            ack, {"user": {"id": "U0ANA001"}, "view": view}
        )
    sent = [one.act.impact for one in acts(inbox) if isinstance(one.act, OnIncident)]
    assert sent == [Impact.MINOR, Impact.SIGNIFICANT]


async def test_what_teaches_nothing_is_only_corrected(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox, reader: FakeReader
) -> None:
    view = await open_form(workspace, root, "correct", "correct")
    reader.put(incident(storm=True))
    await submit(workspace, view, {"category": "access"})
    told = await modal(workspace, "corrected")
    assert "is corrected. No rule can be made of it" in shown(told)


async def test_a_database_that_is_away_is_said(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox, lessons: FakeLessons
) -> None:
    view = await open_form(workspace, root, "correct", "correct")
    lessons.broken = True
    await submit(workspace, view, {"category": "access"})
    told = await modal(workspace, "corrected")
    assert "The database does not answer" in shown(told)
    assert len(inbox.deliveries) == 1


async def test_a_trial_that_takes_long_follows_later(
    desk: Desk, root: Message, line: Listening, workspace: Workspace, inbox: FakeInbox
) -> None:
    view = await open_form(workspace, root, "correct", "correct")
    workspace.fill(view.id, {"category": {"category": "completeness"}})
    await workspace.until(lambda: workspace.view(view.id).values)
    answers: list[dict[str, object]] = []

    async def ack(**answer: object) -> None:
        answers.append(answer)

    at_once = Corrections(Intake(inbox, desk, Running()), timedelta(0))
    await at_once.submitted(ack, view_submission(workspace, workspace.view(view.id)))
    assert "being corrected" in json.dumps(answers)
    assert "Would have changed *5*" in shown(workspace.view(view.id))


async def test_the_words_correct_and_rules(
    line: Listening, root: Message, workspace: Workspace, inbox: FakeInbox, lessons: FakeLessons
) -> None:
    assert "What is not right about" in await typed(workspace, "correct 42")
    assert "There is no incident #7" in await typed(workspace, "correct 7")
    assert "Say what it is" in await typed(workspace, "correct 42 nonsense")
    await workspace.command(
        "ana", WHERE, "/oncall correct 42 pipeline failure, minor not actionable it is known"
    )
    assert acts(inbox)[0].act == OnIncident(
        number=42, event="corrected", by=ANA, note="it is known", impact=Impact.MINOR,
        category=Category.PIPELINE_FAILURE, actionable=False,
    )  # fmt: skip
    assert "No rules have been learned" in await typed(workspace, "rules")
    found = incident(source="dbt", labels=LABELS)
    yaml = rule_yaml(found, breadths(found)[0], Remedy(actionable=False), by=BO, at=NOW)
    lessons.rules += [
        LearnedRule(id="abcd1234", yaml=yaml, by=BO, at=NOW, number=42, why="<!here>"),
        LearnedRule(id="broken12", yaml="{", by=BO, at=NOW, number=41),
    ]
    listed = await typed(workspace, "rules")
    assert "2 learned rules" in listed
    await workspace.command("ana", WHERE, "/oncall rules remove `abcd1234`")
    assert acts(inbox)[1].act == EndRule(by=ANA, rule_id="abcd1234")
    assert "lists their ids" in await typed(workspace, "rules remove")


HARSH = Trial(
    looked_at=10_000,
    taken=9_000,
    changed=9_000,
    changes=((HOSTILE, 5_000), ("a → b", 4_000)),
    examples=tuple(Example(n, NOW, HOSTILE * 9, HOSTILE, HOSTILE) for n in range(5)),
    against=tuple(range(500)),
    stopped=tuple(range(900)),
    stopped_p1=tuple(range(300)),
    named=9,
    cut=True,
)


@pytest.mark.parametrize("kind", KINDS)
def test_slack_takes_every_form_of_every_incident(kind: str) -> None:
    of = spread()[kind]
    stakes = Stakes(name=HOSTILE, impact=Impact.MINOR, urgency=Urgency.LOW)
    told = Correction(
        by=HOSTILE, at=NOW, category=Category.ACCESS, actionable=False, why=HOSTILE * 9
    )
    for one in (of, replace(of, stakes=stakes, category=Category.ACCESS, quiet_rule=HOSTILE)):
        refuse_nothing(views.correct_modal(one, "{}"), "modal")
    refuse_nothing(views.correct_answer(of), "message")
    quiet = scene(replace(of, correction=told, pages=False))
    refuse_nothing(root_message(quiet), "message")
    refuse_nothing(page_message(quiet, ANA, None), "message")


def test_slack_takes_the_trial_of_a_hostile_rule() -> None:
    choices = [Breadth(HOSTILE * 5, ()), Breadth("b", ()), Breadth(HOSTILE, ())]
    for chosen in range(3):
        made = views.trial_modal(42, choices, chosen, yaml=HOSTILE * 99, trial=HARSH, now=NOW,
                                 metadata="{}")  # fmt: skip
        refuse_nothing(made, "modal")
    empty = Trial(looked_at=0, taken=0, changed=0)
    refuse_nothing(
        views.trial_modal(1, choices[:1], 0, yaml="a: b", trial=empty, now=NOW, metadata=""),
        "modal",
    )
    rules = [
        LearnedRule(id=f"r{n}", yaml="", by=HOSTILE, at=NOW, number=n, why=HOSTILE * 20)
        for n in range(60)
    ]
    named = {f"r{n}": (HOSTILE * 9,) for n in range(0, 60, 2)}
    refuse_nothing(views.rules_answer(rules, named, FakeNames(), NOW), "message")
    refuse_nothing(views.trying_modal(1), "modal")
    refuse_nothing(views.no_rule_modal(1, HOSTILE), "modal")
