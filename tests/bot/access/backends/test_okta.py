"""What only Okta does."""

from datetime import timedelta

import pytest

from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.access.backends.benches import UNTIL, Bench, fail
from tests.fakes.access.okta import GROUP


@pytest.mark.parametrize("status", ["DEPROVISIONED", "SUSPENDED"])
async def test_who_is_no_more_active_gets_nothing(okta: Bench, status: str) -> None:
    okta.fake.add_user("cy@example.com", status)
    with pytest.raises(GiveUpError, match=f"is {status.lower()} in Okta"):
        await okta.backend.grant(okta.group, "cy@example.com", UNTIL, "g1")
    assert await okta.held() == set()


async def test_a_short_name_is_not_taken_for_somebody(okta: Bench) -> None:
    """Okta finds users by the part before the @ as well."""
    with pytest.raises(GiveUpError, match=r"takes ana for ana@example\.com"):
        await okta.backend.grant(okta.group, "ana", UNTIL, "g1")


async def test_a_login_is_matched_without_regard_to_case(okta: Bench) -> None:
    await okta.backend.grant(okta.group, "Ana@Example.com", UNTIL, "g1")
    assert await okta.listed() == {"ana@example.com"}
    await okta.backend.revoke(okta.group, "ANA@example.com")
    assert await okta.held() == set()


async def test_a_deleted_user_is_gone_already(okta: Bench) -> None:
    await okta.backend.grant(okta.group, okta.ana, UNTIL, "g1")
    okta.fake.users = {k: v for k, v in okta.fake.users.items() if v["login"] != okta.ana}
    okta.fake.state[GROUP].clear()
    await okta.backend.revoke(okta.group, okta.ana)


async def test_the_probe_names_a_group_that_only_its_source_changes(okta: Bench) -> None:
    okta.fake.kind = "APP_GROUP"
    (fault,) = await okta.backend.probe(okta.group)
    assert "of type APP_GROUP" in fault
    assert "Use a group of type OKTA_GROUP" in fault


async def test_the_limits_end_is_read_by_oktas_own_clock(okta: Bench) -> None:
    fail(okta.fake, kind="status", status=429, headers=okta.fake.too_fast(42), body={})
    with pytest.raises(RetryLaterError) as caught:
        await okta.backend.members(okta.group)
    assert caught.value.after == timedelta(seconds=42)


async def test_a_page_elsewhere_is_not_followed(okta: Bench) -> None:
    link = '<http://evil.example/api/v1/groups/x/users>; rel="next"'
    fail(okta.fake, kind="status", status=200, headers={"Link": link}, body=[])
    with pytest.raises(GiveUpError, match="not followed"):
        await okta.backend.members(okta.group)


async def test_pages_without_end_are_given_up(okta: Bench) -> None:
    link = f'<{okta.fake.url}/api/v1/groups/{GROUP}/users>; rel="next"'
    fail(okta.fake, kind="status", status=200, headers={"Link": link}, body=[], times=200)
    with pytest.raises(GiveUpError, match="too many members"):
        await okta.backend.members(okta.group)


async def test_a_redirect_carries_the_token_nowhere(okta: Bench) -> None:
    fail(okta.fake, kind="status", status=302, headers={"Location": "http://127.0.0.1:9/"}, body={})
    with pytest.raises(GiveUpError, match=r"has moved \(302\)"):
        await okta.backend.members(okta.group)


@pytest.mark.parametrize("body", [{}, [1], [{}], [{"profile": {"login": 3}}], "x", None])
async def test_a_list_of_another_shape_is_no_empty_group(okta: Bench, body: object) -> None:
    fail(okta.fake, kind="status", status=200, body=body)
    with pytest.raises(RetryLaterError):
        await okta.backend.members(okta.group)


async def test_an_answer_without_end_is_cut_off(okta: Bench) -> None:
    fail(okta.fake, kind="status", status=200, body=["x" * 9_000_000])
    with pytest.raises(GiveUpError, match="too large"):
        await okta.backend.members(okta.group)
