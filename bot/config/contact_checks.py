"""What is wrong with how people are reached, beyond the shape of its parts."""

from collections.abc import Iterator

from bot.config.settings import Config
from rules.contacting.contacts import address_of
from rules.contacting.method import TITLES, Method, read_order
from rules.documents.yaml_document import Document, Fault
from rules.nearest import did_you_mean

_WANTED = {
    Method.EMAIL: "`contact.email`",
    Method.SMS: "`contact.twilio`",
    Method.VOICE: "`contact.twilio` with a number in `from` or `call_from`",
    Method.PUSHOVER: "`contact.pushover`",
    Method.NTFY: "`contact.ntfy`",
    Method.WEBHOOK: "an entry of `webhooks`",
}
_ANSWERED_BY_LINK = (Method.EMAIL, Method.SMS, Method.VOICE, Method.NTFY, Method.WEBHOOK)


def contact_faults(config: Config, document: Document) -> Iterator[Fault]:
    """Find webhooks that people name and nobody has, and alarms that reach nobody."""
    yield from alarm_faults(config, document)
    names = [hook.name for hook in config.webhooks]
    for at, person in enumerate(config.people):
        if person.webhook and person.webhook not in names:
            words = f'no webhook is called "{person.webhook}"{did_you_mean(person.webhook, names)}'
            yield document.fault(("people", at, "webhook"), words)


def alarm_faults(config: Config, document: Document) -> Iterator[Fault]:
    """Find people whom the canary's alarm could not reach past Slack."""
    methods = config.contact.methods(webhooks=bool(config.webhooks))
    people = config.directory()
    for at, alarm in enumerate(config.canary.alarm if config.canary else ()):
        if not alarm.person:
            continue
        place = ("canary", "alarm", at, "person")
        try:
            person = people.find(alarm.person)
        except ValueError as error:
            yield document.fault(place, str(error))
            continue
        if not any(address_of(person, method) for method in methods):
            words = (
                f"{person.name} has no address for any method of `contact`, and Slack may be down"
            )
            yield document.fault(place, words)


def contact_warnings(config: Config, document: Document) -> Iterator[Fault]:
    """Say what nobody could acknowledge by, and what an order names in vain."""
    yield from _named_in_vain(config, document)
    methods = config.contact.methods(webhooks=False)
    unheard = [TITLES[method] for method in _ANSWERED_BY_LINK if method in methods]
    if unheard and not config.public_url:
        words = f"without `public_url` nobody can acknowledge by {', '.join(unheard)}"
        yield document.key_fault(("contact",), words)


def _named_in_vain(config: Config, document: Document) -> Iterator[Fault]:
    there = config.contact.methods(webhooks=bool(config.webhooks))
    orders = [(("people", at, "contact"), one.contact) for at, one in enumerate(config.people)]
    for path, order in [(("contact", "order"), config.contact.order), *orders]:
        if path not in document.places:
            continue
        for method in sorted(read_order(order).methods() - there):
            words = f"`{method}` reaches nobody and is left out; it needs {_WANTED[method]}"
            yield document.fault(path, words)
