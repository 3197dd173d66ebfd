"""What config.yaml may say of people: who they are in Slack, and how else they are reached."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from rules.contacting.contacts import checked_order, ntfy_topic, phone_number, pushover_key
from rules.documents.spec import Spec, Text, Zone
from rules.people import Person

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def _email(text: str) -> str:
    if text and not _EMAIL.fullmatch(text):
        raise ValueError(f'"{text}" is not an e-mail address')
    return text.lower()


class PersonSpec(Spec):
    name: Text = Field(description="As the roster writes it.")
    email: Annotated[str, AfterValidator(_email)] = Field(
        default="", description="E-mail; finds the person in Slack, and pages go there too."
    )
    slack: str = Field(default="", description="Slack member id (`U0123ABCD`) or @handle.")
    timezone: Zone = Field(default="UTC", description="The person's own zone.")
    phone: Annotated[str, AfterValidator(phone_number)] = Field(
        default="", repr=False, description="Number with its country, for text messages and calls."
    )
    pushover: Annotated[str, AfterValidator(pushover_key)] = Field(
        default="", repr=False, description="User key of Pushover."
    )
    ntfy: Annotated[str, AfterValidator(ntfy_topic)] = Field(
        default="", repr=False, description="Topic of ntfy; whoever knows it can read along."
    )
    webhook: str = Field(default="", description="Name of an entry of `webhooks`.")
    contact: Annotated[str, AfterValidator(checked_order)] = Field(
        default="", description="The person's own `contact.order`."
    )

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not (self.email or self.slack):
            raise ValueError(f"{self.name} needs `email` or `slack`, or nobody can page them")
        return self

    @property
    def key(self) -> str:
        return self.email or f"slack:{self.slack.lstrip('@')}"

    def person(self) -> Person:
        return Person(
            self.key,
            self.name,
            self.email,
            self.slack,
            self.timezone,
            phone=self.phone,
            pushover=self.pushover,
            ntfy=self.ntfy,
            webhook=self.webhook,
            contact=self.contact,
        )
