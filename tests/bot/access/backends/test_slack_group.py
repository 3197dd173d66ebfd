"""What only Slack's user groups do: they cannot be empty, and not every plan has them."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest

from bot.access.backends.registry import open_backend
from bot.config.access import BackendSpec
from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.access.backends.benches import UNTIL, Bench, surroundings


def users(slack: Bench) -> list[str]:
    (group,) = slack.fake.groups.values()
    names = {user.id: user.name for user in slack.fake.users.values()}
    return [names[user] for user in group.users]


async def test_the_keeper_stays_when_the_last_one_goes(slack: Bench) -> None:
    await slack.backend.grant(slack.group, slack.ana, UNTIL, "g1")
    await slack.backend.revoke(slack.group, slack.ana)
    assert users(slack) == ["lead"]


async def test_the_keeper_is_put_in_where_it_is_missing(slack: Bench) -> None:
    (group,) = slack.fake.groups.values()
    group.users.clear()
    await slack.put(slack.ana)
    await slack.backend.revoke(slack.group, slack.ana)
    assert users(slack) == ["lead"]


async def test_a_keeper_is_granted_nothing_it_would_lose(slack: Bench) -> None:
    with pytest.raises(GiveUpError, match="keeper of @incident-admins"):
        await slack.backend.grant(slack.group, "Lead@example.com", UNTIL, "g1")


async def test_two_grants_at_once_are_both_kept(slack: Bench) -> None:
    await asyncio.gather(
        *(slack.backend.grant(slack.group, account, UNTIL, "g1") for account in slack.people)
    )
    assert await slack.held() == set(slack.people)


async def test_a_free_plan_is_named(slack: Bench) -> None:
    slack.fake.paid_plan = False
    with pytest.raises(GiveUpError, match="only in paid plans"):
        await slack.backend.members(slack.group)


async def test_a_workspace_that_lets_no_app_edit_groups_is_named(slack: Bench) -> None:
    slack.fake.bot_may_edit_groups = False
    with pytest.raises(GiveUpError, match=r"or set `slack\.user_token`"):
        await slack.backend.grant(slack.group, slack.ana, UNTIL, "g1")


async def test_a_missing_scope_is_named(slack: Bench) -> None:
    slack.fake.scopes.discard("usergroups:read")
    with pytest.raises(GiveUpError, match="the Slack app lacks a scope"):
        await slack.backend.members(slack.group)


async def test_a_group_that_is_switched_off_is_named(slack: Bench) -> None:
    (group,) = slack.fake.groups.values()
    group.disabled = True
    with pytest.raises(GiveUpError, match="is switched off"):
        await slack.backend.grant(slack.group, slack.ana, UNTIL, "g1")


@pytest.mark.parametrize("kind", ["ratelimited", "http_500", "drop_before", "html"])
async def test_a_bad_day_at_slack_is_tried_later(slack: Bench, kind: str) -> None:
    slack.fake.faults.add(kind=kind, method="usergroups.users.update")
    with pytest.raises(RetryLaterError):
        await slack.backend.grant(slack.group, slack.ana, UNTIL, "g1")
    await slack.backend.grant(slack.group, slack.ana, UNTIL, "g1")
    assert await slack.held() == {slack.ana}


async def test_a_member_without_a_known_address_has_an_account_and_can_go(slack: Bench) -> None:
    slack.fake.add_user(id="U0CY", name="cy")
    (group,) = slack.fake.groups.values()
    group.users.append("U0CY")
    assert await slack.listed() == {"slack:u0cy"}
    await slack.backend.revoke(slack.group, "slack:U0CY")
    assert users(slack) == ["lead"]
    await slack.backend.grant(slack.group, "slack:U0CY", UNTIL, "g1")
    assert users(slack) == ["lead", "cy"]


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({"id": "U1", "is_restricted": True}, "is a guest"),
        ({"id": "U1", "is_ultra_restricted": True}, "is a guest"),
        ({"id": "U1", "is_bot": True}, "is a bot or a closed account"),
        ({"id": "U1", "deleted": True}, "is a bot or a closed account"),
    ],
)
async def test_guests_and_bots_get_nothing(user: Mapping[str, Any], words: str) -> None:
    async def slack(method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"user": user}

    options: dict[str, object] = {"keepers": ["lead@example.com"]}
    async with aiohttp.ClientSession() as session:
        spec = BackendSpec(kind="slack_group", options=options)
        backend = open_backend(spec, surroundings(session, slack))
        with pytest.raises(GiveUpError, match=words):
            await backend.grant("admins", "ana@example.com", UNTIL, "g1")


async def test_without_a_workspace_there_are_no_user_groups() -> None:
    spec = BackendSpec(kind="slack_group", options={"keepers": ["lead@example.com"]})
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="no Slack workspace"):
            open_backend(spec, surroundings(session))


async def test_without_a_keeper_the_options_are_wrong() -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="keepers"):
            open_backend(
                BackendSpec(kind="slack_group", options={"keepers": []}), surroundings(session)
            )
