"""What config.yaml may say of the pages people sign in to."""

from datetime import timedelta

from pydantic import Field, SecretStr

from bot.config.types import Url
from rules.documents.spec import PositiveDuration, Spec, Text


class OpenIdSpec(Spec):
    client_id: Text = Field(description="The Slack app's client id, from *Basic Information*.")
    client_secret: SecretStr = Field(description="The Slack app's client secret.")
    issuer: Url = Field(
        default="https://slack.com", description="Who signs people in, by OpenID Connect."
    )


class PagesSpec(Spec):
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs sessions, sign-in links and links that acknowledge; made from "
        "`slack.bot_token` when left out. A new one signs everybody out.",
    )
    session: PositiveDuration = Field(
        default=timedelta(hours=12),
        le=timedelta(days=30),
        description="For how long people stay signed in.",
    )
    openid: OpenIdSpec | None = Field(
        default=None, description="Lets people sign in with Slack; without it, by a link in Slack."
    )
