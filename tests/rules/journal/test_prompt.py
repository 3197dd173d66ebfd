"""Who is asked for an entry, when, and until when; and what the rulebook says of it."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from rules.decision import Decision
from rules.documents.journal_parts import journal_rules
from rules.documents.journal_spec import JournalSpec
from rules.effects import AskJournal
from rules.hours import Hours
from rules.incident import Incident
from rules.journal.facts import facts_of, interval_text, verification_text
from rules.journal.prompt import Next, next_step, with_prompt
from rules.journal.template import DEFAULT_TEMPLATE, JournalRules
from rules.priority import Priority
from rules.verification import Expects, Proof, Verdict, Verification
from tests.rules.build import make_incident

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ASK = JournalRules(ask=frozenset(Priority), remind=(timedelta(hours=20), timedelta(days=3)))


def taken() -> Incident:
    return make_incident().but(paged=("ana",), acked_by="bo", first_acked_at=NOW)


def asked(before: Incident, after: Incident, rules: JournalRules = ASK) -> list[AskJournal]:
    made = with_prompt(before, Decision(after), rules)
    return [one for one in made.effects if isinstance(one, AskJournal)]


@pytest.mark.parametrize(
    ("after", "person"),
    [
        (taken().resolve("cy", NOW), "cy"),
        (taken().resolve("", NOW), "bo"),
        (taken().but(acked_by="").resolve("", NOW), "ana"),
    ],
)
def test_the_one_who_knows_best_is_asked(after: Incident, person: str) -> None:
    assert [one.person for one in asked(taken(), after)] == [person]


@pytest.mark.parametrize(
    ("after", "rules"),
    [
        (taken(), ASK),
        (taken().resolve("cy", NOW).but(hidden=True), ASK),
        (taken().resolve("cy", NOW), replace(ASK, ask=frozenset())),
        (taken().but(paged=(), first_acked_at=None).resolve("", NOW), ASK),
    ],
)
def test_nobody_is_asked_without_need(after: Incident, rules: JournalRules) -> None:
    assert asked(taken(), after, rules) == []


def test_a_proof_asks_once_more_and_nothing_else_does() -> None:
    done = taken().resolve("cy", NOW)
    proof = Verification(verdict=Verdict.PASSED, claimed_at=NOW)
    proved = done.but(verification=proof, version=9)
    (again,) = asked(done, proved)
    assert again.proved
    assert again.key != asked(taken(), done)[0].key
    assert asked(proved, proved.but(version=10)) == []


def test_reminders_come_twice_outside_quiet_hours_and_then_end() -> None:
    quiet = Hours(time(22), time(9), "UTC")
    assert next_step(ASK, 0, NOW, None) == Next(NOW + timedelta(hours=20))
    assert next_step(ASK, 0, NOW, quiet) == Next(NOW + timedelta(hours=30))
    assert next_step(ASK, 1, NOW, None) == Next(NOW + timedelta(days=3))
    assert next_step(ASK, 2, NOW, quiet).ends
    assert next_step(replace(ASK, remind=()), 0, NOW, None) == Next(NOW, ends=True)


def test_later_documents_come_first_and_words_add_up() -> None:
    pack = JournalSpec.model_validate({
        "ask": ["P1"], "remind": ["1h"], "causes": {"unknown": "Unknown"},
        "templates": [{"name": "usual", "fix": {"label": "How?"}}],
        "same_words": [["late", "stale"]],
    })  # fmt: skip
    own = JournalSpec.model_validate({
        "remind": [], "same_words": [["lag", "backlog"]],
        "templates": [{"name": "flink", "match": {"source": "flink"}, "cause": {"label": "Why?"}}],
    })  # fmt: skip
    rules = journal_rules([pack, own])
    assert (rules.ask, rules.remind) == (frozenset({Priority.P1}), ())
    assert [one.name for one in rules.templates] == ["flink", "usual"]
    assert rules.template(taken()).name == "usual"
    assert rules.template(taken().but(source="flink")).name == "flink"
    assert len(rules.same_words.groups) == 2
    assert JournalRules().template(None) is DEFAULT_TEMPLATE


@pytest.mark.parametrize(
    "wrong",
    [
        {"templates": [{"name": "empty"}]},
        {"templates": [{"name": "x", "fix": {"label": "a"}}, {"name": "x", "fix": {"label": "a"}}]},
        {"causes": {"Not a name": "x"}},
        {"same_words": [["alone"]]},
        {"skip": [{}]},
        {"ask": ["P9"]},
        {"remember": True},
    ],
)
def test_a_wrong_section_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        JournalSpec.model_validate(wrong)


def test_facts_say_what_was_bad_and_what_proves_it() -> None:
    later = NOW + timedelta(days=1)
    waits = Verification(verdict=Verdict.PENDING, claimed_at=NOW,
                         expects=Expects(proof=Proof.NEXT_RUN, pipeline="daily"))  # fmt: skip
    found = facts_of(taken().but(bad=(NOW, later), verification=waits), steps=["a"], grants=["b"])
    assert found.interval == "2026-11-23 03:00 – 2026-11-24 03:00 UTC"
    assert found.verification == "waits for a run of daily"
    assert (found.steps, found.grants, found.people) == (("a",), ("b",), ("ana", "bo"))
    assert interval_text((NOW, NOW)) == "2026-11-23 03:00 UTC"
    assert verification_text(replace(waits, verdict=Verdict.WAIVED, evidence="ok")) == "waived: ok"
