"""What only GitHub does."""

from datetime import timedelta

import pytest

from bot.ports.access import Member
from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.access.backends.benches import UNTIL, Bench, fail
from tests.fakes.access.github import TEAM


async def test_who_is_not_in_the_organization_is_not_invited_by_itself(github: Bench) -> None:
    github.fake.add_user("guest", member=False)
    with pytest.raises(GiveUpError, match="guest is not in the organization example-org"):
        await github.backend.grant(github.group, "guest", UNTIL, "g1")
    assert github.fake.state["invited"] == []


async def test_an_invitation_works_once_it_is_accepted(github: Bench) -> None:
    github.fake.add_user("guest", member=False)
    inviting = github.reopen(invite=True)
    for _ in range(2):
        with pytest.raises(RetryLaterError, match="once they accept the e-mail"):
            await inviting.grant(github.group, "guest", UNTIL, "g1")
    assert sum(call.startswith("PUT") for call in github.fake.calls) == 1
    assert await inviting.members(github.group) == [Member("guest", pending=True)]
    github.fake.accept("guest")
    await inviting.grant(github.group, "guest", UNTIL, "g1")
    assert await inviting.members(github.group) == [Member("guest")]


async def test_an_invitation_nobody_accepted_is_taken_back(github: Bench) -> None:
    github.fake.add_user("guest", member=False)
    inviting = github.reopen(invite=True)
    with pytest.raises(RetryLaterError):
        await inviting.grant(github.group, "guest", UNTIL, "g1")
    await inviting.revoke(github.group, "guest")
    assert (github.fake.state["invited"], await github.listed()) == ([], set())


async def test_maintainers_keep_the_team(github: Bench) -> None:
    github.fake.state[TEAM][github.ana] = "maintainer"
    with pytest.raises(GiveUpError, match="maintainer of incident-admins, or an owner"):
        await github.backend.grant(github.group, github.ana, UNTIL, "g1")
    assert await github.listed() == set()
    await github.backend.revoke(github.group, github.ana)
    assert github.fake.state[TEAM] == {github.ana: "maintainer"}


async def test_a_team_of_the_identity_provider_is_named(github: Bench) -> None:
    github.fake.synchronised = True
    with pytest.raises(GiveUpError, match="kept by your identity provider"):
        await github.backend.grant(github.group, github.ana, UNTIL, "g1")


async def test_the_probe_names_teams_below(github: Bench) -> None:
    github.fake.children = ["juniors"]
    (fault,) = await github.backend.probe(github.group)
    assert "has teams below it" in fault


async def test_the_probe_names_a_team_of_ldap(github: Bench) -> None:
    shown = {"slug": TEAM, "ldap_dn": "cn=Admins"}
    fail(github.fake, kind="status", status=200, body=shown)
    (fault,) = await github.backend.probe(github.group)
    assert "kept by LDAP" in fault


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (403, {"Retry-After": "60"}, 60),
        (403, {"Retry-After": "0"}, 0),
        (
            403,
            {
                "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": "1795402850",
                "Date": "Mon, 23 Nov 2026 03:00:00 GMT",
            },
            50,
        ),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, None),
    ],
)
async def test_github_says_too_fast_in_several_ways(
    github: Bench, status: int, headers: dict[str, str], after: int | None
) -> None:
    fail(github.fake, kind="status", status=status, headers=headers, body={})
    with pytest.raises(RetryLaterError) as caught:
        await github.backend.members(github.group)
    assert caught.value.throttled
    assert caught.value.after == (None if after is None else timedelta(seconds=after))


@pytest.mark.parametrize("body", [{}, None, "x"])
async def test_a_list_of_another_shape_is_no_empty_team(github: Bench, body: object) -> None:
    fail(github.fake, kind="status", status=200, body=body)
    with pytest.raises(RetryLaterError, match="cannot be read"):
        await github.backend.members(github.group)
