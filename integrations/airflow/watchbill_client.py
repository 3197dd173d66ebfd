"""Carries events to Watchbill: signed, within three seconds, kept on disk while it is away.

Standard library only, Python 3.8 and later. Nothing here raises into the caller.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import stat
import tempfile
import threading
import time
import urllib.error
import urllib.request
from typing import Any, Callable, Dict, Mapping

try:
    import fcntl
except ImportError:  # no file locks on this system: events may then overtake each other
    fcntl = None

log = logging.getLogger("watchbill")

Body = Dict[str, Any]

VERSION = "1"
SENT, KEPT, REFUSED, OFF = "sent", "kept", "refused", "off"
REFUSALS = frozenset({400, 413, 415, 422})
"""Answers that will not change when the same bytes come again."""


class Settings:
    """Where events go, and how; read from the environment at every call."""

    def __init__(self, environ: Mapping[str, str] | None = None, **changes: object) -> None:
        env = os.environ if environ is None else environ
        self.url = env.get("WATCHBILL_URL", "").strip()
        self.secret = env.get("WATCHBILL_SECRET", "").strip()
        self.auth = env.get("WATCHBILL_AUTH", "signature").strip().lower()
        self.instance = env.get("WATCHBILL_INSTANCE", "").strip() or "airflow"
        self.spool = env.get("WATCHBILL_SPOOL", "").strip() or _default_spool(env)
        self.spool_files = _number(env.get("WATCHBILL_SPOOL_FILES"), 1000)
        self.timeout = _number(env.get("WATCHBILL_TIMEOUT"), 3)
        self.events = frozenset(env.get("WATCHBILL_EVENTS", "").replace(",", " ").split())
        if changes.get("url") not in (None, self.url) and changes.get("spool") is None:
            # What waits for one address must neither go to another nor hold it up.
            self.spool = os.path.join(self.spool, delivery_id(changes["url"])[:12])
        for name, value in changes.items():
            if value is not None:
                setattr(self, name, value)

    def wants(self, event: str) -> bool:
        return not self.events or event in self.events


def _default_spool(env: Mapping[str, str]) -> str:
    home = env.get("AIRFLOW_HOME", "").strip()
    if home:
        return os.path.join(home, "watchbill-spool")
    return os.path.join(tempfile.gettempdir(), "watchbill-spool-%d" % os.getuid())


def _number(text: str | None, otherwise: float) -> float:
    try:
        number = float(text)
    except (TypeError, ValueError):
        return otherwise
    return number if number > 0 else otherwise


def delivery_id(*parts: object) -> str:
    """Return an id that is the same whenever the same thing is told again."""
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def send(settings: Settings, delivery: str, event: Body) -> str:
    """Hand one event (a dict of plain values) over; return what became of it. Never raises.

    The event is written to the spool first and removed once Watchbill has answered 2xx, so
    a kill at any moment loses nothing. Waits at most `settings.timeout` seconds.
    """
    if not settings.url:
        log.warning("WATCHBILL_URL is not set: nobody is told about %s", event.get("event"))
        return OFF
    try:
        return _send(settings, delivery, event)
    except Exception as error:
        log.warning("Watchbill was not told about %s: %r", event.get("event"), error)
        return KEPT


def _send(settings: Settings, delivery: str, event: Body) -> str:
    body = json.dumps(event, separators=(",", ":"), default=str).encode("utf-8")
    outcomes: dict[str, str] = {}
    try:
        spool = Spool(settings)
        spool.put(delivery, body)
    except OSError as error:
        log.warning(
            "The spool %s cannot be written (%s): sending without it", settings.spool, error
        )

        def work() -> None:
            outcomes[delivery] = post(settings, delivery, body)
    else:

        def work() -> None:
            _flush(settings, spool, delivery, outcomes)

    # A thread, because neither a name look-up nor a dripping answer obeys a socket's time-out.
    thread = threading.Thread(target=_quietly, args=(work,), name="watchbill", daemon=True)
    thread.start()
    thread.join(settings.timeout)
    return outcomes.get(delivery, KEPT)


def _quietly(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception as error:
        log.warning("Watchbill could not be reached: %r; events stay in the spool", error)


def flush(settings: Settings) -> int:
    """Send what the spool holds, oldest first; return how many events remain. Never raises."""
    try:
        spool = Spool(settings)
        _flush(settings, spool, "", {})
        return len(spool.entries())
    except Exception as error:
        log.warning("The Watchbill spool was not flushed: %r", error)
        return -1


def _flush(settings: Settings, spool: Spool, own: str, outcomes: dict[str, str]) -> None:
    with spool.lock(settings.timeout / 2) as locked:
        if not locked and own:
            # Somebody else is flushing and hangs. Ours goes out by itself; twice is harmless.
            _deliver(settings, spool, spool.find(own), outcomes)
            return
        while True:
            entries = spool.entries()
            for entry in entries:
                if _deliver(settings, spool, entry, outcomes) == KEPT:
                    return
            if entries:
                continue
            lost = spool.take_dropped()
            if not lost:
                return
            _report_lost(settings, spool, lost)


def _report_lost(settings: Settings, spool: Spool, lost: int) -> None:
    event = {"version": VERSION, "event": "events_dropped", "instance": settings.instance}
    event.update(dropped=lost, sent_at=utc_now())
    body = json.dumps(event, separators=(",", ":")).encode("utf-8")
    spool.put(delivery_id(settings.instance, "events_dropped", time.time()), body)


def _deliver(settings: Settings, spool: Spool, entry: str | None, outcomes: dict[str, str]) -> str:
    if entry is None:
        return SENT
    body = spool.read(entry)
    if body is None:  # another process was faster
        return SENT
    delivery = entry.rsplit("-", 1)[1][: -len(".json")]
    outcome = post(settings, delivery, body)
    outcomes[delivery] = outcome
    if outcome != KEPT:
        spool.remove(entry)
    return outcome


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the signed body to another host."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:  # noqa: ARG002
        return None


def post(settings: Settings, delivery: str, body: bytes) -> str:
    """Send one body once: SENT, REFUSED (it never will be taken) or KEPT (try again later)."""
    if not settings.url.lower().startswith(("http://", "https://")):
        log.error("WATCHBILL_URL must start with https:// or http://")
        return KEPT
    request = urllib.request.Request(settings.url, data=body, method="POST")
    request.add_header("Content-Type", "application/json")
    request.add_header("User-Agent", "watchbill-airflow/" + VERSION)
    request.add_header("X-Watchbill-Delivery", delivery)
    secret = settings.secret.encode("utf-8")
    if settings.auth == "bearer":
        request.add_header("Authorization", "Bearer " + settings.secret)
    elif secret:
        request.add_header("X-Watchbill-Signature", signature(secret, body))
    try:
        opener = urllib.request.build_opener(_NoRedirect())
        with opener.open(request, timeout=settings.timeout) as answer:
            answer.read(1024)
            return SENT
    except urllib.error.HTTPError as error:
        error.close()
        outcome = REFUSED if error.code in REFUSALS else KEPT
        log.warning("Watchbill answered %s: the event is %s", error.code, outcome)
    except (OSError, ValueError) as error:
        outcome = KEPT
        log.warning("Watchbill could not be reached (%s): the event is kept", error)
    return outcome


def signature(secret: bytes, body: bytes) -> str:
    """Return the value of X-Watchbill-Signature: HMAC-SHA256 over the raw body."""
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def utc_now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Spool:
    """A private directory of events that wait; the oldest go when it is full, and are counted."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.spool
        self.limit = int(settings.spool_files)
        os.makedirs(self.path, mode=0o700, exist_ok=True)
        found = os.lstat(self.path)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise OSError("it is not a directory of this user")
        if found.st_mode & 0o077:
            os.chmod(self.path, 0o700)

    def put(self, delivery: str, body: bytes) -> None:
        """Write one event so that a reader sees all of it or nothing."""
        for oldest in self.entries()[: max(0, len(self.entries()) - self.limit + 1)]:
            if self.remove(oldest):
                self._count_dropped(1)
        name = "%020d-%s.json" % (time.time_ns(), delivery)
        unfinished = os.path.join(self.path, ".%s.%d" % (name, os.getpid()))
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, os.path.join(self.path, name))

    def entries(self) -> list[str]:
        """Return the names of whole events, oldest first."""
        return sorted(name for name in os.listdir(self.path) if name.endswith(".json"))

    def find(self, delivery: str) -> str | None:
        for name in self.entries():
            if name.endswith("-%s.json" % delivery):
                return name
        return None

    def read(self, entry: str) -> bytes | None:
        try:
            with open(os.path.join(self.path, entry), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def remove(self, entry: str) -> bool:
        try:
            os.unlink(os.path.join(self.path, entry))
            return True
        except FileNotFoundError:
            return False

    def _count_dropped(self, more: int) -> None:
        count = self._dropped() + more
        log.error("The Watchbill spool is full: %d events were dropped so far", count)
        with open(os.path.join(self.path, "dropped"), "w") as file:
            file.write(str(count))

    def _dropped(self) -> int:
        try:
            with open(os.path.join(self.path, "dropped")) as file:
                return int(file.read() or 0)
        except (OSError, ValueError):
            return 0

    def take_dropped(self) -> int:
        count = self._dropped()
        self.remove("dropped")
        return count

    def lock(self, seconds: float) -> _Lock:
        return _Lock(os.path.join(self.path, "lock"), seconds)


class _Lock:
    """One flusher at a time keeps events in order; gives up after `seconds`."""

    def __init__(self, path: str, seconds: float) -> None:
        self.path = path
        self.seconds = seconds

    def __enter__(self) -> bool:
        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is None:
            return True
        until = time.monotonic() + self.seconds
        while True:
            try:
                fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except OSError:
                if time.monotonic() >= until:
                    return False
                time.sleep(0.02)

    def __exit__(self, *exc: object) -> None:
        # Unlock by name: a forked child may still hold a copy of the handle.
        if fcntl is not None:
            fcntl.flock(self.handle, fcntl.LOCK_UN)
        os.close(self.handle)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    left = flush(Settings())
    print("events left in the spool: %d" % left)
    raise SystemExit(0 if left == 0 else 1)
