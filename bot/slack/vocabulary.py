"""The names Slack knows us by, and the words of `/oncall`: how each is written, what it does."""

from collections.abc import Mapping
from dataclasses import dataclass

COMMAND = "/oncall"
CREATE_INCIDENT = "create_incident"
PAGE_SOMEONE = "page_someone"
ADD_TO_JOURNAL = "add_to_journal"


@dataclass(frozen=True, slots=True)
class Word:
    usage: str
    does: str


WORDS: Mapping[str, Word] = {
    "who": Word("who [rotation] [at <time>]", "who is on call"),
    "next": Word("next [n] [rotation]", "who is on call next"),
    "page": Word("page <@person|rotation> <text>", "page somebody now"),
    "list": Word("list [mine|open|pending|all]", "incidents"),
    "show": Word("show <n>", "one incident, with its buttons"),
    "ack": Word("ack <n|all>", "you take it; paging stops"),
    "unack": Word("unack <n>", "hand it back; paging starts again"),
    "resolve": Word("resolve <n> [note]", "it is fixed"),
    "verify": Word("verify <n> [words|now]", "you have looked: it is fixed; `now` starts the run"),
    "waive": Word("waive <n> <why>", "its fix needs no proof"),
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
    "runbook": Word("runbook <n|gaps>", "what to try for an incident; which runbooks are wanting"),
    "tasks": Word("tasks [mine]", "what is left to do after incidents"),
    "issues": Word("issues", "what is open in production, and what the catalogue lacks"),
    "people": Word("people [name] [page]", "who is linked to Slack, and who cannot be paged"),
    "journal": Word(
        "journal [<n>|<words>|search <words>|trends]", "what was learned from past incidents"
    ),
    "rules": Word("rules [remove <id>]", "what corrections have taught"),
    "access": Word(
        "access [list|back <id>] [<group> <2h|shift> [#n] <why>]",
        "an elevated group for a while; alone, a form",
    ),
    "revoke": Word("revoke <id|all [group]> [why]", "end somebody's access, or everybody's"),
    "explain": Word("explain <n>", "why it went as it did"),
    "test": Word("test", "page yourself with a harmless incident"),
    "help": Word("help", "this list"),
}

ALIASES: Mapping[str, str] = {
    "whois": "who",
    "whos": "who",
    "who's": "who",
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
    "runbooks": "runbook",
    "todo": "tasks",
    "timeline": "explain",
    "why": "explain",
    "incidents": "list",
    "trigger": "page",
    "budget": "slo",
    "promises": "slo",
    "fairness": "load",
    "trade": "swap",
    "links": "people",
    "learnings": "journal",
    "commands": "help",
    "?": "help",
}

ELSEWHERE: Mapping[str, str] = {}
"""Words that are planned, and what to do meanwhile."""
