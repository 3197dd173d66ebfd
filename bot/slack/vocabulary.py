"""The names Slack knows us by, and the words of `/oncall`: how each is written, what it does."""

from collections.abc import Mapping
from dataclasses import dataclass

COMMAND = "/oncall"
CREATE_INCIDENT = "create_incident"
PAGE_SOMEONE = "page_someone"


@dataclass(frozen=True, slots=True)
class Word:
    usage: str
    does: str


WORDS: Mapping[str, Word] = {
    "who": Word("who [rotation] [at <time>]", "who is on call"),
    "next": Word("next [n] [rotation]", "who is on call next"),
    "page": Word("page <@person|rotation> <text>", "page somebody now"),
    "list": Word("list [mine|open|all]", "incidents"),
    "show": Word("show <n>", "one incident, with its buttons"),
    "ack": Word("ack <n|all>", "you take it; paging stops"),
    "unack": Word("unack <n>", "hand it back; paging starts again"),
    "resolve": Word("resolve <n> [note]", "it is fixed"),
    "reopen": Word("reopen <n>", "it was not fixed"),
    "correct": Word(
        "correct <n> [category] [impact] [not actionable] [why]",
        "it is not what we took it for; may become a rule",
    ),
    "escalate": Word("escalate <n>", "the next step, now"),
    "snooze": Word("snooze <n> <2h|until 09:00>", "quiet until then, then it pages again"),
    "assign": Word("assign <n> <@person>", "give it to somebody"),
    "silence": Word("silence <label=value …> <2h> <why>", "matching alerts page nobody"),
    "unsilence": Word("unsilence <id>", "end a silence"),
    "silences": Word("silences", "what is silenced now"),
    "take": Word("take [rotation] [2h]", "you are on call, now"),
    "override": Word(
        "override [add|remove] <@person> [instead of <@person>] <from> <to> [rotation]",
        "somebody is on call then",
    ),
    "cover": Word("cover [from to] [rotation]", "ask the channel for somebody to take your shift"),
    "swap": Word("swap <my shift> <their shift>", "ask somebody to swap: `swap next @bo`"),
    "load": Word("load [rotation]", "how on-call is spread, and what would even it out"),
    "slo": Word("slo [product]", "how promises were kept, and what is left"),
    "calendar": Word("calendar", "the address of your shifts, to subscribe to"),
    "issues": Word("issues", "what is open in production, and what the catalogue lacks"),
    "people": Word("people", "who is linked to Slack, and who cannot be paged"),
    "rules": Word("rules [remove <id>]", "what corrections have taught"),
    "explain": Word("explain <n>", "why it went as it did"),
    "test": Word("test", "page yourself with a harmless incident"),
    "help": Word("help", "this list"),
}

ALIASES: Mapping[str, str] = {
    "whois": "who",
    "whoisoncall": "who",
    "acknowledge": "ack",
    "unacknowledge": "unack",
    "close": "resolve",
    "resolved": "resolve",
    "reassign": "assign",
    "mute": "silence",
    "wrong": "correct",
    "learned": "rules",
    "unmute": "unsilence",
    "timeline": "explain",
    "why": "explain",
    "incidents": "list",
    "trigger": "page",
    "budget": "slo",
    "promises": "slo",
    "fairness": "load",
    "trade": "swap",
    "links": "people",
    "commands": "help",
    "?": "help",
}

ELSEWHERE: Mapping[str, str] = {
    "access": "Ask the owner of the group for access.",
    "revoke": "Ask the owner of the group.",
    "journal": "Use `/oncall resolve <n> <note>`: the note stays with the incident.",
}
"""Words that are planned, and what to do meanwhile."""
