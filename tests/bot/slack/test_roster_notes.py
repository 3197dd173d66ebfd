"""What the roster's editors are told: text is text, Slack's limits hold, a job carries it whole."""

from datetime import UTC, datetime

from bot.ports.jobs import Job, JobPriority
from bot.slack.rota.notes import Finding, RosterNote, note_of, note_payload, roster_message
from bot.workspace.blockkit import problems

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
SHEET = "https://docs.google.com/spreadsheets/d/x/edit#gid=0&range=C14"


def note(*findings: Finding, held: tuple[str, ...] = (), more: int = 0) -> RosterNote:
    return RosterNote("bo@example.com", "roster.xlsx", "abc123", findings, more, held)


def test_each_finding_is_told_with_its_cell_and_a_way_to_it() -> None:
    message = roster_message(
        note(Finding("error", "Shifts!C14: nobody is called Zed.", SHEET), more=3)
    )
    lead, line, more = message["blocks"]
    assert lead["text"]["text"].startswith("*roster.xlsx has cells that cannot be read.*")
    way = SHEET.replace("&", "&amp;")
    assert line["text"]["text"] == f"🔴 Shifts!C14: nobody is called Zed. <{way}|Open the cell>"
    assert more["elements"][0]["text"] == "3 more: run `watchbill roster check --all`."
    assert problems(message, surface="message") == []


def test_warnings_alone_do_not_say_that_cells_cannot_be_read() -> None:
    message = roster_message(note(Finding("warning", "Away!A2: ana is away.")))
    assert message["blocks"][0]["text"]["text"] == (
        "*roster.xlsx is in force.* Please look at these cells."
    )


def test_a_held_version_has_a_button_with_its_hash() -> None:
    message = roster_message(note(Finding("error", "held"), held=("data", "web")))
    (button,) = message["blocks"][-1]["elements"]
    assert (button["action_id"], button["value"]) == ("roster_confirm", "abc123")
    assert "leave data, web without anybody" in message["text"]
    assert problems(message, surface="message") == []


def test_hostile_cells_are_text_and_fit() -> None:
    hostile = "<!channel> <@U1> *bold* `code` &amp; <https://evil.example|click> " * 200
    findings = tuple(Finding("error", hostile, "javascript:alert(1)") for _ in range(10))
    message = roster_message(note(*findings, held=(hostile,)))
    assert problems(message, surface="message") == []
    shown = str(message)
    assert "<!channel>" not in shown
    assert "<@U1>" not in shown
    assert "<https://evil.example" not in shown
    assert "javascript" not in shown


def test_a_job_carries_the_note_whole() -> None:
    told = note(Finding("error", "a", SHEET), Finding("warning", "b"), held=("data",), more=2)
    job = Job(
        id="j", key="k", kind="roster_note", lane="", priority=JobPriority.NOTE,
        payload=note_payload(told), incident_id="", due_at=NOW, created_at=NOW,
        first_attempt_at=None, attempts=0, lease=1, leased_until=NOW, revision=0, unsure=False,
    )  # fmt: skip
    assert note_of(job) == told
