"""Amazon SNS: CloudWatch alarms, EventBridge events, and whatever else a topic is told."""

from collections.abc import Mapping

from bot.ports.inbox import Delivery
from bot.sources.aws_messages import Said, read_aws
from bot.sources.json_body import JsonValue, object_of, read_json, read_object, text_of
from bot.sources.kind import (
    Arrival,
    Parsed,
    Source,
    SourceKind,
    UnreadableError,
    digest,
    key_by_body,
)
from bot.sources.sns_signature import CONFIRMATION, CONFIRMED_NOTE, NOTIFICATION, OPTIONS, SCHEME
from bot.sources.text import clean, key, key_of, labels, line, without_times
from bot.sources.words import time_of
from rules.alert import Alert, AlertStatus, Severity

Section = Mapping[str, JsonValue]


def parse(source: Source, delivery: Delivery) -> Parsed:
    envelope = read_object(delivery.body)
    topic = text_of(envelope.get("TopicArn"))
    if "Type" not in envelope or not topic:
        raise UnreadableError("It is not an SNS message; turn raw message delivery off.")
    if text_of(envelope.get("Type")) == NOTIFICATION:
        said = _said(envelope, topic)
    else:
        said = _subscription(envelope, topic, delivery.headers.get(CONFIRMED_NOTE, ""))
    facts = {"topic": topic.rsplit(":", 1)[-1], "topic_arn": topic, **said.labels}
    alert = Alert(
        source=source.name,
        dedup_key=key_of(*said.thing),
        status=said.status,
        title=line(said.title) or "SNS message without words",
        occurred_at=time_of(
            said.at or envelope.get("Timestamp"),
            zone=source.timezone,
            otherwise=delivery.received_at,
        ),
        group_key=key(said.run),
        severity=said.severity,
        description=clean(said.description),
        labels=labels((name, told) for name, one in facts.items() if (told := text_of(one))),
    )
    return Parsed(alerts=(alert,))


def _said(envelope: Section, topic: str) -> Said:
    message = text_of(envelope.get("Message"))
    try:
        # Message is text, whatever it holds.
        found = read_aws(object_of(read_json(message.encode("utf-8", "surrogatepass"))))
    except UnreadableError:
        found = None
    if found is not None:
        return found
    subject = text_of(envelope.get("Subject")) or message.strip().partition("\n")[0]
    return Said(
        thing=("message", topic, digest(without_times(subject))),
        status=AlertStatus.FIRING,
        title=subject,
        description=message,
    )


def _subscription(envelope: Section, topic: str, confirmed: str) -> Said:
    """Tell of a subscription that needs a person; a confirmed one ends that alert."""
    name = topic.rsplit(":", 1)[-1]
    if text_of(envelope.get("Type")) != CONFIRMATION:
        title = f"SNS topic {name} no longer sends here: the subscription was removed"
        advice = "If that was a mistake, subscribe this address to the topic again."
    elif confirmed == "yes":
        title, advice = f"SNS topic {name} is subscribed", ""
    else:
        title = f"SNS topic {name} could not be subscribed"
        advice = (
            f"The confirmation failed ({confirmed or 'it was not tried'}). In the SNS console, "
            "open the subscription and choose “Request confirmation”."
        )
    return Said(
        thing=("subscription", topic),
        status=AlertStatus.FIRING if advice else AlertStatus.RESOLVED,
        title=title,
        severity=Severity.WARNING if advice else Severity.INFO,
        description=advice,
    )


def delivery_key(arrival: Arrival) -> str:
    """Return the message's id, which stays the same when SNS sends it again."""
    try:
        envelope = object_of(read_json(arrival.body))
    except UnreadableError:
        return key_by_body(arrival)
    named = text_of(envelope.get("MessageId"))
    return f"message:{named}" if named else key_by_body(arrival)


KIND = SourceKind(
    name="sns",
    parse=parse,
    delivery_key=delivery_key,
    scheme=SCHEME,
    options=OPTIONS,
)
