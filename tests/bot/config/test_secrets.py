"""What must never be let out: every secret that a configuration has, wherever it stands."""

import pytest

from bot.config.file import load
from bot.config.secrets import secrets_of

EVERYWHERE = """
database: postgresql://watchbill:${S_DATABASE}@db.example/watchbill
listen: 127.0.0.1:8080
public_url: https://watchbill.example
slack: {mode: socket, bot_token: "${S_BOT}", app_token: "${S_APP}", user_token: "${S_USER}"}
sources: [{name: generic, kind: generic, secret: "${S_SOURCE}", previous_secret: "${S_SOURCE_OLD}"}]
webhooks: [{name: phone, url: "https://phone.example/${S_WEBHOOK_URL}", secret: "${S_WEBHOOK}"}]
roster_secret: ${S_ROSTER}
calendar: {secret: "${S_CALENDAR}"}
web_pages: {secret: "${S_PAGES}", openid: {client_id: "1.2", client_secret: "${S_OPENID}"}}
watchdog: {url: "https://watchdog.example/${S_WATCHDOG}"}
orchestrators:
  - {source: generic, kind: airflow, url: "https://airflow.example", token: "${S_ORCHESTRATOR}"}
task_tracker: {kind: github, repository: acme/data, token: "${S_TRACKER}"}
runbooks:
  folders: []
  actions: {restart: {command: [/bin/true], env: {TOKEN: "${S_ACTION}"}}}
contact:
  email: {host: mail.example, username: w, password: "${S_MAIL}", from: oncall@example.com}
  twilio: {account_sid: AC1, auth_token: "${S_TWILIO}", from: "+15550001111"}
  pushover: {token: "${S_PUSHOVER}"}
  ntfy: {token: "${S_NTFY}"}
people: [{name: Dee Novak, email: lead@example.com}]
rotations: {data: {zone: UTC}}
access_groups:
  warehouse:
    backend: {kind: okta_group, url: "https://acme.okta.com", token: "${S_OKTA}"}
    group: 00gabc
    may_ask: {on_call: data}
    owners: [lead@example.com]
  reports:
    backend: {kind: exec, command: [/bin/true], environment: {API_TOKEN: "${S_EXEC}"}}
    group: reports
    may_ask: {on_call: data}
    owners: [lead@example.com]
fallback: [lead@example.com]
"""
NAMES = sorted({part.split("}")[0] for part in EVERYWHERE.split("${")[1:]})


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = tmp_path_factory.mktemp("secrets") / "config.yaml"
    path.write_text(EVERYWHERE)
    loaded = load(path, {name: f"value-of-{name.lower()}%40" for name in NAMES})
    assert loaded.faults == ()
    assert loaded.config is not None
    return secrets_of(loaded.config)


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_known_wherever_it_stands(name: str, found: list[str]) -> None:
    value = f"value-of-{name.lower()}%40"
    assert any(secret == value or secret.endswith(f"/{value}") for secret in found)


def test_the_databases_password_is_known_as_it_is_and_as_it_is_written(found: list[str]) -> None:
    assert {"value-of-s_database%40", "value-of-s_database@"} <= set(found)


def test_nothing_empty_is_hidden(found: list[str]) -> None:
    assert "" not in found
