"""Each vendor's signature, made here by hand, is accepted, and nothing like it is."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.sources import registry
from bot.sources.scheme import is_fresh, signatures
from tests.fakes.deliveries import RECEIVED, payload
from tests.fakes.vendors import NOW, PREVIOUS, SECRET, SIGNERS, hex_of, judged
from tests.fakes.vendors import grafana as sign_grafana
from tests.fakes.vendors import sentry as sign_sentry

BODY = payload("github/failure.json")
Signer = Callable[..., dict[str, str]]
every_signer = pytest.mark.parametrize(("kind", "sign"), SIGNERS.items(), ids=SIGNERS)


@every_signer
def test_the_right_signature_is_accepted(kind: str, sign: Signer) -> None:
    assert judged(kind, sign(BODY), BODY).accepted
    assert judged(kind, sign(b""), b"").accepted


@every_signer
def test_two_secrets_live_at_once(kind: str, sign: Signer) -> None:
    assert judged(kind, sign(BODY, PREVIOUS), BODY).accepted
    assert not judged(kind, sign(BODY, PREVIOUS), BODY, secrets=(SECRET,)).accepted


@every_signer
def test_upper_case_digits_are_the_same_signature(kind: str, sign: Signer) -> None:
    headers = {
        name: value.replace(hex_of(SECRET, BODY), hex_of(SECRET, BODY).upper())
        for name, value in sign(BODY).items()
    }
    assert headers != sign(BODY)
    assert judged(kind, headers, BODY).accepted


@every_signer
def test_a_wrong_signature_is_refused_and_told(kind: str, sign: Signer) -> None:
    for headers, body in [
        (sign(BODY, "wrong"), BODY),
        (sign(BODY), BODY + b" "),
        (sign(BODY), b""),
        (sign(BODY, ""), BODY),
    ]:
        verdict = judged(kind, headers, body)
        assert not verdict.accepted
        assert not verdict.stale
        assert "does not fit the body" in verdict.why
        assert SECRET not in verdict.why


@every_signer
def test_without_secrets_nothing_fits(kind: str, sign: Signer) -> None:
    assert not judged(kind, sign(BODY, ""), BODY, secrets=()).accepted


@every_signer
def test_an_empty_or_odd_signature_is_refused(kind: str, sign: Signer) -> None:
    scheme = registry.KINDS[kind].scheme
    assert scheme is not None
    (name,) = [one for one in sign(BODY) if not one.endswith("timestamp")]
    for odd in ["", "v1=", "sha256=", "sha256", ",,,", "é", "\udcff", "0" * 100_000]:
        headers = {**sign(BODY), name: odd}
        assert not scheme.claims(headers) or not judged(kind, headers, BODY).accepted


@every_signer
def test_a_request_without_the_header_does_not_claim_the_scheme(kind: str, sign: Signer) -> None:
    scheme = registry.KINDS[kind].scheme
    assert scheme is not None
    assert not scheme.claims({})
    assert not scheme.claims({"authorization": f"Bearer {SECRET}"})
    assert scheme.claims(sign(BODY))


PUBLISHED = [
    ("github", "x-hub-signature-256", b"Hello, World!",
     "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
    ("jira_service_management", "x-hub-signature", b"Hello World!",
     "a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "header", "body", "signature"), PUBLISHED)
def test_the_examples_that_vendors_publish_are_accepted(
    kind: str, header: str, body: bytes, signature: str
) -> None:
    headers = {header: f"sha256={signature}"}
    assert judged(kind, headers, body, secrets=("It's a Secret to Everybody",)).accepted
    assert not judged(kind, headers, body, secrets=("it's a secret to everybody",)).accepted


def test_one_of_several_signatures_is_enough_while_pagerduty_rotates() -> None:
    good, bad = f"v1={hex_of(SECRET, BODY)}", f"v1={hex_of('other', BODY)}"
    for value in [f"{bad},{good}", f"{good},{bad}", f"{bad}, {good}"]:
        assert judged("pagerduty", {"x-pagerduty-signature": value}, BODY).accepted
    unknown = f"v2={hex_of(SECRET, BODY)}"
    for value in [bad, f"{bad},{bad}", unknown, hex_of(SECRET, BODY)]:
        assert not judged("pagerduty", {"x-pagerduty-signature": value}, BODY).accepted


def test_a_signature_needs_its_prefix() -> None:
    assert signatures("sha256=AB, sha1=cd,sha256=", "sha256=") == ["ab"]
    assert signatures(",".join(["v1=a"] * 50), "v1=") == ["a"] * 10


@pytest.mark.parametrize("seconds", [-299, -1, 0, 299])
def test_sentrys_time_may_be_five_minutes_off(seconds: int) -> None:
    at = str(int(NOW) + seconds)
    assert judged("sentry", sign_sentry(BODY, at=at), BODY).accepted


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_a_replayed_request_of_sentry_is_stale(seconds: int) -> None:
    verdict = judged("sentry", sign_sentry(BODY, at=str(int(NOW) + seconds)), BODY)
    assert not verdict.accepted
    assert verdict.stale
    assert "5 minutes" in verdict.why


@pytest.mark.parametrize("at", ["", "soon", "-1", "9" * 40, "1e9", "٣"])
def test_a_request_of_sentry_without_a_time_is_stale(at: str) -> None:
    assert judged("sentry", sign_sentry(BODY, at=at), BODY).stale


def test_a_wrong_signature_is_told_before_a_wrong_time() -> None:
    assert not judged("sentry", sign_sentry(BODY, "wrong", at="1"), BODY).stale


def test_milliseconds_are_a_time() -> None:
    assert is_fresh(f"{NOW}000", RECEIVED)
    assert not is_fresh(f"{int(NOW) - 301}000", RECEIVED)


TIMED: dict[str, object] = {"timestamp_header": "X-Grafana-Timestamp"}


def test_grafana_may_sign_a_time() -> None:
    signed = sign_grafana(f"{NOW}:".encode() + BODY)
    headers = {**signed, "x-grafana-timestamp": NOW}
    assert judged("grafana", headers, BODY, options=TIMED).accepted
    late = judged("grafana", headers, BODY, options=TIMED, now=RECEIVED + timedelta(minutes=6))
    assert late.stale


def test_a_time_that_grafana_signs_cannot_be_left_out_or_changed() -> None:
    signed = sign_grafana(f"{NOW}:".encode() + BODY)
    missing = judged("grafana", signed, BODY, options=TIMED)
    assert "X-Grafana-Timestamp is missing" in missing.why
    moved = {**signed, "x-grafana-timestamp": str(int(NOW) + 1)}
    assert not judged("grafana", moved, BODY, options=TIMED).accepted
    unsigned = {**sign_grafana(BODY), "x-grafana-timestamp": NOW}
    assert not judged("grafana", unsigned, BODY, options=TIMED).accepted
