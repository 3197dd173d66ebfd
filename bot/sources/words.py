"""The words that sources use for status and severity, and the ways they write a time."""

from datetime import UTC, datetime, timedelta, tzinfo
from math import isfinite

from rules.alert import AlertStatus, Severity

PROGRESS = frozenset({"pending", "scheduled", "waiting", "starting", "started", "running"})
"""Words of jobs that are neither good nor bad by themselves."""

_SEVERITIES = {
    Severity.CRITICAL: "critical crit fatal emergency emerg disaster page p1 p0 sev0 sev1 1 highest "
    "urgent blocker panic alert",
    Severity.ERROR: "error err high major severe p2 sev2 2 failure failed",
    Severity.WARNING: "warning warn medium moderate average minor p3 sev3 3",
    Severity.INFO: "info information informational notice low none debug ok p4 p5 sev4 sev5 4 5 "
    "trivial lowest",
}
_STATUSES = {
    AlertStatus.FIRING: "firing fire problem down failed fail failure error errored open opened "
    "triggered trigger alarm alert alerting critical active broken created new unhealthy warn "
    "warning timeout timed_out crashed nodata no_data",
    AlertStatus.RESOLVED: "resolved resolve ok recovered recovery up closed close success succeeded "
    "successful passed pass inactive cleared clear fixed healthy normal completed complete done",
    AlertStatus.INFO: "info information informational notice remark note test ping queued "
    f"requested in_progress acknowledged acked cancelled canceled skipped {' '.join(PROGRESS)}",
}
SEVERITY_WORDS = {word: mean for mean, words in _SEVERITIES.items() for word in words.split()}
STATUS_WORDS = {word: mean for mean, words in _STATUSES.items() for word in words.split()}

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_FUTURE = timedelta(days=1)


def severity_of(word: str) -> Severity:
    """Return what a source's word means; UNKNOWN for a word nobody agreed on."""
    return SEVERITY_WORDS.get(_plain(word), Severity.UNKNOWN)


def status_of(word: str) -> AlertStatus | None:
    """Return what a source's word means, or None."""
    return STATUS_WORDS.get(_plain(word))


def _plain(word: str) -> str:
    return word[:64].strip().lower().replace(" ", "_").replace("-", "_")


def time_of(value: object, *, zone: tzinfo, otherwise: datetime) -> datetime:
    """Return the instant `value` names, in UTC, or `otherwise`.

    Reads ISO 8601 (without an offset it is meant in `zone`) and Unix time in seconds, milli-,
    micro- or nanoseconds. A time before 2000 or more than a day after `otherwise` is nobody's.
    """
    try:
        found = _read_time(value, zone)
    except (ValueError, OverflowError, OSError):
        return otherwise
    if found is None or not _EARLIEST <= found <= otherwise + _FUTURE:
        return otherwise
    return found


def _read_time(value: object, zone: tzinfo) -> datetime | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _unix(float(value))
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip()
    if text.replace(".", "", 1).isdecimal() and len(text) >= 9:
        return _unix(float(text))
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def _unix(number: float) -> datetime:
    if not isfinite(number):
        raise ValueError("no instant is that far away")
    while abs(number) >= 1e11:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)
