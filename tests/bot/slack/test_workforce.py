"""What Slack says of people ends their elevated access: closed, bot, guest, renamed."""

from typing import Any

import pytest

from bot.ports.delivering import GiveUpError
from bot.slack.access.workforce import BOT, CLOSED, GUEST, UNKNOWN, SlackWorkforce
from rules.people import People, Person


def member(user: str, email: str = "", **more: Any) -> dict[str, Any]:
    return {"id": user, "profile": {"email": email}, **more}


class Listed:
    def __init__(self, *documents: dict[str, Any]) -> None:
        self._documents = {one["id"]: one for one in documents}

    async def documents(self, *, afresh: bool = False) -> dict[str, dict[str, Any]]:
        assert afresh
        return self._documents

    async def team(self) -> str:
        return "T0OURS"


class Api:
    async def read(self, method: str, **arguments: Any) -> dict[str, Any]:
        assert (method, arguments) == ("usergroups.list", {"include_users": True})
        groups = [
            {"handle": "data", "users": ["U1", "U3", "U4", "U9"]},
            {"handle": "old", "users": ["U1"], "date_delete": 1},
        ]
        return {"usergroups": groups}


def workforce(*documents: dict[str, Any]) -> SlackWorkforce:
    known = People([Person("cy@example.com", "Cy", "cy@example.com", slack="U3")])
    return SlackWorkforce(Api(), Listed(*documents), known)  # type: ignore[arg-type]


async def test_each_reason_is_named_and_the_others_may() -> None:
    slack = workforce(
        member("U1", "Ana@Example.com"),
        member("U2", "bo@example.com", deleted=True),
        member("U3", "cyril@example.com"),
        member("U4", "dee@example.com", is_ultra_restricted=True),
        member("U5", "eve@example.com", is_bot=True),
    )
    people = [f"{name}@example.com" for name in ("ana", "bo", "cy", "dee", "eve", "gone")]
    found = await slack.look([*people, "slack:U1", "slack:U8"], ["data", "old"])
    # cy is linked by id, so that another address changes nothing
    assert dict(found.barred) == {
        "bo@example.com": CLOSED,
        "dee@example.com": GUEST,
        "eve@example.com": BOT,
        "gone@example.com": UNKNOWN,
        "slack:U8": UNKNOWN,
    }
    # one person has one key, or they could answer their own request; who is unfit is not listed
    assert dict(found.groups) == {"data": frozenset({"ana@example.com", "cy@example.com"})}


async def test_who_left_is_not_kept_in_by_somebody_elsewhere_of_the_same_address() -> None:
    slack = workforce(
        member("U1", "ana@example.com", deleted=True, team_id="T0OURS"),
        member("U2", "ana@example.com", team_id="T0THEIRS"),
        member("U9", "far@example.com", team_id="T0THEIRS"),
    )
    found = await slack.look(["ana@example.com", "far@example.com"], ["data"])
    assert dict(found.barred) == {"ana@example.com": CLOSED, "far@example.com": UNKNOWN}
    assert dict(found.groups) == {"data": frozenset()}


async def test_an_address_counts_whole() -> None:
    found = await workforce(member("U1", "ana@example.com.evil")).look(["ana@example.com"], [])
    assert dict(found.barred) == {"ana@example.com": UNKNOWN}


async def test_without_addresses_nobody_is_judged() -> None:
    with pytest.raises(GiveUpError, match=r"users:read\.email"):
        await workforce(member("U1")).look(["ana@example.com"], [])
