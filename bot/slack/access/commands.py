"""Reads `/oncall access` and `/oncall revoke`."""

import re
from datetime import timedelta

from bot.acts.access import AskAccess, GiveBack, RevokeAccess, RevokeAll
from bot.slack.wishes import ENDS, AskAccessForm, AskGrants, Typed, Typist, ahead_of, bare
from rules.spoken_time import take_moment

LONGEST_WHY = 500
_LONGEST_NAME = 120
_INCIDENT = re.compile(r"#(\d{1,9})[,.]?")
_UNTIL_SHIFT = re.compile(
    r"(?:for\s+|until\s+)?(?:the\s+|my\s+)?shift(?:\s+ends)?\b[,.]?\s*", re.IGNORECASE
)


def read_access(words: list[str], typist: Typist) -> Typed:
    """`[list|back <grant>]`, or `<group> <2h|until 05:00|shift> [#incident] <why>`.

    Without a word more than the group's name, a form asks for the rest.
    """
    first = bare(words[0]) if words else ""
    if first == "list":
        return Typed(AskGrants())
    if first == "back":
        return Typed(GiveBack(by=typist.by, grant=_grant(words[1:])))
    if len(words) < 2:
        return Typed(AskAccessForm(words[0].strip("`")[:_LONGEST_NAME] if words else ""))
    group, rest = words[0].strip("`")[:_LONGEST_NAME], words[1:]
    incident, rest = _incident(rest)
    written = " ".join(rest)
    if shift := _UNTIL_SHIFT.match(written):
        why = written[shift.end() :]
        act = AskAccess(by=typist.by, group=group, length=timedelta(0), why=why[:LONGEST_WHY],
                        incident=incident, until_shift_ends=True)  # fmt: skip
        return Typed(act)
    moment, rest = take_moment(rest, typist.now, typist.zone)
    until = ahead_of(moment, typist.now).at
    if not incident:
        incident, rest = _incident(rest)
    act = AskAccess(by=typist.by, group=group, length=until - typist.now,
                    why=" ".join(rest)[:LONGEST_WHY], incident=incident)  # fmt: skip
    return Typed(act, moment.note)


def read_revoke(words: list[str], typist: Typist) -> Typed:
    """`<grant> [why]`, or `all [group] [why]`: everybody's, at once."""
    if words and bare(words[0]) == "all":
        group = words[1].strip("`")[:_LONGEST_NAME] if len(words) > 1 else ""
        why = " ".join(words[2:])[:LONGEST_WHY]
        return Typed(RevokeAll(by=typist.by, group=group, why=why))
    grant, why = _grant(words), " ".join(words[1:])[:LONGEST_WHY]
    return Typed(RevokeAccess(by=typist.by, grant=grant, why=why))


def _grant(words: list[str]) -> str:
    if not words:
        raise ValueError("Say which grant: `/oncall access list` shows their ids.")
    return words[0].rstrip(ENDS).strip("`")[:64]


def _incident(words: list[str]) -> tuple[int, list[str]]:
    """Take an incident's number from the front."""
    hit = _INCIDENT.fullmatch(words[0]) if words else None
    return (int(hit[1]), words[1:]) if hit else (0, words)
