"""E-mail over a real connection to a mail server, whatever that does."""

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.contact.email import Email, Mailbox, trusting
from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.contact.samples import ACK, summons
from tests.fakes.clock import FakeClock
from tests.fakes.mail import PASSWORD, USER, MailServer, certificate, serving

TO_ANA = summons(address="ana@example.com")
PLAIN = Mailbox(host="127.0.0.1", port=0, sender="Watchbill <oncall@example.com>", security="none")


def email(mail: MailServer, step: float = 2, whole: float = 4, **more: Any) -> Email:
    mailbox = replace(PLAIN, port=mail.port, **more)
    return Email(mailbox, FakeClock(), step=step, whole=whole)


def says(where: str, word: str) -> MailServer:
    return MailServer(answers=[word]) if where == "answers" else MailServer(to=[word])


async def test_a_page_arrives_with_its_link() -> None:
    async with serving(MailServer()) as mail:
        sent = await email(mail).send(TO_ANA)
        again = await email(mail).send(TO_ANA)
    first, second = mail.mails
    assert first["Subject"] == "P1 #42: orders failed"
    assert (first["From"], first["To"]) == ("Watchbill <oncall@example.com>", "ana@example.com")
    assert first["X-Priority"] == "1"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Date"] == "Mon, 23 Nov 2026 03:00:00 +0000"
    body = first.get_content()
    assert "You are paged because you are primary of data." in body
    assert ACK in body.splitlines()
    assert first["Message-ID"] == second["Message-ID"] == sent.provider_id == again.provider_id
    assert sent.provider_id.endswith("@example.com>")


async def test_without_a_public_address_it_says_where_to_acknowledge() -> None:
    async with serving(MailServer()) as mail:
        await email(mail).send(replace(TO_ANA, ack_url=""))
        await email(mail).send(replace(TO_ANA, test=True))
    first, second = (one.get_content() for one in mail.mails)
    assert "Acknowledge it in Slack." in first
    assert "There is nothing to do." in second
    assert "http" not in second


@pytest.mark.parametrize(
    "title",
    [
        "orders\r\nBcc: everybody@example.com\r\n\r\nhello",
        "größer als 10 €: 注文",
        "\ud800 broken\x00",
        "x" * 5_000,
    ],
)
async def test_a_hostile_title_is_only_a_title(title: str) -> None:
    async with serving(MailServer()) as mail:
        await email(mail).send(replace(TO_ANA, title=title, why=title, details=(("A", title),)))
    (one,) = mail.mails
    assert one["Bcc"] is None
    assert one["To"] == "ana@example.com"
    assert len(one["Subject"]) <= 220


@pytest.mark.parametrize("address", ["ana@example.com\r\nRCPT TO:<eve@example.com>", "no address"])
async def test_an_address_that_is_none_is_given_up(address: str) -> None:
    async with serving(MailServer()) as mail:
        with pytest.raises(GiveUpError):
            await email(mail).send(replace(TO_ANA, address=address))
    assert mail.mails == []


async def test_starttls_and_a_login(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    trusts = ssl.create_default_context(cafile=str(trusted))
    named: dict[str, Any] = {
        "security": "starttls",
        "username": USER,
        "password": PASSWORD,
        "trust": lambda: trusts,
    }
    async with serving(MailServer(), context=context, starttls=True, login=True) as mail:
        await email(mail, **named).send(TO_ANA)
    assert mail.secured == [True]
    assert mail.logins


async def test_encrypted_from_the_beginning(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    trusts = ssl.create_default_context(cafile=str(trusted))
    async with serving(MailServer(), context=context) as mail:
        await email(mail, security="tls", trust=lambda: trusts).send(TO_ANA)
    assert len(mail.mails) == 1


async def test_whom_to_trust_may_be_told_later(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    late = tmp_path / "late.pem"
    async with serving(MailServer(), context=context) as mail:
        sender = email(mail, security="tls", trust=trusting(str(late)))
        with pytest.raises(RetryLaterError, match="ca_file` cannot be used: No such file"):
            await sender.send(TO_ANA)
        trusted.rename(late)
        await sender.send(TO_ANA)
    assert len(mail.mails) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the server's
@pytest.mark.parametrize(
    ("security", "said"), [("starttls", "CERTIFICATE_VERIFY"), ("tls", "Error connecting to")]
)
async def test_a_certificate_that_nobody_vouches_for_gets_no_password(
    security: str, said: str, tmp_path: Path
) -> None:
    context, _ = certificate(tmp_path)
    server = serving(MailServer(), context=context, starttls=security == "starttls", login=True)
    async with server as mail:
        with pytest.raises(RetryLaterError, match=f"mail server 127.0.0.1: .*{said}"):
            await email(mail, security=security, username=USER, password=PASSWORD).send(TO_ANA)
    assert mail.logins == []


async def test_a_server_without_starttls_gets_no_password() -> None:
    async with serving(MailServer()) as mail:
        with pytest.raises(GiveUpError, match=r"lacks what `contact.email` asks for.*STARTTLS"):
            await email(mail, security="starttls", username=USER, password=PASSWORD).send(TO_ANA)
    assert mail.logins == []


async def test_a_wrong_password_says_what_to_correct(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path)
    trusts = ssl.create_default_context(cafile=str(trusted))
    named: dict[str, Any] = {
        "security": "starttls",
        "username": USER,
        "password": "wrong",
        "trust": lambda: trusts,
    }
    async with serving(MailServer(), context=context, starttls=True, login=True) as mail:
        with pytest.raises(GiveUpError, match=r"535 .*correct `contact.email.username`"):
            await email(mail, **named).send(TO_ANA)


@pytest.mark.parametrize("word", ["451 4.7.1 greylisted", "452 too many", "421 closing"])
@pytest.mark.parametrize("where", ["answers", "to"])
async def test_a_server_in_trouble_is_asked_again(word: str, where: str) -> None:
    async with serving(says(where, word)) as mail:
        with pytest.raises(RetryLaterError, match=word[:3]):
            await email(mail).send(TO_ANA)
        await email(mail).send(TO_ANA)
    assert len(mail.mails) == 1


@pytest.mark.parametrize("word", ["550 5.1.1 no such user", "552 too large", "554 refused"])
@pytest.mark.parametrize("where", ["answers", "to"])
async def test_a_refusal_is_for_good(word: str, where: str) -> None:
    async with serving(says(where, word)) as mail:
        with pytest.raises(GiveUpError, match=f"the mail server answered {word[:3]}"):
            await email(mail).send(TO_ANA)
    assert mail.mails == []


async def test_a_server_that_hangs_is_not_waited_for() -> None:
    async with serving(MailServer(hangs=True)) as mail:
        with pytest.raises(RetryLaterError, match="no answer from the mail server") as caught:
            await email(mail, step=0.2).send(TO_ANA)
        assert caught.value.unsure
        with pytest.raises(RetryLaterError, match="no answer from the mail server"):
            await email(mail, whole=0.2).send(TO_ANA)


async def test_a_connection_that_breaks_after_the_mail_may_have_carried_it() -> None:
    async with serving(MailServer(hangs_up=True)) as mail:
        with pytest.raises(RetryLaterError) as caught:
            await email(mail).send(TO_ANA)
    assert caught.value.unsure
    assert len(mail.mails) == 1


async def test_a_server_that_is_not_there_has_carried_nothing() -> None:
    with pytest.raises(RetryLaterError, match="no answer from the mail server") as caught:
        await email(MailServer(port=9)).send(TO_ANA)
    assert not caught.value.unsure


def test_the_password_is_not_shown_by_accident() -> None:
    assert PASSWORD not in repr(replace(PLAIN, password=PASSWORD))
