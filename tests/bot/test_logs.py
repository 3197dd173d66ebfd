"""Logs are readable by machines and people, and no secret is in them."""

import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
import structlog

from bot.logs import HIDDEN, NOT_SHOWN, Format, set_up_logs

SECRETS = ["hunter2-hunter2", 'quo"te\\d', "a b&c=d/é", "xoxb-123-456-abcdef"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Locker:
    password: str


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    levels = {
        name: logging.getLogger(name).level for name in ["aiohttp", "slack_sdk", "aiohttp.server"]
    }
    yield
    structlog.reset_defaults()
    root.setLevel(level)
    root.handlers[:] = handlers
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    for name in ["slack_bolt", "aiosqlite", "sqlalchemy", "googleapiclient", "alembic"]:
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_json_where_nobody_looks(out: io.StringIO) -> None:
    set_up_logs(stream=out)
    structlog.get_logger("bot.web").info("delivery stored", source="prom", n=3)
    (line,) = lines(out)
    assert line.pop("timestamp", "").__class__ is str
    assert line == {
        "event": "delivery stored",
        "source": "prom",
        "n": 3,
        "level": "info",
        "logger": "bot.web",
    }


def test_and_pretty_on_a_terminal() -> None:
    out = Terminal()
    set_up_logs(stream=out)
    structlog.get_logger("bot").info("hello")
    assert "hello" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_the_form_can_be_chosen() -> None:
    out = Terminal()
    set_up_logs(stream=out, form="json")
    structlog.get_logger("bot").info("hello")
    assert lines(out)[0]["event"] == "hello"


def test_levels_hold_for_both_kinds_of_loggers(out: io.StringIO) -> None:
    set_up_logs(stream=out, level="warning")
    structlog.get_logger("bot").info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger("bot").warning("loud")
    logging.getLogger("library").warning("loud %s", "too")
    assert [line["event"] for line in lines(out)] == ["loud", "loud too"]


def test_setting_up_again_does_not_double_the_lines(out: io.StringIO) -> None:
    set_up_logs(stream=io.StringIO())
    set_up_logs(stream=out)
    logging.getLogger("library").warning("once")
    assert len(lines(out)) == 1


def test_libraries_are_quieter_than_we_are(out: io.StringIO) -> None:
    set_up_logs(stream=out)
    logging.getLogger("slack_sdk.web").info("sending a request")
    logging.getLogger("aiohttp.server").error("bad request line")
    logging.getLogger("slack_sdk.web").warning("retrying")
    assert [line["event"] for line in lines(out)] == ["retrying"]


@pytest.mark.parametrize("form", ["json", "pretty"])
@pytest.mark.parametrize("secret", SECRETS)
def test_a_planted_secret_never_appears(out: io.StringIO, form: str, secret: str) -> None:
    set_up_logs(
        stream=out, form="json" if form == "json" else "pretty", secrets=SECRETS, level="debug"
    )
    log = structlog.get_logger("bot")
    event = f"event with {secret}"
    log.info(event, value=secret, nested={"a": [secret, (secret,)], secret: 1})
    log.info("object", thing=Locker(secret), raw=secret.encode())
    log.bind(bound=secret).warning("bound", url=f"https://e/?x={quote(secret, safe='')}")
    log.debug(
        "payload", body={"deep": {"deep": {"deep": {"deep": {"deep": {"deep": {"deep": secret}}}}}}}
    )
    logging.getLogger("library").error("foreign %s %r", secret, {"k": secret})
    try:
        raise ValueError(f"bad {secret}", {"k": secret})
    except ValueError:
        log.exception("failed")
        logging.getLogger("library").exception("failed too")
    written = out.getvalue()
    assert repr(secret.encode())[2:-1] not in written
    assert written.count(HIDDEN) >= 10
    for form_of_secret in {
        secret,
        quote(secret, safe=""),
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
    }:
        if form_of_secret.isascii() or form_of_secret == secret:
            assert form_of_secret not in written


def test_what_is_called_a_secret_or_looks_like_one_is_hidden(out: io.StringIO) -> None:
    set_up_logs(stream=out)
    log = structlog.get_logger("bot")
    log.info(
        "x", bot_token="t0", Authorization="a0", nested={"client_secret": ["s0"], "pin_password": 7}
    )
    log.info("Bearer abcdef012 xoxb-1-2-abcdef xapp-1-A1-abcdef GET /hooks/a?key=k0k0&b=1")
    written = out.getvalue()
    for hidden in ["t0", "a0", "s0", "7,", "abcdef", "k0k0"]:
        assert hidden not in written.replace("timestamp", "")
    assert "b=1" in written


def test_payloads_show_at_debug_only(out: io.StringIO) -> None:
    set_up_logs(stream=out, level="debug")
    log = structlog.get_logger("bot")
    log.info("came", body="rows of customers", title="x", source="prom")
    log.debug("came", body="rows of customers")
    above, below = lines(out)
    assert (above["body"], above["title"], above["source"]) == (NOT_SHOWN, NOT_SHOWN, "prom")
    assert below["body"] == "rows of customers"


def test_odd_text_does_not_break_the_log(out: io.StringIO) -> None:
    set_up_logs(stream=out)
    structlog.get_logger("bot").info("a\ud800b\nc\x00", when=object)
    (line,) = lines(out)
    assert line["event"] == "a?b\nc\x00"


@pytest.mark.parametrize("form", ["json", "pretty"])
def test_what_others_wrote_begins_no_line_and_moves_no_cursor(form: Format) -> None:
    out = Terminal()
    set_up_logs(form=form, stream=out)
    forged = "no\n2026-11-23 [info] all is well\r\x1b[2J\x9b31m\u2028\u202egnp"
    structlog.get_logger("a").warning(f"refused: {forged}", error=forged, names=[forged])
    logging.getLogger("b").warning("refused: %s", forged)
    said = out.getvalue()
    assert said.count("\n") == 2
    assert not re.search("\x1b\\[2J|\r", said)
    assert form == "json" or not re.search("[\x9b\u2028\u202e]", said)
    assert "all is well" in said


def test_a_traceback_keeps_its_lines() -> None:
    out = Terminal()
    set_up_logs(form="pretty", stream=out)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger("a").exception("request failed")
    assert any(line.startswith("Traceback") for line in out.getvalue().splitlines())
