"""A fix that is to be proved, as Slack shows it: message, buttons, form, list and hand-off."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.acts.act import OnIncident
from bot.slack.commands import parse
from bot.slack.views import incident as views
from bot.slack.views import modals
from bot.slack.views.duties import HandoffFacts, handoff_message
from bot.slack.wishes import AskList, CommandError, Typist
from rules.incident import Incident, State
from rules.rotation import OnCall
from rules.schedule.handoff import Handoff, RoleChange
from rules.verification import Expects, Proof, Verdict, Verification
from rules.verifying.settings import VerifyingRules
from tests.bot.slack.samples import ANA, BO, BOOK, HOSTILE, NOW, PEOPLE, FakeNames, incident, scene
from tests.bot.slack.test_views import MARKUP, OUR_LINKS, _mrkdwn

DUE = NOW + timedelta(days=1)
EXPECTS = Expects(proof=Proof.NEXT_RUN, pipeline="daily_orders", due_at=DUE)


def resolved(verdict: Verdict = Verdict.PENDING, **fields: Any) -> Incident:
    seen = Verification(verdict=verdict, claimed_at=NOW, claimed_by=ANA, expects=EXPECTS)
    seen = replace(seen, **fields)
    at = incident(resolved_by=ANA, resolved_at=NOW, verification=seen)
    return at.but(state=State.RESOLVED)


def shown(at: Incident, **more: Any) -> str:
    return json.dumps(views.root_message(scene(at, **more)), ensure_ascii=False)


def labels(at: Incident, **more: Any) -> list[str]:
    blocks = views.root_message(scene(at, **more))["blocks"]
    return [e["text"]["text"] for e in blocks[-1]["elements"] if e["type"] == "button"]


def test_the_message_says_what_is_to_prove_it() -> None:
    assert "⏳ *To be proved* by the run of daily_orders due" in shown(resolved())
    assert "So far: r1 left out load" in shown(resolved(evidence="r1 left out load"))


@pytest.mark.parametrize(
    ("expects", "said"),
    [
        (EXPECTS, "Still to be proved by the next run of daily_orders."),
        (Expects(proof=Proof.BACKFILL, bad=(NOW, DUE)), "Still to be proved by a backfill of what"),
        (Expects(proof=Proof.WORDS), "Still to be proved by somebody who has looked"),
    ],
)
def test_the_phone_says_what_is_still_to_prove_it_and_no_time_of_day(
    expects: Expects, said: str
) -> None:
    told = views.root_message(scene(resolved(expects=expects)))["text"]
    assert f"Resolved by Ana. {said}" in told
    assert "<!date" not in told
    over = views.root_message(scene(resolved(Verdict.PASSED, expects=expects)))["text"]
    assert over.endswith("Resolved by Ana.")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict.PASSED, "✅ *Proved* by Bo: counted"),
        (Verdict.WAIVED, "☑️ Bo needs no proof: counted"),
        (Verdict.NOT_NEEDED, "*Resolved*"),
    ],
)
def test_the_message_says_how_it_ended(verdict: Verdict, said: str) -> None:
    told = shown(resolved(verdict, ended_by=BO, evidence="counted"))
    assert said in told
    assert "To be proved" not in told


def test_what_proved_it_is_a_click_away() -> None:
    at = resolved(Verdict.PASSED, evidence="r2 ran", url="https://airflow.example/r2")
    assert "✅ *Proved*: r2 ran (<https://airflow.example/r2|details>)" in shown(at)


def test_a_reopened_incident_says_that_the_fix_did_not_hold() -> None:
    at = resolved(Verdict.FAILED, evidence="load failed").but(state=State.TRIGGERED)
    assert "⚠️ The fix by Ana did not hold: load failed" in shown(at)


def test_only_what_waits_for_a_proof_can_be_verified() -> None:
    assert labels(resolved()) == ["Mark verified…"]
    assert labels(resolved(Verdict.PASSED)) == []


def test_a_run_is_offered_where_it_can_be_started_and_asks_first() -> None:
    at = resolved()
    book = replace(BOOK, verifying=VerifyingRules(runnable=frozenset({at.source})))
    assert labels(at, book=book) == ["Mark verified…", "Verify now"]
    assert labels(resolved(Verdict.PASSED), book=book) == []
    assert "Start a run now?" in shown(at, book=book)


@pytest.mark.parametrize(
    ("verdict", "state", "said"),
    [
        (Verdict.PENDING, State.RESOLVED, "So far: &lt;!channel&gt;"),
        (Verdict.PASSED, State.RESOLVED, "*Proved*: &lt;!channel&gt;"),
        (Verdict.WAIVED, State.RESOLVED, "needs no proof: &lt;!channel&gt;"),
        (Verdict.FAILED, State.TRIGGERED, "did not hold: &lt;!channel&gt;"),
    ],
)
def test_evidence_is_text(verdict: Verdict, state: State, said: str) -> None:
    at = resolved(verdict, evidence=HOSTILE).but(state=state)
    message = views.root_message(scene(at))
    assert said in str(message["blocks"])
    tokens = [token for part in _mrkdwn(message) for token in MARKUP.findall(part)]
    assert all(token.startswith(("!date^", *OUR_LINKS)) for token in tokens), tokens


def test_the_form_asks_how_somebody_knows() -> None:
    view = modals.proof_modal(resolved(), "{}")
    assert view["callback_id"] == "verify"
    assert "It needs no proof" in json.dumps(view)


def typist() -> Typist:
    return Typist(by=ANA, now=NOW, zone="UTC", people=PEOPLE, on_call=OnCall())


def test_the_words() -> None:
    assert parse("verify 42 counted the rows", typist()).wish == OnIncident(
        number=42, event="verified", by=ANA, note="counted the rows"
    )
    assert parse("verify 42 Now", typist()).wish == OnIncident(
        number=42, event="run_requested", by=ANA, note=""
    )
    assert parse("verify 42 now it is all there", typist()).wish == OnIncident(
        number=42, event="verified", by=ANA, note="now it is all there"
    )
    assert parse("waive 42 it is retired", typist()).wish == OnIncident(
        number=42, event="waived", by=ANA, note="it is retired"
    )
    assert parse("list pending", typist()).wish == AskList("pending")
    with pytest.raises(CommandError, match="Say why"):
        parse("waive 42", typist())


def test_a_hand_off_carries_what_is_to_be_proved() -> None:
    facts = HandoffFacts(
        handoff=Handoff("data", NOW, (RoleChange("primary", (ANA,), (BO,)),)),
        now=NOW,
        until=DUE,
        names=FakeNames(),
        mentions={},
        pending=[resolved()],
    )
    told = json.dumps(handoff_message(facts), ensure_ascii=False)
    assert "⏳ Fixes still to be proved" in told
    assert "#42* daily_orders.load failed" in told
    assert "by the run of daily_orders due" in told
