"""Tokens that PyJWT signs pass when everything in them is right, and never otherwise."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import RSAAlgorithm

from bot.sources.fetch import FetchError
from bot.sources.google_token import CERTIFICATES, OPTIONS, GoogleKeys, PushTokens, read_keys
from bot.sources.options import read_options
from bot.sources.scheme import Attempt, Verdict
from tests.fakes.deliveries import RECEIVED

KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
OTHER = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
AUDIENCE = "https://watchbill.example/hooks/gcp"
EMAIL = "push@shop-prod.iam.gserviceaccount.com"


def jwks(**keys: rsa.RSAPrivateKey) -> dict[str, Any]:
    return {
        "keys": [
            {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "alg": "RS256"}
            for kid, key in keys.items()
        ]
    }


def claims(**changes: object) -> dict[str, Any]:
    now = int(RECEIVED.timestamp())
    whole = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "email": EMAIL,
        "email_verified": True,
        "sub": "113774264463038321964",
        "iat": now - 10,
        "exp": now + 3_590,
    }
    return {name: one for name, one in {**whole, **changes}.items() if one is not None}


def token(
    said: Mapping[str, Any] | None = None,
    *,
    key: Any = KEY,
    algorithm: str = "RS256",
    kid: str = "k1",
) -> str:
    return jwt.encode(dict(said or claims()), key, algorithm=algorithm, headers={"kid": kid})


OPTIONS_GIVEN: Mapping[str, object] = {
    "audience": AUDIENCE,
    "email": EMAIL,
    "keys": read_keys(jwks(k1=KEY)),
}


async def judge(
    given: str,
    options: Mapping[str, object] = OPTIONS_GIVEN,
    *,
    now: datetime = RECEIVED,
    tokens: PushTokens | None = None,
) -> Verdict:
    attempt = Attempt(
        headers={"authorization": given}, body=b"{}", secrets=(), now=now, options=options
    )
    return await (tokens or PushTokens(GoogleKeys(fetch=nothing))).authenticate(attempt)


async def nothing(url: str) -> bytes:
    raise AssertionError(f"{url} must not be asked for")


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
async def test_googles_token_passes(issuer: str) -> None:
    assert (await judge(f"Bearer {token(claims(iss=issuer))}")).accepted


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (claims(iss="https://accounts.google.com.evil.example"), "accounts.google.com"),
        (claims(iss=None), "accounts.google.com"),
        (claims(aud="https://other.example"), "audience"),
        (claims(aud=None), "audience"),
        (claims(aud=[AUDIENCE, "x"]), "audience"),
        (claims(email="other@shop-prod.iam.gserviceaccount.com"), "another account"),
        (claims(email=None), "another account"),
        (claims(email_verified=False), "another account"),
        (claims(email_verified="true"), "another account"),
        (claims(email_verified=None), "another account"),
        (claims(iat=None), "from when"),
        (claims(exp=None), "from when"),
    ],
)
async def test_a_wrong_claim_is_refused_and_named(said: dict[str, Any], why: str) -> None:
    verdict = await judge(f"Bearer {token(said)}")
    assert not verdict.accepted
    assert why in verdict.why


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        f"Basic {token()}",
        f"Bearer {token(key=OTHER)}",
        f"Bearer {token(kid='unknown')}",
        f"Bearer {token()[:-8]}AAAAAAAA",
        f"Bearer {token()[:-20]}",
        f"Bearer {jwt.encode(claims(), 'x' * 64, algorithm='HS256', headers={'kid': 'k1'})}",
        f"Bearer {jwt.encode(claims(), '', algorithm='none', headers={'kid': 'k1'})}",
        f"Bearer {token(algorithm='RS512')}",
        f"Bearer {token(algorithm='PS256')}",
        f"Bearer {token(key=ec.generate_private_key(ec.SECP256R1()), algorithm='ES256')}",
        "Bearer " + "a" * 9_000 + ".b.c",
    ],
)
async def test_anything_else_is_refused(given: str) -> None:
    verdict = await judge(given)
    assert not verdict.accepted
    assert verdict.why


async def test_nobody_can_change_what_was_signed() -> None:
    head, _, signature = token().split(".")
    other = token(claims(email="evil@example.com"), key=OTHER).split(".")[1]
    assert not (await judge(f"Bearer {head}.{other}.{signature}")).accepted


@pytest.mark.parametrize(
    ("at", "accepted"),
    [
        (timedelta(seconds=-69), True),
        (timedelta(seconds=-72), False),
        (timedelta(seconds=3_649), True),
        (timedelta(seconds=3_651), False),
        (timedelta(days=400), False),
    ],
)
async def test_a_token_holds_for_its_time_and_a_minute(at: timedelta, accepted: bool) -> None:
    verdict = await judge(f"Bearer {token()}", now=RECEIVED + at)
    assert verdict.accepted is accepted
    assert verdict.stale is not accepted


@pytest.mark.parametrize("name", ["audience", "email"])
async def test_without_audience_or_account_nothing_passes(name: str) -> None:
    options = {key: value for key, value in OPTIONS_GIVEN.items() if key != name}
    verdict = await judge(f"Bearer {token()}", options)
    assert not verdict.accepted
    assert name in verdict.why


class Google:
    """Serves keys, counts how often it was asked, and can be away."""

    def __init__(self) -> None:
        self.keys = jwks(k1=KEY)
        self.asked = 0
        self.away = False

    async def fetch(self, url: str) -> bytes:
        assert url == CERTIFICATES
        self.asked += 1
        if self.away:
            raise FetchError("it answered 503")
        return json.dumps(self.keys).encode()


BY_GOOGLE: Mapping[str, object] = {"audience": AUDIENCE, "email": EMAIL}


async def test_googles_keys_are_fetched_once_and_kept_for_an_hour() -> None:
    google = Google()
    tokens = PushTokens(GoogleKeys(fetch=google.fetch))
    for minutes in (0, 1, 20, 55):
        now = RECEIVED + timedelta(minutes=minutes)
        assert (await judge(f"Bearer {token()}", BY_GOOGLE, now=now, tokens=tokens)).accepted
    assert google.asked == 1
    google.away = True
    now = RECEIVED + timedelta(minutes=60)
    old = await judge(f"Bearer {token()}", BY_GOOGLE, now=now, tokens=tokens)
    assert (old.accepted, google.asked) == (True, 2)


async def test_a_new_key_is_fetched_and_a_made_up_one_only_once_a_minute() -> None:
    google = Google()
    tokens = PushTokens(GoogleKeys(fetch=google.fetch))
    assert (await judge(f"Bearer {token()}", BY_GOOGLE, tokens=tokens)).accepted
    google.keys = jwks(k1=KEY, k2=OTHER)
    now = RECEIVED + timedelta(minutes=2)
    new = f"Bearer {token(key=OTHER, kid='k2')}"
    assert (await judge(new, BY_GOOGLE, now=now, tokens=tokens)).accepted
    for number in range(20):
        made_up = f"Bearer {token(key=OTHER, kid=f'x{number}')}"
        assert not (await judge(made_up, BY_GOOGLE, now=now, tokens=tokens)).accepted
    assert google.asked == 2


async def test_when_google_is_away_it_is_said() -> None:
    google = Google()
    google.away = True
    verdict = await judge(
        f"Bearer {token()}", BY_GOOGLE, tokens=PushTokens(GoogleKeys(fetch=google.fetch))
    )
    assert not verdict.accepted
    assert verdict.later
    assert verdict.why == "Google's keys could not be fetched (it answered 503); send it again."


async def test_the_first_requests_of_all_wait_for_one_fetch() -> None:
    google = Google()
    tokens = PushTokens(GoogleKeys(fetch=google.fetch))
    async with asyncio.TaskGroup() as group:
        given = f"Bearer {token()}"
        tasks = [group.create_task(judge(given, BY_GOOGLE, tokens=tokens)) for _ in range(20)]
    assert all(one.result().accepted for one in tasks)
    assert google.asked == 1


async def test_keys_come_from_a_file_from_pem_and_inline(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(jwks(k1=KEY)))
    pem = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for keys in (str(file), {"k1": pem.decode()}, jwks(k1=KEY)):
        values, faults = read_options(OPTIONS, {**BY_GOOGLE, "keys": keys})
        assert faults == []
        assert (await judge(f"Bearer {token()}", values)).accepted


@pytest.mark.parametrize(
    "keys",
    [
        {},
        [],
        {"keys": []},
        {"keys": [{"kty": "RSA", "kid": "k", "n": "!", "e": "AQAB"}]},
        {"keys": [{"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}]},
        {"k1": "not a key"},
        {"k1": 7},
        "/nowhere/keys.json",
    ],
)
def test_keys_that_are_none_are_a_fault(keys: object) -> None:
    values, faults = read_options(OPTIONS, {**BY_GOOGLE, "keys": keys})
    assert "keys" not in values
    assert faults[0].startswith("`keys`: ")


def test_what_must_be_configured_is_named() -> None:
    _, faults = read_options(OPTIONS, {})
    assert [one.split()[0] for one in faults] == ["`audience`", "`email`"]
