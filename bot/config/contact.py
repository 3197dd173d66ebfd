"""What config.yaml may say of reaching people by other means than Slack."""

import re
from email.utils import parseaddr
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bot.config.types import Url
from rules.contacting.contacts import checked_order, phone_number
from rules.contacting.method import USUAL_TEXT, Method
from rules.documents.spec import Spec, Text

_NONE = SecretStr("")
_SERVICE = re.compile(r"MG[0-9a-f]{32}")
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def _sender(text: str) -> str:
    address = parseaddr(text)[1]
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or not text.isprintable():
        raise ValueError(f'"{text}" is no sender; write it like Watchbill <oncall@example.com>')
    return text


def _twilio_sender(text: str) -> str:
    if _SERVICE.fullmatch(text):
        return text
    return phone_number(text)


class EmailSpec(Spec):
    host: Text = Field(description="The mail server that takes our mail.")
    port: int | None = Field(
        default=None, ge=1, le=65_535, description="587, 465 or 25 by `security` when left out."
    )
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="`none` sends in the clear, so without a password."
    )
    username: str = Field(default="", description="Who logs in; nobody when left out.")
    password: SecretStr = Field(default=_NONE, description="Their password.")
    sender: Annotated[str, AfterValidator(_sender)] = Field(
        alias="from", description="Who the mail is from, like `Watchbill <oncall@example.com>`."
    )
    ca_file: Text | None = Field(
        default=None, description="Whom to trust, when the server's certificate is your own."
    )

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.security == "none" and self.username and self.host not in _LOCAL:
            raise ValueError("with security `none` the password would be read along; use starttls")
        return self

    @property
    def own_port(self) -> int:
        return self.port or _PORTS[self.security]


class TwilioSpec(Spec):
    account_sid: Text = Field(description="The account, `AC...`.")
    auth_token: SecretStr = Field(
        description="Its auth token; it also proves that Twilio calls us."
    )
    sender: Annotated[str, AfterValidator(_twilio_sender)] = Field(
        alias="from", description="Our number, or for text messages a messaging service `MG...`."
    )
    call_from: Annotated[str, AfterValidator(phone_number)] = Field(
        default="", description="The number that calls, where `from` is a messaging service."
    )
    url: Url = Field(default="https://api.twilio.com", description="Where Twilio's API is.")

    @property
    def caller(self) -> str:
        """Return the number that calls, "" when there is none."""
        return self.call_from or ("" if self.sender.startswith("MG") else self.sender)


class PushoverSpec(Spec):
    token: SecretStr = Field(description="The application's token.")
    url: Url = Field(default="https://api.pushover.net", description="Where Pushover's API is.")


class NtfySpec(Spec):
    url: Url = Field(default="https://ntfy.sh", description="The server that the topics are on.")
    token: SecretStr = Field(default=_NONE, description="Access token, where the server wants one.")


class ContactSpec(Spec):
    order: Annotated[str, AfterValidator(checked_order)] = Field(
        default=USUAL_TEXT,
        description="What is used after how long, until somebody answers; after `;` by urgency.",
    )
    email: EmailSpec | None = Field(default=None, description="Pages by e-mail.")
    twilio: TwilioSpec | None = Field(
        default=None, description="Pages by text message (`sms`) and phone call (`voice`)."
    )
    pushover: PushoverSpec | None = Field(default=None, description="Pages by Pushover.")
    ntfy: NtfySpec | None = Field(default=None, description="Pages by ntfy.")

    def methods(self, *, webhooks: bool) -> frozenset[Method]:
        """Return what is configured; a `webhook` is for whoever names one."""
        found = {
            Method.EMAIL: self.email is not None,
            Method.SMS: self.twilio is not None,
            Method.VOICE: self.twilio is not None and bool(self.twilio.caller),
            Method.PUSHOVER: self.pushover is not None,
            Method.NTFY: self.ntfy is not None,
            Method.WEBHOOK: webhooks,
        }
        return frozenset(method for method, there in found.items() if there)
