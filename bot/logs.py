"""Logs: one line an event, on a terminal or as JSON, and never a secret in it."""

import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Literal, TextIO
from urllib.parse import quote

import structlog

HIDDEN = "[hidden]"
NOT_SHOWN = "[shown at level debug only]"

Format = Literal["auto", "json", "pretty"]

_SECRET_KEY = re.compile(
    r"token|secret|password|passwd|authorization|cookie|credential|api_?key|signature",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"\bxox[a-z]-[A-Za-z0-9-]{6,}|\bxapp-[A-Za-z0-9-]{6,}"
    r"|(?<=[Bb]earer )[^\s\"',}]{4,}|(?<=[Bb]asic )[A-Za-z0-9+/=]{4,}|(?<=[?&]key=)[^\s&\"']+"
)
_PAYLOAD_KEYS = frozenset({"body", "payload", "headers", "text", "blocks", "title", "description"})
_CHATTY = (
    "aiohttp",
    "slack_bolt",
    "slack_sdk",
    "aiosqlite",
    "alembic",
    "sqlalchemy",
    "googleapiclient",
)
# It reports what strangers got wrong in HTTP, with the raw line; our own faults are logged by us.
_STRANGERS = "aiohttp.server"
_OF_LINES = frozenset({"exception", "stack"})
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SHORTEST_SECRET = 4
_DEPTH = 6

_Event = MutableMapping[str, Any]


def set_up_logs(
    *,
    level: str = "info",
    form: Format = "auto",
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Send structlog's and the standard library's logs to `stream` (standard error by default).

    `auto` is pretty on a terminal and JSON elsewhere. None of `secrets` is ever written, whoever
    logs it and wherever it stands in a line. May be called again; the last call counts.
    """
    out = stream or sys.stderr
    threshold = logging.getLevelNamesMapping()[level.upper()]
    pretty = form == "pretty" or (form == "auto" and out.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_payloads,
                Redactor(secrets),
                *([_on_one_line] if pretty else []),
                _renderer(out, pretty=pretty),
            ],
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    for old in [one for one in root.handlers if getattr(one, "of_watchbill", False)]:
        root.removeHandler(old)
    handler.of_watchbill = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(threshold)
    for name in _CHATTY:
        # Libraries write payloads at debug, and at info what nobody asks for.
        quiet = threshold if threshold in {logging.DEBUG, logging.ERROR} else logging.WARNING
        logging.getLogger(name).setLevel(quiet)
    strangers = logging.DEBUG if threshold == logging.DEBUG else logging.CRITICAL
    logging.getLogger(_STRANGERS).setLevel(strangers)


def _renderer(out: TextIO, *, pretty: bool) -> structlog.typing.Processor:
    if not pretty:
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.dev.ConsoleRenderer(
        colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _without_payloads(_logger: Any, method: str, event: _Event) -> _Event:
    if event.get("level", method) != "debug":
        for name in _PAYLOAD_KEYS & event.keys():
            event[name] = NOT_SHOWN
    return event


def _on_one_line(_logger: Any, _method: str, event: _Event) -> _Event:
    """Show what begins a line or moves a cursor as what it is: JSON does so by itself."""
    return {name: one if name in _OF_LINES else _plain(one) for name, one in event.items()}


def _plain(value: Any) -> Any:
    if not isinstance(value, str) or (value.isascii() and value.isprintable()):
        return value
    return _CONTROL.sub(lambda hit: repr(hit[0])[1:-1], value)


class Redactor:
    """A structlog processor: hides known secrets, what looks like one, and what is called one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {
            form
            for secret in secrets
            if len(secret) >= _SHORTEST_SECRET
            for form in (
                secret,
                quote(secret, safe=""),
                repr(secret)[1:-1],
                json.dumps(secret)[1:-1],
            )
        }
        longest_first = sorted(forms, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, _logger: Any, _method: str, event: _Event) -> _Event:
        return {self.text(name): self._value(name, value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """Return `text` without secrets; lone surrogates become question marks."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _SECRET_VALUE.sub(HIDDEN, text)
        return text.encode("utf-8", "replace").decode()

    def _value(self, name: str, value: Any, depth: int = 0) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return HIDDEN if value and _SECRET_KEY.search(name) else value
        if _SECRET_KEY.search(name):
            return HIDDEN
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            return self.text(value)
        if depth < _DEPTH and isinstance(value, Mapping):
            return {
                self.text(str(key)): self._value(str(key), one, depth + 1)
                for key, one in value.items()
            }
        if depth < _DEPTH and isinstance(value, list | tuple | set | frozenset):
            return [self._value("", one, depth + 1) for one in value]
        return self.text(repr(value))
