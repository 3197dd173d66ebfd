"""Service accounts: keys made here, and the token endpoint that takes what they sign."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError

from bot.local_google.errors import GoogleError

_LIFETIME = 3600


class InvalidKeyError(Exception):
    """It is no key that was made here, or was made for another address."""


class InvalidGrantError(Exception):
    """The assertion is none that we take."""


@dataclass(slots=True)
class Accounts:
    """`tokens` are those in force, each with its account's address."""

    public_keys: dict[str, bytes] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def add(self, email: str, token_uri: str) -> dict[str, str]:
        """Return a new service account's key, as Google's console gives it."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key()
        self.public_keys[email] = public.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        return {
            "type": "service_account",
            "project_id": "local",
            "private_key_id": secrets.token_hex(20),
            "private_key": private.decode(),
            "client_email": email,
            "client_id": "1",
            "token_uri": token_uri,
        }

    def take(self, key: object, token_uri: str) -> None:
        """Let a key of an earlier start count again. Raises InvalidKeyError."""
        match key:
            case {"project_id": "local", "client_email": str(email), "private_key": str(private),
                  "token_uri": str(uri)} if uri == token_uri:  # fmt: skip
                pass
            case _:
                raise InvalidKeyError
        try:
            public = load_pem_private_key(private.encode(), None).public_key()
        except ValueError:
            raise InvalidKeyError from None
        self.public_keys[email] = public.public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )

    def remove(self, email: str) -> None:
        """Delete its keys, as an administrator does; tokens end at once here."""
        self.public_keys.pop(email, None)
        self.tokens = {token: owner for token, owner in self.tokens.items() if owner != email}

    def exchange(self, assertion: str) -> dict[str, Any]:
        """Return an access token for a signed assertion. Raises InvalidGrantError."""
        try:
            claims = jwt.decode(assertion, verify=False)  # type: ignore[no-untyped-call]
            email = str(claims["iss"])
            jwt.decode(assertion, certs=self.public_keys[email])  # type: ignore[no-untyped-call]
        except (GoogleAuthError, ValueError, KeyError) as error:
            raise InvalidGrantError(f"Invalid JWT Signature. ({type(error).__name__})") from error
        token = secrets.token_urlsafe(24)
        self.tokens[token] = email
        return {"access_token": token, "expires_in": _LIFETIME, "token_type": "Bearer"}

    def caller(self, authorization: str) -> str:
        """Return whose token it is. Raises GoogleError."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            words = "Request had invalid authentication credentials. Expected OAuth 2 access token."
            raise GoogleError(401, words, reason="authError")
        return self.tokens[token]


def key_text(key: dict[str, str]) -> str:
    """Return the text of a key's file."""
    return json.dumps(key, indent=2)
