"""What is wrong with elevated groups beyond the shape of their parts."""

from collections.abc import Iterator, Mapping

from bot.config.settings import Config
from rules.documents.yaml_document import Document, Fault
from rules.nearest import did_you_mean
from rules.people import AmbiguousPersonError, People, UnknownPersonError


def access_faults(config: Config, document: Document) -> Iterator[Fault]:
    """Find people and rotations that do not exist; back-ends check their own options."""
    people = config.directory()
    for name, spec in config.access_groups.items():
        at = ("access_groups", name)
        for place, written in (
            (("may_ask", "people"), spec.may_ask.people),
            (("approvers", "people"), spec.approvers.people),
            (("owners",), spec.owners),
            (("accounts",), tuple(spec.accounts)),
        ):
            if fault := _nobody(people, written):
                yield document.fault((*at, *place), fault)
        for place, duties in (
            (("follows",), spec.follows),
            (("may_ask", "on_call"), spec.may_ask.on_call),
            (("approvers", "on_call"), spec.approvers.on_call),
            (("break_glass",), spec.break_glass),
        ):
            for duty in duties:
                if fault := _misspelt(duty.rotation, config.rotations):
                    yield document.fault((*at, *place), fault)
    yield from _same_group_twice(config, document)


def _same_group_twice(config: Config, document: Document) -> Iterator[Fault]:
    """Two entries for one group would each remove whom the other put in."""
    seen: dict[str, str] = {}
    for name, spec in config.access_groups.items():
        if spec.place in seen:
            words = f'is the same group as "{seen[spec.place]}"; make one of the two'
            yield document.fault(("access_groups", name, "group"), words)
        seen.setdefault(spec.place, name)


def _nobody(people: People, written: tuple[str, ...]) -> str:
    for one in written:
        try:
            people.find(one)
        except (UnknownPersonError, AmbiguousPersonError) as error:
            return str(error)
    return ""


def _misspelt(rotation: str, known: Mapping[str, object]) -> str:
    """Rosters may have other rotations than `rotations` names: only what is nearly one is wrong."""
    hint = did_you_mean(rotation, known)
    return f'no rotation is called "{rotation}"{hint}' if rotation not in known and hint else ""
