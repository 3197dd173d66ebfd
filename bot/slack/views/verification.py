"""What people see of a fix that is to be proved: a line of the message, and the form for words."""

from bot.slack import blocks as kit
from bot.slack.blocks import Json
from bot.slack.scene import Scene
from bot.slack.text import Mrkdwn, join, link, md, outside, spoken
from rules.incident import Incident
from rules.verification import Verdict, Verification
from rules.verifying.wording import by_what

VERIFY = "verify"
_LONGEST = 300


def proof_line(scene: Scene) -> Mrkdwn:
    """Say what is to prove the fix, or what proved it; nothing where no proof is needed."""
    seen = scene.incident.verification
    if seen is None or (scene.incident.is_open and seen.verdict is not Verdict.FAILED):
        return Mrkdwn()
    evidence = outside(seen.evidence, _LONGEST)
    shown = md("({link})", link=link(seen.url, "details")) if seen.url else Mrkdwn()
    match seen.verdict:
        case Verdict.PENDING:
            return _pending(scene, seen)
        case Verdict.PASSED:
            by = md(" by {who}", who=scene.who(seen.ended_by)) if seen.ended_by else Mrkdwn()
            what = md(": {evidence}", evidence=evidence) if evidence else md(".")
            return join(" ", [md("✅ *Proved*{by}{what}", by=by, what=what), shown])
        case Verdict.WAIVED:
            return md("☑️ {who} needs no proof: {why}", who=scene.who(seen.ended_by), why=evidence)
        case Verdict.FAILED if scene.incident.is_open:
            what = md(": {evidence}", evidence=evidence) if evidence else md(".")
            who = scene.who(seen.claimed_by) if seen.claimed_by else Mrkdwn()
            by = md(" by {who}", who=who) if who else Mrkdwn()
            return join(" ", [md("⚠️ The fix{by} did not hold{what}", by=by, what=what), shown])
        case _:
            return Mrkdwn()


def _pending(scene: Scene, seen: Verification) -> Mrkdwn:
    if seen.expects is None:
        return Mrkdwn()
    how = spoken(by_what(seen.expects), scene.names, scene.now)
    line = md("⏳ *To be proved* by {how}.", how=how)
    last = outside(seen.evidence, _LONGEST)
    return join(" ", [line, md("So far: {last}", last=last) if last else Mrkdwn()])


def verify_button(at: Incident) -> Json:
    return kit.button("Mark verified…", VERIFY, str(at.number))


def run_button(at: Incident) -> Json:
    """Start the run that would prove it, once the person has confirmed that."""
    seen = at.verification
    what = (seen.expects.pipeline if seen and seen.expects else "") or "the pipeline"
    confirm = {
        "title": kit.plain("Start a run now?"),
        "text": kit.plain(f"This runs {what} at {at.source}. It may load data.", 300),
        "confirm": kit.plain("Start it"),
        "deny": kit.plain("Not now"),
    }
    return {**kit.button("Verify now", "verify_now", str(at.number)), "confirm": confirm}


def verify_modal(at: Incident, about: Json, metadata: str) -> Json:
    """Ask how somebody knows that it is fixed, or why no proof is needed."""
    choices = (("It is fixed: I have looked", "verified"), ("It needs no proof", "waived"))
    words = kit.text_input(
        "words", placeholder="What did you look at, or why not?", multiline=True, longest=500
    )
    return kit.modal(
        VERIFY,
        f"Verify #{at.number}",
        [
            about,
            kit.input_block("how", "What do you say?", kit.select("how", choices, "verified")),
            kit.input_block("words", "How you know, or why", words),
        ],
        submit="Save",
        metadata=metadata,
    )
