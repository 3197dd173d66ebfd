"""`watchbill contact`: who is reached by what, a test of it, and what was tried."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.main import app
from bot.clock import SystemClock
from bot.demo.roster import roster_for
from bot.ports.contact import Attempt, Result
from bot.store.opening import open_store
from rules.contacting.method import Method
from tests.bot.store.samples import incident
from tests.fakes.services import NTFY_TOKEN, SID, TOKEN, Services, refuses, running

NOW = SystemClock().now()
CONFIG = """
database: sqlite:///{folder}/watchbill.db
slack: {{mode: local}}
people:
  - {{name: Ana Ruiz, email: ana@example.com, phone: "+49 170 1234567", ntfy: ana-pages}}
  - {{name: Bo Chen, email: bo@example.com, phone: "+49 170 7654321", contact: "sms 1m; critical: call"}}
rotations: {{data: {{zone: UTC}}}}
roster: {folder}/roster.csv
fallback: [ana@example.com]
"""
CONTACT = """
contact:
  twilio: {{account_sid: {sid}, auth_token: {token}, from: "+15550001111", url: "{url}"}}
  ntfy: {{url: "{url}", token: {ntfy}}}
"""
CLI = CliRunner()


@pytest.fixture
def services() -> Iterator[Services]:
    """Serve in a thread of its own: a command has a loop of its own."""
    at, ready, over = Services(), threading.Event(), threading.Event()

    async def serve() -> None:
        async with running(at):
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield at
    over.set()
    thread.join()


@pytest.fixture
def folder(tmp_path: Path, services: Services) -> Path:
    text = roster_for(NOW).replace("Cy Haddad", "cy@example.com")
    (tmp_path / "roster.csv").write_text(text)
    own = CONTACT.format(sid=SID, token=TOKEN, ntfy=NTFY_TOKEN, url=services.url)
    (tmp_path / "config.yaml").write_text(CONFIG.format(folder=tmp_path) + own)
    return tmp_path


def run(folder: Path, *words: str) -> tuple[int, str]:
    result = CLI.invoke(app, ["contact", *words, "-c", str(folder / "config.yaml")])
    return result.exit_code, result.output


def test_everybody_is_listed_with_the_order_they_are_reached_in(folder: Path) -> None:
    status, text = run(folder, "methods")
    assert status == 1
    lines = text.splitlines()
    assert lines[0] == "cy@example.com: Slack only"
    assert lines[1] == (
        "Ana Ruiz (ana@example.com): critical, high: slack, ntfy 1m, voice 5m; "
        "medium, low: slack, ntfy 1m, sms 5m"
    )
    assert lines[2] == (
        "Bo Chen (bo@example.com): critical: slack, voice; high, medium, low: slack, sms 1m"
    )
    assert lines[3] == "2 of 3 people have a second way"
    status, text = run(folder, "methods", "--json")
    found = {one["key"]: one["methods"] for one in json.loads(text)}
    assert found["bo@example.com"] == ["voice", "sms"]
    assert "+49" not in text


def test_a_test_goes_out_by_every_method_of_a_person(folder: Path, services: Services) -> None:
    status, text = run(folder, "test", "Ana")
    assert status == 0, text
    assert sorted(one["kind"] for one in services.sent) == ["call", "ntfy", "sms"]
    assert "text message to Ana Ruiz: sent (SM" in text
    assert "ntfy to Ana Ruiz: sent (ntfy" in text


def test_what_a_service_refuses_is_told(folder: Path, services: Services) -> None:
    services.faults = [refuses(400, {"message": "unverified number", "code": 21608})]
    status, text = run(folder, "test", "bo@example.com", "sms")
    assert status == 1
    assert (
        "text message to Bo Chen: failed: Twilio answered 400 (unverified number [21608])" in text
    )
    status, text = run(folder, "test", "bo@example.com", "sms", "--json")
    assert status == 0
    (found,) = json.loads(text)
    assert found["sent"]
    assert found["id"].startswith("SM")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("test", "nobody at all"), 'Nobody is called "nobody at all"'),
        (("test", "Ana", "emial"), '"emial" is not configured; known are `ntfy`, `sms`, `voice`'),
        (("test", "Bo Chen", "ntfy"), "Bo Chen has no address for ntfy: add it to the roster."),
        (("test", "cy@example.com"), "has no address for any configured method."),
        (("log", "42"), "There is no incident #42."),
    ],
)
def test_what_cannot_be_done_says_what_to_do(
    folder: Path, words: tuple[str, ...], told: str
) -> None:
    if words[0] == "log":
        run_migrate(folder)
    status, text = run(folder, *words)
    assert status == 1
    assert told in text


def run_migrate(folder: Path) -> None:
    assert CLI.invoke(app, ["migrate", "-c", str(folder / "config.yaml")]).exit_code == 0


def test_check_warns_of_who_has_slack_alone(folder: Path) -> None:
    result = CLI.invoke(app, ["check", "-c", str(folder / "config.yaml")])
    assert result.exit_code == 0, result.output
    told = [line for line in result.output.splitlines() if "Slack alone" in line]
    assert len(told) == 1
    assert "warning" in told[0]
    assert "cy@example.com is on call within two weeks" in told[0]


def test_who_has_only_a_phone_that_nothing_calls_has_slack_alone_at_the_worst(
    folder: Path,
) -> None:
    path = folder / "config.yaml"
    service = "MG" + "0" * 32
    text = path.read_text().replace("+15550001111", service).replace(", ntfy: ana-pages", "")
    path.write_text(text)
    status, told = run(folder, "methods")
    assert status == 1
    assert "Ana Ruiz (ana@example.com): critical, high: slack; medium, low: slack, sms 5m" in told
    result = CLI.invoke(app, ["check", "-c", str(path)])
    assert "Ana Ruiz is on call within two weeks and can be reached by Slack alone" in " ".join(
        result.output.split()
    )


def test_check_asks_for_no_addresses_where_webhooks_are_for_policies_alone(folder: Path) -> None:
    hooks = 'webhooks: [{name: phone, url: "https://phone.example/call"}]\n'
    (folder / "config.yaml").write_text(CONFIG.format(folder=folder) + hooks)
    result = CLI.invoke(app, ["check", "-c", str(folder / "config.yaml")])
    assert result.exit_code == 0, result.output
    assert "Slack alone" not in result.output


def test_without_any_method_it_says_where_to_name_one(folder: Path) -> None:
    (folder / "config.yaml").write_text(CONFIG.format(folder=folder))
    status, text = run(folder, "methods")
    assert status == 1
    assert "No contact method is configured: name one in `contact`" in text


def test_every_attempt_is_printed(folder: Path) -> None:
    async def prepared() -> None:
        store = await open_store(f"sqlite:///{folder}/watchbill.db", SystemClock())
        one = incident(1, NOW)
        attempt = Attempt(
            incident_id=one.id, page="p", person="ana@example.com", method=Method.SLACK, step=0,
            attempt=1, at=NOW, changed_at=NOW, result=Result.TROUBLE, error="503",
        )  # fmt: skip
        async with store.store.begin() as tx:
            tx.save(one)
            tx.contact.record(attempt)
            later = NOW + timedelta(seconds=5)
            tx.contact.record(
                Attempt(
                    incident_id=one.id, page="p", person="ana@example.com", method=Method.EMAIL,
                    step=1, attempt=1, at=later, changed_at=later, result=Result.SENT,
                    provider_id="<1@x>",
                )
            )  # fmt: skip
        await store.close()

    asyncio.run(prepared())
    status, text = run(folder, "log", "1")
    assert status == 0
    first, second, count = text.splitlines()
    assert first.endswith(" UTC  Ana Ruiz  Slack: trouble: 503")
    assert second.endswith("Ana Ruiz  e-mail: sent (<1@x>)")
    assert count == "2 attempts"
    status, text = run(folder, "log", "1", "--json")
    assert [one["method"] for one in json.loads(text)] == ["slack", "email"]
