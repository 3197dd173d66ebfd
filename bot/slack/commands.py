"""Reads what people type after `/oncall`: pure, from words to a question or an act."""

import re
from collections.abc import Callable, Mapping

from bot.acts.act import AckAll, EndSilence, MakeSilence, OnIncident, OpenByHand
from bot.slack.access.commands import read_access, read_revoke
from bot.slack.commands_correct import read_correction, read_rules
from bot.slack.commands_journal import read_journal
from bot.slack.rota.commands import read_cover, read_load, read_override, read_swap, read_take
from bot.slack.typed_text import plain_words
from bot.slack.vocabulary import ALIASES, COMMAND, ELSEWHERE, WORDS
from bot.slack.wishes import (
    ENDS,
    AskCalendar,
    AskExplain,
    AskHelp,
    AskIssues,
    AskList,
    AskNext,
    AskPeople,
    AskRunbook,
    AskShow,
    AskSilences,
    AskSlo,
    AskTasks,
    AskWho,
    CommandError,
    Typed,
    Typist,
    ahead_of,
    bare,
    first_of,
    person_of,
)
from rules.matching.matcher import parse_matchers
from rules.nearest import nearest
from rules.schedule.who import find_rotation
from rules.spoken_time import read_moment, take_moment

_NUMBER = re.compile(rf"#?(\d{{1,9}})[{ENDS}?]*")
_ON_CALL = frozenset({"is", "on", "call", "oncall", "on-call", "now"})
"""What people write between `who` and what they mean."""
_AND = frozenset({"", "and", "&", "+"})
_COUNT = re.compile(r"\d{1,9}")
_LONGEST = 4000
_MOST_TURNS = 20


def parse(text: str, typist: Typist) -> Typed:
    """Read one command; raises CommandError with what to write instead."""
    words = plain_words(text)[:_LONGEST].split()
    if words and words[0].lower() in {COMMAND, COMMAND.lstrip("/")}:
        words = words[1:]
    if not words:
        return Typed(AskHelp())
    first = words[0].lower().lstrip("/")
    first = bare(first) or first
    word = ALIASES.get(first, first)
    if word in ELSEWHERE:
        raise CommandError("That is not in this version.", ELSEWHERE[word])
    reader = _READERS.get(word)
    if reader is None:
        hit = nearest(first, [*WORDS, *ALIASES])
        meant = f"Did you mean `/oncall {WORDS[ALIASES.get(hit, hit)].usage}`? " if hit else ""
        hint = f"{meant}`/oncall help` lists them all."
        raise CommandError(f'I do not know "{first[:40]}".', hint)
    try:
        return reader(words[1:], typist)
    except ValueError as error:
        hint = f"Write `/oncall {WORDS[word].usage}`."
        raise CommandError(_sentence(str(error)), hint) from error


def _who(words: list[str], typist: Typist) -> Typed:
    lowered = [word.lower() for word in words]
    split = lowered.index("at") if "at" in lowered else len(words)
    named = [] if _ON_CALL.issuperset(map(bare, words[:split])) else words[:split]
    rotation = _rotation_or_none(named, typist)
    if split == len(words):
        return Typed(AskWho(rotation))
    written = " ".join(words[split + 1 :]).rstrip("?!")
    moment = read_moment(written, typist.now, typist.zone)
    return Typed(AskWho(rotation, moment.at), moment.note)


def _next(words: list[str], typist: Typist) -> Typed:
    counts = [int(word) for word in words if _COUNT.fullmatch(word)]
    names = [word for word in words if not _COUNT.fullmatch(word)]
    count = min(max(counts[0], 1), _MOST_TURNS) if counts else 3
    return Typed(AskNext(count, _rotation_or_none(names, typist)))


def _page(words: list[str], typist: Typist) -> Typed:
    target, rest = first_of(words)
    if not target:
        raise ValueError("Say whom to page.")
    title = " ".join(rest)[:200]
    if not title:
        raise ValueError("Say what it is about.")
    detail = " ".join(rest) if len(" ".join(rest)) > 200 else ""
    rotation = next(
        (r for r in typist.on_call.rotations if r.casefold() == target.lstrip("#@").casefold()), ""
    )
    person = "" if rotation else person_of(target, typist)
    return Typed(
        OpenByHand(by=typist.by, title=title, description=detail, person=person, rotation=rotation)
    )


def _list(words: list[str], _typist: Typist) -> Typed:
    which = bare(words[0]) if words else "open"
    if which not in {"mine", "open", "pending", "all"}:
        raise ValueError(f'"{which}" is no list.')
    return Typed(AskList(which))


def _show(words: list[str], _typist: Typist) -> Typed:
    return Typed(AskShow(_number(words)))


def _explain(words: list[str], _typist: Typist) -> Typed:
    return Typed(AskExplain(_number(words)))


def _correct(words: list[str], typist: Typist) -> Typed:
    return read_correction(_number(words), words[1:], typist)


def _ack(words: list[str], typist: Typist) -> Typed:
    if words and bare(words[0]) == "all":
        return Typed(AckAll(by=typist.by))
    return Typed(OnIncident(number=_only_number(words), event="acked", by=typist.by))


def _plain_event(event: str) -> "_Reader":
    def read(words: list[str], typist: Typist) -> Typed:
        number, note = _only_number(words), " ".join(words[1:])[:1000]
        return Typed(OnIncident(number=number, event=event, by=typist.by, note=note))

    return read


def _verify(words: list[str], typist: Typist) -> Typed:
    """Read how somebody knows that it is fixed; "now" alone starts the run that proves it."""
    now = [bare(word) for word in words[1:]] == ["now"]
    return _plain_event("run_requested" if now else "verified")(words[:1] if now else words, typist)


def _snooze(words: list[str], typist: Typist) -> Typed:
    number = _number(words)
    moment = ahead_of(read_moment(" ".join(words[1:]), typist.now, typist.zone), typist.now)
    act = OnIncident(number=number, event="snoozed", by=typist.by, until=moment.at)
    return Typed(act, moment.note)


def _assign(words: list[str], typist: Typist) -> Typed:
    number, rest = _number(words), words[1:]
    rest = rest[1:] if rest and rest[0].lower() == "to" else rest
    named = rest[:1] if rest and rest[0].startswith("<@") else rest
    written = " ".join(named).strip('"').rstrip(ENDS)
    if not written:
        raise ValueError("Say to whom.")
    person = person_of(written, typist)
    return Typed(OnIncident(number=number, event="reassigned", by=typist.by, person=person))


def _silence(words: list[str], typist: Typist) -> Typed:
    found, rest = parse_matchers(" ".join(words))
    if not found:
        raise ValueError("Name at least one label, such as team=finance.")
    moment, why = take_moment(rest.split(), typist.now, typist.zone)
    if not why:
        raise ValueError("Say why, for those who wonder later.")
    until = ahead_of(moment, typist.now).at
    matchers = " ".join(map(str, found))
    act = MakeSilence(by=typist.by, matchers=matchers, until=until, why=" ".join(why)[:500])
    return Typed(act, moment.note)


def _unsilence(words: list[str], typist: Typist) -> Typed:
    if not words:
        raise ValueError("Say which: `/oncall silences` lists their ids.")
    return Typed(EndSilence(by=typist.by, silence_id=words[0].rstrip(ENDS).strip("`")[:64]))


def _silences(_words: list[str], _typist: Typist) -> Typed:
    return Typed(AskSilences())


def _slo(words: list[str], _typist: Typist) -> Typed:
    return Typed(AskSlo(" ".join(words)[:200]))


def _calendar(_words: list[str], _typist: Typist) -> Typed:
    return Typed(AskCalendar())


def _people(words: list[str], _typist: Typist) -> Typed:
    page = words.pop() if words and words[-1].isascii() and words[-1].isdecimal() else "1"
    return Typed(AskPeople(" ".join(words)[:80], min(max(int(page[:4]), 1), 1000)))


def _waive(words: list[str], typist: Typist) -> Typed:
    number, why = _number(words), " ".join(words[1:])
    if not why:
        raise ValueError("Say why no proof is needed.")
    return Typed(OnIncident(number=number, event="waived", by=typist.by, note=why))


def _issues(_words: list[str], _typist: Typist) -> Typed:
    return Typed(AskIssues())


def _runbook(words: list[str], _typist: Typist) -> Typed:
    return Typed(AskRunbook(0 if words and bare(words[0]) == "gaps" else _number(words)))


def _tasks(words: list[str], _typist: Typist) -> Typed:
    which = bare(words[0]) if words else "all"
    if which not in {"mine", "all"}:
        raise ValueError(f'"{words[0][:40]}" is no list.')
    return Typed(AskTasks(which == "mine"))


def _test(_words: list[str], typist: Typist) -> Typed:
    text = "Somebody typed `/oncall test`. Acknowledge it, then resolve it; nothing is broken."
    return Typed(OpenByHand(by=typist.by, title="Test page", description=text, person=typist.by))


def _help(_words: list[str], _typist: Typist) -> Typed:
    return Typed(AskHelp())


_Reader = Callable[[list[str], Typist], Typed]

_READERS: Mapping[str, _Reader] = {
    "who": _who,
    "next": _next,
    "page": _page,
    "list": _list,
    "show": _show,
    "ack": _ack,
    "unack": _plain_event("unacked"),
    "resolve": _plain_event("resolved"),
    "verify": _verify,
    "waive": _waive,
    "reopen": _plain_event("reopened"),
    "escalate": _plain_event("escalated"),
    "snooze": _snooze,
    "assign": _assign,
    "silence": _silence,
    "unsilence": _unsilence,
    "silences": _silences,
    "take": read_take,
    "override": read_override,
    "cover": read_cover,
    "swap": read_swap,
    "load": read_load,
    "calendar": _calendar,
    "runbook": _runbook,
    "tasks": _tasks,
    "issues": _issues,
    "people": _people,
    "slo": _slo,
    "journal": read_journal,
    "correct": _correct,
    "rules": read_rules,
    "access": read_access,
    "revoke": read_revoke,
    "explain": _explain,
    "test": _test,
    "help": _help,
}


def _number(words: list[str]) -> int:
    hit = _NUMBER.fullmatch(words[0]) if words else None
    if hit is None:
        raise ValueError("Say which incident, by its number.")
    return int(hit[1])


def _only_number(words: list[str]) -> int:
    """Read the number of one incident: whoever names two must not believe that both are done."""
    number, more = _number(words), [bare(word) for word in words[1:]]
    if any(map(_NUMBER.fullmatch, more)) and all(w in _AND or _NUMBER.fullmatch(w) for w in more):
        raise ValueError("One incident at a time; nothing was done.")
    return number


def _rotation_or_none(words: list[str], typist: Typist) -> str:
    written = " ".join(words).rstrip("?!")
    return find_rotation(typist.on_call, written) if written else ""


def _sentence(text: str) -> str:
    begun = text[:1].upper() + text[1:]
    return begun if begun.endswith((".", "!", "?")) else f"{begun}."
