"""Who comes on call and could not be woken, or by Slack alone, told while there is time to mend it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from rules.contacting.method import Method
from rules.schedule.reminders import Notice, NoticeKind, Turn
from rules.sentence import Sentence, Who, say

AHEAD = timedelta(days=7)
"""So long before a shift it is told, and at once for one that is going on."""

MethodsOf = Callable[[str], Sequence[Method]]
"""By what, beside Slack, a person is reached, by key."""
SlackTrouble = Callable[[str], str]
"""Why a person cannot be paged in Slack, by key; "" when they can."""


def reach_warnings(
    found: Iterable[Turn], now: datetime, *, methods_of: MethodsOf, slack_trouble: SlackTrouble
) -> Iterator[Notice]:
    """Yield who cannot be reached at all, or by Slack alone, once for each shift of theirs."""
    for turn in found:
        if turn.end <= now or turn.start - now > AHEAD:
            continue
        if methods_of(turn.person):
            continue
        kind = NoticeKind.UNREACHABLE if slack_trouble(turn.person) else NoticeKind.ONE_WAY
        start = turn.start.isoformat()
        yield Notice(
            key=f"{kind}:{turn.rotation}:{turn.role}:{turn.person}:{start}",
            kind=kind,
            start=turn.start,
            end=turn.lasts,
            person=turn.person,
            rotation=turn.rotation,
            role=turn.role,
        )


def reach_sentence(notice: Notice, now: datetime) -> Sentence:
    """Say who cannot be woken, when it matters, and what to do."""
    when = "is {role} of {rotation} now" if notice.start <= now else (
        "is {role} of {rotation} from {start}"
    )  # fmt: skip
    values: dict[str, str | datetime | Who] = {
        "who": Who(notice.person),
        "role": notice.role,
        "rotation": notice.rotation,
    }
    if notice.start > now:
        values["start"] = notice.start
    if notice.kind is NoticeKind.UNREACHABLE:
        words = "⚠️ {who} " + when + " and cannot be reached by any method. Add an address to the "
        return say(words + "roster's tab People, or give the shift to somebody else.", **values)
    words = "⚠️ {who} " + when + " and can be reached by Slack alone. Add an e-mail, a phone or "
    return say(words + "another address to the roster's tab People.", **values)
