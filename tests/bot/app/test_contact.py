"""The second way in the whole application: real mail, phone and HTTP, a Slack that fails, a click."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.app.contact_side import contacts_of
from bot.config.file import load
from rules.contacting.method import Method
from rules.incident import State
from rules.people import People, Person
from tests.bot.app.conftest import CONFIG, Running, started
from tests.fakes.mail import MailServer, serving
from tests.fakes.services import NTFY_TOKEN, SID, TOKEN, Services, running

_OPEN = (State.TRIGGERED, State.ACKNOWLEDGED)
BROKEN = {"title": "orders table is late", "severity": "error", "id": "orders"}
CONTACT = """
contact:
  order: "{order}"
  email: {{host: 127.0.0.1, port: {port}, security: none, from: "Watchbill <oncall@example.com>"}}
  twilio: {{account_sid: {sid}, auth_token: {token}, from: "+15550001111", url: "{url}"}}
  ntfy: {{url: "{url}", token: {ntfy}}}
"""
PHONES = CONFIG.replace("name: Ana Ruiz,", 'name: Ana Ruiz, phone: "+4917000000001",').replace(
    "name: Bo Chen,", 'name: Bo Chen, phone: "+4917000000002",'
).replace("name: Cy Haddad,", 'name: Cy Haddad, phone: "+4917000000003",')  # fmt: skip


@dataclass
class Second:
    running: Running
    mail: MailServer
    services: Services

    async def mails(self, most: float = 10) -> list[str]:
        workspace = self.running.workspace
        assert await workspace.until(lambda: bool(self.mail.mails), seconds=most)
        return [str(one["To"]) for one in self.mail.mails]


async def begun(database_url: str, folder: Path, order: str, speed: float) -> AsyncIterator[Second]:
    async with serving(MailServer()) as mail, running(Services()) as services:
        more = CONTACT.format(order=order, port=mail.port, sid=SID, token=TOKEN,
                              ntfy=NTFY_TOKEN, url=services.url)  # fmt: skip
        async with started(database_url, folder, speed, more, config=PHONES) as one:
            yield Second(one, mail, services)


@pytest.fixture
async def second(database_url: str, tmp_path: Path) -> AsyncIterator[Second]:
    async for one in begun(database_url, tmp_path, "email 2m, voice 5m", 60.0):
        yield one


@pytest.fixture
async def slow(database_url: str, tmp_path: Path) -> AsyncIterator[Second]:
    async for one in begun(database_url, tmp_path, "email 2m, voice 5m", 1.0):
        yield one


async def test_a_link_in_a_mail_acknowledges_after_one_click(second: Second) -> None:
    primary = second.running.order[0]
    second.running.workspace.person(primary).tz = "America/Chicago"
    await second.running.app.slack.directory.links([f"{primary}@example.com"])
    assert await second.running.post("generic", BROKEN) == 202
    assert await second.mails() == [f"{primary}@example.com"]
    mail = second.mail.mails[0].get_content()
    assert re.search(r"Since: .+ C[SD]T\s", mail), "in the zone that Slack knows"
    (link,) = re.findall(r"http://\S+/ack/\S+", mail)
    async with second.running.http.get(link) as shown:
        assert shown.status == 200
        assert "orders table is late" in await shown.text()
    root = second.running.said("data-alerts")[0]
    assert "Acknowledged" not in str(root.blocks)
    async with second.running.http.post(link) as answer:
        # two seconds of patience are short on a clock that runs sixty times as fast
        assert re.search("#1 is yours|acknowledgement of #1 is stored", await answer.text())
    acked = await second.running.until_said("data-alerts", "Acknowledged")
    assert acked.ts == root.ts
    outcome = await second.running.workspace.command(primary, "data-alerts", "/oncall explain 1")
    assert outcome.acked
    lines = await second.running.app.store.reader.timeline(
        (await second.running.app.store.reader.incidents(states=list(_OPEN), limit=1))[0].id, 100
    )
    told = " ".join(one.sentence.template for one in lines)
    assert "The page went to {who} by {via}." in told
    assert "{who} acknowledged it by {via}." in told
    assert second.services.of("call") == []


async def test_when_slack_fails_the_mail_goes_at_once(slow: Second) -> None:
    slow.running.workspace.faults.add(method="chat.postMessage", kind="http_503", times=1000)
    assert await slow.running.post("generic", BROKEN) == 202
    assert await slow.mails(most=8), "two minutes are not waited for"
    slow.running.workspace.faults.clear()
    await slow.running.until_said("data-alerts", "did not reach")


async def test_a_mail_server_that_nobody_vouches_for_keeps_no_page_from_slack(
    tmp_path: Path,
) -> None:
    more = '\ncontact: {email: {host: 127.0.0.1, from: "w@example.com", ca_file: gone.pem}}\n'
    async with started(f"sqlite:///{tmp_path / 'w.db'}", tmp_path, 1.0, more) as running:
        assert await running.post("generic", BROKEN) == 202
        await running.until_said("data-alerts", "orders table is late")


async def test_what_is_left_out_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(database="sqlite:///x.db", roster="r.csv", port=1))
    loaded = load(path, {}).config
    assert loaded is not None
    assert not contacts_of(loaded, loaded.directory()).available


async def test_only_a_configured_webhook_is_a_way_to_reach_somebody(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    text = CONFIG.format(database="sqlite:///x.db", roster="r.csv", port=1)
    path.write_text(text + '\nwebhooks: [{name: pager, url: "https://pager.example/in"}]\n')
    loaded = load(path, {}).config
    assert loaded is not None
    people = People(Person(name, name, webhook=name) for name in ("pager", "pagr"))
    contacts = contacts_of(loaded, people)
    assert [contacts.methods(name) for name in ("pager", "pagr")] == [(Method.WEBHOOK,), ()]
