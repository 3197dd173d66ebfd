"""SNS's signatures; those in tests/payloads/sns were made by OpenSSL."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.sources.fetch import FetchError
from bot.sources.options import read_options
from bot.sources.scheme import Attempt, Verdict
from bot.sources.sns_signature import (
    CONFIRMED_NOTE,
    OPTIONS,
    TYPE_HEADER,
    Certificates,
    SnsSignatures,
    is_amazons,
    string_to_sign,
)
from tests.fakes.deliveries import PAYLOADS, RECEIVED, payload

TOPIC = "arn:aws:sns:eu-west-1:123456789012:data-alarms"
GIVEN: Mapping[str, object] = {"topics": (TOPIC,)}
ALARM = payload("sns/alarm.json")
CONFIRMATION = payload("sns/subscription_confirmation.json")
OLD = payload("sns/version_1_text.json")
CERTIFICATE = payload("sns/signing_certificate.pem")


class Amazon:
    """Serves the certificate and takes confirmations; `away` makes every request fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False
        self.body = CERTIFICATE

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        await asyncio.sleep(0)  # noqa: TID251 - stands in for a request
        if self.away:
            raise FetchError("no answer within 3 s")
        return self.body

    def signatures(self) -> SnsSignatures:
        return SnsSignatures(Certificates(fetch=self.fetch), confirm=self.fetch)


@pytest.fixture
def amazon() -> Amazon:
    return Amazon()


async def judge(
    signatures: SnsSignatures,
    body: bytes | Mapping[str, object],
    *,
    options: Mapping[str, object] = GIVEN,
    now: datetime = RECEIVED,
    header: str | None = None,
) -> Verdict:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = header if header is not None else _type_of(raw)
    attempt = Attempt(headers={TYPE_HEADER: kind}, body=raw, secrets=(), now=now, options=options)
    return await signatures.authenticate(attempt)


def _type_of(raw: bytes) -> str:
    try:
        return str(json.loads(raw).get("Type"))
    except (ValueError, AttributeError, RecursionError):
        return "Notification"


def changed(body: bytes, **changes: object) -> dict[str, Any]:
    whole = {**json.loads(body), **changes}
    return {name: one for name, one in whole.items() if one is not None}


def test_the_string_to_sign_is_the_documented_one() -> None:
    found = {"Type": "Notification", "Message": "m", "MessageId": "1", "Timestamp": "t"}
    assert (
        string_to_sign({**found, "TopicArn": "a", "Subject": "s", "Other": "o"})
        == b"Message\nm\nMessageId\n1\nSubject\ns\nTimestamp\nt\nTopicArn\na\nType\nNotification\n"
    )
    assert b"Subject" not in string_to_sign({**found, "TopicArn": "a"})
    found |= {"Type": "SubscriptionConfirmation", "Token": "k", "SubscribeURL": "u"}
    assert string_to_sign({**found, "TopicArn": "a"}) == (
        b"Message\nm\nMessageId\n1\nSubscribeURL\nu\nTimestamp\nt\nToken\nk\nTopicArn\na\n"
        b"Type\nSubscriptionConfirmation\n"
    )


@pytest.mark.parametrize("file", sorted(one.name for one in (PAYLOADS / "sns").glob("*.json")))
async def test_what_openssl_signed_passes(amazon: Amazon, file: str) -> None:
    options = {**GIVEN, "allow_signature_version_1": True}
    verdict = await judge(amazon.signatures(), payload(f"sns/{file}"), options=options)
    assert verdict.accepted, verdict.why


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "other"},
        {"Subject": "other"},
        {"Subject": None},
        {"MessageId": "other"},
        {"Timestamp": "2026-11-23T02:59:01.204Z"},
        {"Signature": "RVhBTVBMRQ=="},
        {"Signature": "???"},
        {"Signature": None},
        {"Type": "UnsubscribeConfirmation"},
        {"TopicArn": "arn:aws:sns:eu-west-1:123456789012:other"},
        {"TopicArn": None},
        {"TopicArn": ["a"]},
        {"Type": "Other"},
        {"Type": ["Notification"]},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"SignatureVersion": None},
    ],
)
async def test_what_was_changed_is_refused(amazon: Amazon, change: dict[str, object]) -> None:
    verdict = await judge(amazon.signatures(), changed(ALARM, **change))
    assert not verdict.accepted
    assert verdict.why


@pytest.mark.parametrize("body", [b"", b"words", b"[]", b"[" * 5_000])
async def test_what_is_no_envelope_is_refused(amazon: Amazon, body: bytes) -> None:
    verdict = await judge(amazon.signatures(), body)
    assert "raw message delivery" in verdict.why


async def test_the_header_must_name_the_same_type(amazon: Amazon) -> None:
    assert not (await judge(amazon.signatures(), ALARM, header="SubscriptionConfirmation")).accepted


async def test_another_topic_is_refused_before_anything_is_fetched(amazon: Amazon) -> None:
    for options in ({"topics": ("arn:aws:sns:eu-west-1:123456789012:other",)}, {}):
        verdict = await judge(amazon.signatures(), CONFIRMATION, options=options)
        assert not verdict.accepted
        assert "topics" in verdict.why
    assert amazon.asked == []


async def test_version_1_passes_only_where_it_is_allowed(amazon: Amazon) -> None:
    signatures = amazon.signatures()
    refused = await judge(signatures, OLD)
    assert "SignatureVersion to 2" in refused.why
    assert (
        await judge(signatures, OLD, options={**GIVEN, "allow_signature_version_1": True})
    ).accepted


@pytest.mark.parametrize(
    ("late", "accepted"),
    [
        (timedelta(minutes=61), False),
        (timedelta(minutes=57), True),
        (timedelta(minutes=-6), True),
        (timedelta(minutes=-8), False),
        (timedelta(days=30), False),
    ],
)
async def test_an_old_message_is_a_replay(amazon: Amazon, late: timedelta, accepted: bool) -> None:
    verdict = await judge(amazon.signatures(), ALARM, now=RECEIVED + late)
    assert verdict.accepted is accepted
    assert verdict.stale is not accepted


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a1.pem",
        "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-a1.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-a1.pem",
    ],
)
def test_addresses_of_sns(url: str) -> None:
    assert is_amazons(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-a1.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://sns.eu-west-1.amazonaws.com.cn/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://evil.example#sns.eu-west-1.amazonaws.com",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://user@sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://sns.eu-west-1.amazonaws.com\\.evil.example/a.pem",
        "https://SNS.eu-west-1.amazonaws.com/a.pem",
        "https://s3.eu-west-1.amazonaws.com/a.pem",
        "https://sns.evil.example/a.pem",
        "https://sns.a.b-1.amazonaws.com/a.pem",
        "https://169.254.169.254/latest",
        "https://[::1/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a\n.pem",
    ],
)
async def test_no_other_address_is_ever_fetched(amazon: Amazon, url: str) -> None:
    assert not is_amazons(url)
    verdict = await judge(amazon.signatures(), changed(ALARM, SigningCertURL=url))
    assert not verdict.accepted
    assert amazon.asked == []


async def test_only_a_certificates_path_is_fetched(amazon: Amazon) -> None:
    for path in ("/?Action=Publish", "/other.pem", "/SimpleNotificationService-a/../x.pem"):
        url = f"https://sns.eu-west-1.amazonaws.com{path}"
        assert not (await judge(amazon.signatures(), changed(ALARM, SigningCertURL=url))).accepted
    assert amazon.asked == []


async def test_the_certificate_is_fetched_once_however_many_come(amazon: Amazon) -> None:
    signatures = amazon.signatures()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(judge(signatures, ALARM)) for _ in range(20)]
    assert all(one.result().accepted for one in tasks)
    assert len(amazon.asked) == 1


async def test_a_certificate_that_cannot_be_had_is_said_and_asked_for_again(amazon: Amazon) -> None:
    signatures = amazon.signatures()
    amazon.away = True
    verdict = await judge(signatures, ALARM)
    assert verdict.later
    assert "could not be fetched (no answer within 3 s); send it again" in verdict.why
    amazon.away = False
    assert (await judge(signatures, ALARM)).accepted


async def test_nobody_can_have_us_fetch_without_end(amazon: Amazon) -> None:
    signatures = amazon.signatures()
    amazon.away = True
    for number in range(50):
        url = f"https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-{number}.pem"
        await judge(signatures, changed(ALARM, SigningCertURL=url))
    assert len(amazon.asked) == 10
    amazon.away = False
    now = RECEIVED + timedelta(minutes=2)
    assert (await judge(signatures, ALARM, now=now)).accepted


@pytest.mark.parametrize("body", [b"", b"words", CERTIFICATE[:200]])
async def test_what_is_no_certificate_is_refused(amazon: Amazon, body: bytes) -> None:
    amazon.body = body
    assert "not a certificate" in (await judge(amazon.signatures(), ALARM)).why


async def test_an_expired_certificate_is_refused(amazon: Amazon) -> None:
    now = RECEIVED + timedelta(days=200 * 365)
    assert "not valid now" in (await judge(amazon.signatures(), ALARM, now=now)).why


async def test_a_subscription_is_confirmed(amazon: Amazon) -> None:
    verdict = await judge(amazon.signatures(), CONFIRMATION)
    assert verdict.accepted
    assert verdict.notes == {CONFIRMED_NOTE: "yes"}
    assert amazon.asked[-1] == json.loads(CONFIRMATION)["SubscribeURL"]


async def test_a_confirmation_that_fails_is_told(amazon: Amazon) -> None:
    signatures = amazon.signatures()
    assert (await judge(signatures, ALARM)).accepted
    amazon.away = True
    verdict = await judge(signatures, CONFIRMATION)
    assert verdict.accepted
    assert verdict.notes == {CONFIRMED_NOTE: "no answer within 3 s"}


async def test_a_forged_confirmation_is_not_followed(amazon: Amazon) -> None:
    forged = changed(CONFIRMATION, SubscribeURL="https://sns.eu-west-1.amazonaws.com/?Action=Other")
    assert not (await judge(amazon.signatures(), forged)).accepted
    assert all("SimpleNotificationService" in url for url in amazon.asked)


def test_topics_must_be_named() -> None:
    assert read_options(OPTIONS, {})[1][0].startswith("`topics` is missing.")
    values, faults = read_options(OPTIONS, {"topics": [TOPIC], "allow_signature_version_1": "yes"})
    assert values == {"topics": (TOPIC,)}
    assert faults == ["`allow_signature_version_1`: write true or false"]
