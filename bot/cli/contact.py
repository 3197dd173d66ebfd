"""The commands of `watchbill contact`: who is reached by what, a test of it, and what was tried."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.configuration import configuration
from bot.cli.output import fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from bot.clock import SystemClock
from bot.config.settings import Config
from rules.contacting.contacts import Contacts, address_of
from rules.contacting.method import TITLES, Method, write_order
from rules.nearest import did_you_mean
from rules.people import AmbiguousPersonError, People, Person, UnknownPersonError
from rules.priority import Urgency
from rules.sentence import counted

if TYPE_CHECKING:  # what sends and stores is heavy, and all commands would wait for it
    from bot.ports.contact import Attempt, Backend

app = typer.Typer(help="How people are reached besides Slack.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="A name or an e-mail.")]
By = Annotated[str, typer.Argument(help="One method; all that the person has when left out.")]
Incident = Annotated[int, typer.Argument(help="The incident's number.")]


@app.command()
def methods(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """List by what everybody is reached, who has Slack alone first."""
    loaded, _ = configuration(config)
    people, rostered = _people(loaded)
    contacts = _contacts(loaded, people)
    found = sorted(
        ((one, contacts.when_critical(one.key)) for one in people if one.key in rostered),
        key=lambda one: (bool(one[1]), one[0].name),
    )
    alone = sum(not by for _, by in found)
    if as_json:
        print_json([_methods_json(contacts, person) for person, _ in found])
    else:
        for person, _ in found:
            by = contacts.methods(person.key)
            who = person.key if person.name == person.key else f"{person.name} ({person.key})"
            _print(f"{who}: {_order(contacts, person) if by else 'Slack only'}")
        _print(f"{len(found) - alone} of {len(found)} people have a second way")
    raise typer.Exit(1 if alone else 0)


@app.command("test")
def try_out(
    person: Who, method: By = "", config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False
) -> None:
    """Send a person a test by one method or by all of theirs; say what each service answered."""
    loaded, _ = configuration(config)
    people, _ = _people(loaded)
    try:
        found = people.find(person)
    except (UnknownPersonError, AmbiguousPersonError) as error:
        raise fail(f"{str(error)[:1].upper()}{str(error)[1:]}") from error
    wanted = _wanted(_contacts(loaded, people), found, method)
    results = asyncio.run(_tested(loaded, found, wanted))
    if as_json:
        print_json(results)
    else:
        for one in results:
            how = f"sent ({one['id']})" if one["sent"] else f"failed: {one['why']}"
            _print(f"{TITLES[Method(one['method'])]} to {found.name}: {how}")
    raise typer.Exit(0 if all(one["sent"] for one in results) else 1)


@app.command()
def log(number: Incident, config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """Print every attempt to reach somebody about an incident, and what became of it."""
    loaded, _ = configuration(config)
    attempts = asyncio.run(_attempts(loaded, number))
    if as_json:
        print_json([_attempt_json(one) for one in attempts])
        return
    people = loaded.directory()
    for one in attempts:
        more = f" ({one.provider_id})" if one.provider_id else ""
        why = f": {one.error}" if one.error else ""
        who = people.by_key(one.person).name
        how = f"{TITLES[one.method]}: {one.result}{more}{why}"
        _print(f"{one.at:%Y-%m-%d %H:%M:%S} UTC  {who}  {how}")
    _print(counted(len(attempts), "attempt"))


def _people(config: Config) -> tuple[People, frozenset[str]]:
    """Return everybody, and the keys of those whom the configuration or the roster names."""
    from bot.cli.roster import roster_now

    now = SystemClock().now()
    roster = roster_now(config, now)
    people = roster.file.people if roster else config.directory()
    spans = roster.on_call((), now).all_spans() if roster else ()
    rostered = {person for span in spans for person in span.people}
    known = {person.key for person in people}
    everybody = [*people, *(people.by_key(key) for key in sorted(rostered - known))]
    return People(everybody), frozenset(known | rostered)


def _contacts(config: Config, people: People) -> Contacts:
    from bot.app.contact_side import contacts_of

    contacts = contacts_of(config, people)
    if not contacts.configured:
        raise fail("No contact method is configured: name one in `contact`; see docs/contact.md.")
    return contacts


def _wanted(contacts: Contacts, person: Person, written: str) -> Sequence[Method]:
    if not written:
        found = [m for m in Method if m in contacts.available and address_of(person, m)]
        if not found:
            raise fail(f"{person.name} has no address for any configured method.")
        return found
    names = sorted(m.value for m in contacts.available)
    if written not in names:
        raise fail(f'"{written}" is not configured{did_you_mean(written, names)}.')
    method = Method(written)
    if not address_of(person, method):
        raise fail(f"{person.name} has no address for {TITLES[method]}: add it to the roster.")
    return [method]


async def _tested(
    config: Config, person: Person, wanted: Sequence[Method]
) -> Sequence[dict[str, Any]]:
    # the HTTP and mail clients: other commands need not wait for them
    import aiohttp

    from bot.app.contact_side import backends_of

    async with aiohttp.ClientSession() as session:
        backends = backends_of(config, session, SystemClock())
        return [await _sent(backends, person, method) for method in wanted]


async def _sent(
    backends: "Mapping[Method, Backend]", person: Person, method: Method
) -> dict[str, Any]:
    from bot.ports.contact import Summons
    from bot.ports.delivering import GiveUpError, RetryLaterError

    summons = Summons(
        key=f"test:{secrets.token_hex(8)}",
        person=person.name,
        address=address_of(person, method),
        number=0,
        title="A test",
        priority="",
        why="",
        test=True,
    )
    result: dict[str, Any] = {"method": method.value, "sent": False, "id": "", "why": ""}
    try:
        sent = await backends[method].send(summons)
    except (GiveUpError, RetryLaterError) as error:
        return {**result, "why": str(error)}
    return {**result, "sent": True, "id": sent.provider_id}


async def _attempts(config: Config, number: int) -> "Sequence[Attempt]":
    from bot.cli.stored import beside

    async with beside(config, SystemClock()) as store:
        incident = await store.reader.incident_numbered(number)
        if incident is None:
            raise fail(f"There is no incident #{number}.")
        return await store.contacts.attempts(incident.id)


def _order(contacts: Contacts, person: Person) -> str:
    orders: dict[str, list[str]] = {}
    for urgency in Urgency:
        orders.setdefault(write_order(contacts.steps(person.key, urgency)), []).append(urgency)
    if len(orders) == 1:
        return next(iter(orders))
    return "; ".join(f"{', '.join(names)}: {order}" for order, names in orders.items())


def _methods_json(contacts: Contacts, person: Person) -> dict[str, Any]:
    return {
        "key": person.key,
        "name": person.name,
        "methods": [method.value for method in contacts.methods(person.key)],
        "order": {u.value: write_order(contacts.steps(person.key, u)) for u in Urgency},
    }


def _attempt_json(one: "Attempt") -> dict[str, Any]:
    return {
        "at": one.at.isoformat(),
        "person": one.person,
        "method": one.method.value,
        "step": one.step,
        "attempt": one.attempt,
        "result": one.result.value,
        "provider_id": one.provider_id,
        "error": one.error,
        "changed_at": one.changed_at.isoformat(),
    }


def _print(text: str) -> None:
    screen.print(text, markup=False, highlight=False, soft_wrap=True)
