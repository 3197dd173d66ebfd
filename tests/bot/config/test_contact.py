"""What config.yaml may say of reaching people, and what it says of mistakes."""

from pathlib import Path

import pytest

from bot.config.file import Loaded, load
from bot.config.settings import Config
from rules.contacting.method import Method

START = """
slack: {mode: socket, bot_token: "${BOT}", app_token: "${APP}"}
public_url: https://watchbill.example
webhooks: [{name: pager, url: "https://pager.example/in"}]
"""
EMAIL = 'contact: {email: {host: mail.example, from: "Watchbill <oncall@example.com>"}}\n'
ENVIRONMENT = {"BOT": "xoxb-1", "APP": "xapp-1", "SECRET": "secret-of-tests"}


def loaded(text: str, tmp_path: Path, start: str = START) -> Loaded:
    path = tmp_path / "config.yaml"
    path.write_text(start + text)
    return load(path, ENVIRONMENT)


def read(text: str, tmp_path: Path) -> Config:
    found = loaded(text, tmp_path)
    assert found.faults == ()
    assert not any("public_url" in str(one) for one in found.warnings)
    assert found.config is not None
    return found.config


def test_what_is_configured_can_be_used(tmp_path: Path) -> None:
    text = """
contact:
  order: "email 1m, call 3m; low: email 1h"
  email: {host: mail.example, from: oncall@example.com, username: w, password: "${SECRET}"}
  twilio: {account_sid: AC1, auth_token: "${SECRET}", from: "+1 555 000 1111"}
  pushover: {token: "${SECRET}"}
  ntfy: {}
people:
  - {name: Ana, email: ana@example.com, phone: "+49 170 1234567", webhook: pager, contact: "call"}
"""
    config = read(text, tmp_path)
    assert config.contact.methods(webhooks=True) == frozenset(Method) - {Method.SLACK}
    assert config.contact.twilio is not None
    assert config.contact.twilio.sender == config.contact.twilio.caller == "+15550001111"
    assert config.contact.email is not None
    assert config.contact.email.own_port == 587
    (ana,) = config.directory()
    assert (ana.phone, ana.webhook, ana.contact) == ("+491701234567", "pager", "call")
    assert "secret-of-tests" not in repr(config)
    assert "1701234567" not in repr(config.people)


def test_without_anything_nothing_but_slack_is_used(tmp_path: Path) -> None:
    config = read("", tmp_path)
    assert config.contact.methods(webhooks=False) == frozenset()


def test_a_messaging_service_cannot_call(tmp_path: Path) -> None:
    service = "MG" + "0" * 32
    text = 'contact: {{twilio: {{account_sid: AC1, auth_token: "${{SECRET}}", from: {}{}}}}}\n'
    one = read(text.format(service, ""), tmp_path).contact
    assert one.methods(webhooks=False) == {Method.SMS}
    two = read(text.format(service, ', call_from: "+15550001111"'), tmp_path).contact
    assert two.methods(webhooks=False) == {Method.SMS, Method.VOICE}


def test_an_own_certificate_is_found_beside_the_file(tmp_path: Path) -> None:
    text = EMAIL.replace("host: mail.example", "host: mail.example, ca_file: ca.pem")
    found = read(text, tmp_path).contact.email
    assert found is not None
    assert found.ca_file == str(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("contact: {order: emial 2m}", '"emial" is no contact method; did you mean `email`?'),
        ("contact: {email: {host: a, from: nobody}}",
         '"nobody" is no sender; write it like Watchbill <oncall@example.com>'),
        ("contact: {email: {host: a, from: a@b.c, security: none, username: u}}",
         "with security `none` the password would be read along; use starttls"),
        ('contact: {twilio: {account_sid: AC1, auth_token: "${SECRET}", from: "0170"}}',
         '"0170" is no phone number; write it with its country, like +49 170 1234567'),
        ("contact: {pushover: {token: abc}}",
         "`token` is a secret; put it into the environment and write ${CONTACT_TOKEN}"),
        ("contact: {email: {host: a, from: a@b.c, username: u, password: pass}}",
         "`password` is a secret; put it into the environment and write ${CONTACT_PASSWORD}"),
        ("people: [{name: Ana, email: a@b.c, webhook: pagr}]",
         'no webhook is called "pagr"; did you mean `pager`?'),
        ('people: [{name: Ana, email: a@b.c, phone: "0170"}]',
         '"0170" is no phone number; write it with its country, like +49 170 1234567'),
        ("people: [{name: Ana, email: a@b.c, contact: slack 5m}]",
         "Slack is always first and at once; write `slack` without a wait"),
        ("canary: {channel: c, alarm: [{}]}", "name either a `webhook` or a `person`"),
        ("canary: {channel: c, alarm: [{person: nobody}]}", 'nobody is called "nobody"'),
        ("canary: {channel: c, alarm: [{person: Ana}]}\npeople: [{name: Ana, slack: U1}]",
         "Ana has no address for any method of `contact`, and Slack may be down"),
    ],
)  # fmt: skip
def test_mistakes_say_what_to_write(text: str, told: str, tmp_path: Path) -> None:
    found = [str(one) for one in loaded(text + "\n", tmp_path).faults]
    assert any(told in fault for fault in found), found


def test_without_a_public_address_it_is_said_what_nobody_can_answer(tmp_path: Path) -> None:
    start = START.replace("public_url: https://watchbill.example\n", "")
    found = [str(one) for one in loaded(EMAIL, tmp_path, start).warnings]
    assert any("without `public_url` nobody can acknowledge by e-mail" in one for one in found)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('contact: {order: "slack, email 1m; low: sms 2m"}',
         ["`email` reaches nobody and is left out; it needs `contact.email`",
          "`sms` reaches nobody and is left out; it needs `contact.twilio`"]),
        ('people: [{name: Ana, email: a@b.c, contact: "slack, call 2m"}]',
         ["`voice` reaches nobody and is left out; it needs `contact.twilio` with a number in"]),
        (EMAIL.replace("{email", '{order: "email 2m, webhook 5m", email'), []),
        (EMAIL, []),
    ],
)  # fmt: skip
def test_what_an_order_names_in_vain_is_said(text: str, told: list[str], tmp_path: Path) -> None:
    found = [str(one) for one in loaded(text + "\n", tmp_path).warnings if "left out" in str(one)]
    assert len(found) == len(told), found
    assert all(words in one for words, one in zip(told, found, strict=True)), found
