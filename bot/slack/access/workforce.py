"""Who may have no elevated access because of what Slack says of them, and who is in user groups."""

from collections.abc import Mapping, Sequence

from bot.ports.access import Workforce
from bot.ports.delivering import GiveUpError
from bot.slack.api import SlackApi
from bot.slack.blocks import Json
from bot.slack.members import Members, is_surely_foreign
from rules.people import People, Person

CLOSED = "their Slack account is closed"
BOT = "it is a bot"
GUEST = "guests cannot have access"
UNKNOWN = "nobody in Slack has that e-mail address any more"
_GUESTS = ("is_restricted", "is_ultra_restricted", "is_stranger")


class SlackWorkforce:
    """Reads the members' list; `people` are those whom the configuration names."""

    def __init__(self, api: SlackApi, members: Members, people: People) -> None:
        self._api = api
        self._members = members
        self._people = people

    async def look(self, people: Sequence[str], groups: Sequence[str]) -> Workforce:
        listed, team = await self._members.documents(afresh=True), await self._members.team()
        # what address somebody of another workspace has is that one's word
        documents = {user: one for user, one in listed.items() if not is_surely_foreign(one, team)}
        by_email: dict[str, list[Json]] = {}
        for document in documents.values():
            if email := str((document.get("profile") or {}).get("email") or "").casefold():
                by_email.setdefault(email, []).append(document)
        if not by_email:
            raise GiveUpError("Slack shows no e-mail addresses; give the app `users:read.email`")
        barred = {}
        for key in people:
            if why := _why_not(self._people.by_key(key), documents, by_email):
                barred[key] = why
        return Workforce(barred, await self._groups(groups, documents) if groups else {})

    async def _groups(
        self, handles: Sequence[str], documents: Mapping[str, Json]
    ) -> dict[str, frozenset[str]]:
        listed = await self._api.read("usergroups.list", include_users=True)
        found: dict[str, frozenset[str]] = {}
        for one in listed.get("usergroups") or []:
            handle = str(one.get("handle") or "")
            if handle in handles and not one.get("date_delete"):
                users = [str(user) for user in one.get("users") or []]
                found[handle] = frozenset(
                    self._key(documents[user], user)
                    for user in users
                    if user in documents and not _fault_of(documents[user])
                )
        return found

    def _key(self, document: Json, user: str) -> str:
        """Return the key that this member has when they click: nobody is two people."""
        if configured := self._people.by_slack(user):
            return configured.key
        email = str((document.get("profile") or {}).get("email") or "")
        return email.lower() or f"slack:{user}"


def _why_not(
    person: Person, documents: Mapping[str, Json], by_email: Mapping[str, Sequence[Json]]
) -> str:
    """Say why a person may have nothing, "" when they may."""
    by_id = documents.get(person.slack or person.key.removeprefix("slack:"))
    email = (person.email or ("" if person.key.startswith("slack:") else person.key)).casefold()
    found = [by_id] if by_id is not None else list(by_email.get(email, ()))
    reasons = [_fault_of(one) for one in found]
    if not reasons:
        return UNKNOWN
    return "" if "" in reasons else reasons[0]


def _fault_of(document: Json) -> str:
    if document.get("deleted"):
        return CLOSED
    if document.get("is_bot"):
        return BOT
    return GUEST if any(document.get(word) for word in _GUESTS) else ""
