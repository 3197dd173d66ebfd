"""What only Google does: owners, ends of its own, and policies that others write as well."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.ports.access import Member
from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.access.backends.benches import ROLE, UNTIL, Bench, fail, our_binding
from tests.fakes.access.google import BOT

THEIRS: dict[str, Any] = {"role": ROLE, "members": ["user:ana@example.com", "user:bo@example.com"]}
CONDITIONED = THEIRS | {
    "condition": {"title": "office hours", "expression": "request.time.getHours() > 8"}
}


@pytest.mark.parametrize("role", ["OWNER", "MANAGER"])
async def test_owners_and_managers_keep_a_group(
    directory: Bench, identity: Bench, role: str
) -> None:
    for bench in (directory, identity):
        bench.fake.member(bench.ana, role)
        with pytest.raises(GiveUpError, match="is always in it"):
            await bench.backend.grant(bench.group, bench.ana, UNTIL, "g1")
        assert await bench.listed() == set()
        await bench.backend.revoke(bench.group, bench.ana)
        assert await bench.held() == {bench.ana}


async def test_an_edition_without_ends_is_named(identity: Bench) -> None:
    identity.fake.premium = False
    with pytest.raises(GiveUpError, match="native_expiry: false"):
        await identity.backend.grant(identity.group, identity.ana, UNTIL, "g1")
    without = identity.reopen(native_expiry=False)
    assert not without.capabilities.native_expiry
    await without.grant(identity.group, identity.ana, UNTIL, "g1")
    assert await without.members(identity.group) == [Member(identity.ana)]


@pytest.mark.parametrize(
    ("code", "error"), [(14, RetryLaterError), (7, GiveUpError), (5, GiveUpError)]
)
async def test_an_operation_can_fail_in_a_good_answer(
    identity: Bench, code: int, error: type[Exception]
) -> None:
    body = {"done": True, "error": {"code": code, "message": "no"}}
    fail(identity.fake, kind="status", status=200, body=body, verb="POST")
    with pytest.raises(error):
        await identity.backend.grant(identity.group, identity.ana, UNTIL, "g1")


async def test_somebody_else_was_quicker(identity: Bench) -> None:
    conflict = {"error": {"code": 409, "message": "exists", "status": "ALREADY_EXISTS"}}
    fail(identity.fake, kind="status", status=409, body=conflict, verb="POST")
    with pytest.raises(RetryLaterError, match="just been put"):
        await identity.backend.grant(identity.group, identity.ana, UNTIL, "g1")


async def test_bindings_and_conditions_of_others_stay(iam: Bench) -> None:
    for binding in (THEIRS, CONDITIONED):
        iam.fake.bind(dict(binding))
    await iam.backend.grant(iam.group, iam.ana, UNTIL, "g1")
    assert iam.fake.state["bindings"][:2] == [THEIRS, CONDITIONED]
    (member,) = await iam.backend.members(iam.group)
    assert member == Member(iam.ana, UNTIL)
    await iam.backend.revoke(iam.group, iam.ana)
    await iam.backend.revoke(iam.group, iam.bo)
    assert iam.fake.state["bindings"] == [THEIRS, CONDITIONED]


async def test_a_binding_says_whose_it_is_and_when_it_ends(iam: Bench) -> None:
    await iam.backend.grant(iam.group, iam.ana, UNTIL, "grant-7")
    (binding,) = iam.fake.state["bindings"]
    assert binding["condition"] == {
        "title": "watchbill",
        "description": "Grant grant-7. Watchbill keeps this binding; changes are undone.",
        "expression": "request.time < timestamp('2026-11-23T05:00:00Z')",
    }


async def test_who_is_already_as_wanted_costs_no_write(iam: Bench) -> None:
    for _ in range(2):
        await iam.backend.grant(iam.group, iam.ana, UNTIL, "g1")
    assert sum("setIamPolicy" in call for call in iam.fake.calls) == 1


@pytest.mark.parametrize("times", [1, 4])
async def test_a_change_by_another_meanwhile_is_kept(iam: Bench, times: int) -> None:
    def other() -> None:
        iam.fake.bind(dict(THEIRS))

    iam.fake.meanwhile = [other] * times
    await iam.backend.grant(iam.group, iam.ana, UNTIL, "g1")
    assert iam.fake.state["bindings"].count(THEIRS) == times
    assert await iam.listed() == {iam.ana}


async def test_412_is_a_change_meanwhile_as_well(iam: Bench) -> None:
    for _ in range(2):
        await iam.backend.grant(iam.group, iam.ana, UNTIL, "g1")
    iam.fake.calls.clear()
    body = {"error": {"code": 412, "message": "conditionNotMet", "status": "FAILED_PRECONDITION"}}
    real, answered = iam.fake.answer, [412]

    async def answer(request: Any) -> Any:
        if "setIamPolicy" in request.path and answered:
            fail(iam.fake, kind="status", status=answered.pop(), body=body)
            return await iam.fake._handle(request)
        return await real(request)

    iam.fake.answer = answer
    await iam.backend.revoke(iam.group, iam.ana)
    assert await iam.held() == set()
    assert not answered


async def test_changes_without_end_are_tried_later(iam: Bench) -> None:
    iam.fake.meanwhile = [lambda: iam.fake.bind(dict(THEIRS))] * 9
    with pytest.raises(RetryLaterError, match="changed by others all the time"):
        await iam.backend.grant(iam.group, iam.ana, UNTIL, "g1")


async def test_a_policy_without_an_etag_is_not_touched(iam: Bench) -> None:
    iam.fake.without_etag = True
    with pytest.raises(RetryLaterError, match="without an etag"):
        await iam.backend.grant(iam.group, iam.ana, UNTIL, "g1")
    assert iam.fake.state["bindings"] == []


async def test_only_one_of_several_in_our_binding_leaves_it(iam: Bench) -> None:
    iam.fake.bind(our_binding(iam.ana) | {"members": [f"user:{iam.ana}", f"user:{iam.bo}"]})
    await iam.backend.revoke(iam.group, iam.ana)
    assert await iam.listed() == {iam.bo}


async def test_an_account_deleted_meanwhile_leaves_no_binding(iam: Bench) -> None:
    iam.fake.bind(our_binding(iam.ana) | {"members": [f"deleted:user:{iam.ana}?uid=123"]})
    assert await iam.listed() == {iam.ana}
    await iam.backend.revoke(iam.group, iam.ana)
    assert iam.fake.state["bindings"] == []


@pytest.mark.parametrize("role", ["roles/owner", "roles/editor", "roles/viewer"])
async def test_basic_roles_have_no_end_and_are_refused(iam: Bench, role: str) -> None:
    with pytest.raises(GiveUpError, match="no condition"):
        await iam.backend.grant(role, iam.ana, UNTIL, "g1")


async def test_a_role_without_an_end_is_refused(iam: Bench) -> None:
    with pytest.raises(GiveUpError, match="Say until when"):
        await iam.backend.grant(iam.group, iam.ana, None, "g1")


async def test_the_probe_names_a_missing_permission(iam: Bench) -> None:
    iam.fake.may.discard("resourcemanager.projects.setIamPolicy")
    (fault,) = await iam.backend.probe(iam.group)
    assert fault.startswith(f"{BOT} lacks resourcemanager.projects.setIamPolicy")


async def test_an_interface_that_is_off_is_named_with_its_switch(directory: Bench) -> None:
    where = "https://console.developers.google.com/apis/api/admin.googleapis.com/overview?project=1"
    error = {"code": 403, "message": f"It is disabled. Enable it by visiting {where} then retry."}
    error["errors"] = [{"reason": "accessNotConfigured"}]
    fail(directory.fake, kind="status", status=403, body={"error": error})
    with pytest.raises(GiveUpError, match=f"Enable it: {where[:60]}"):
        await directory.backend.members(directory.group)


async def test_403_can_mean_too_fast(directory: Bench) -> None:
    error = {"code": 403, "message": "quota", "errors": [{"reason": "userRateLimitExceeded"}]}
    fail(
        directory.fake,
        kind="status",
        status=403,
        body={"error": error},
        headers={"Retry-After": "8"},
    )
    with pytest.raises(RetryLaterError) as caught:
        await directory.backend.members(directory.group)
    assert (caught.value.throttled, caught.value.after) == (True, timedelta(seconds=8))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no key of a service account"),
        ('{"type": "authorized_user"}', "is no key of a service account"),
        ('{"type": "service_account"}', "the private key in"),
    ],
)
async def test_a_file_that_is_no_key_is_named(
    directory: Bench, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(GiveUpError, match=words):
        await directory.reopen(credentials=str(path)).members(directory.group)


async def test_a_key_that_is_not_there_is_named(directory: Bench, tmp_path: Path) -> None:
    with pytest.raises(GiveUpError, match=r"no\.json cannot be read: No such file"):
        await directory.reopen(credentials=str(tmp_path / "no.json")).members(directory.group)


async def test_a_key_of_another_account_gets_no_token(directory: Bench, tmp_path: Path) -> None:
    key = directory.fake.key | {"client_email": "other@local.iam.gserviceaccount.com"}
    path = tmp_path / "other.json"
    path.write_text(json.dumps(key))
    with pytest.raises(GiveUpError, match="no access token"):
        await directory.reopen(credentials=str(path)).members(directory.group)


async def test_a_write_without_an_answer_is_sent_once(directory: Bench) -> None:
    fail(directory.fake, kind="drop_after", verb="POST", times=9)
    with pytest.raises(RetryLaterError, match="ConnectionResetError") as caught:
        await directory.backend.grant(directory.group, directory.ana, UNTIL, "g1")
    assert caught.value.unsure
    assert sum(call.startswith("POST /admin") for call in directory.fake.calls) == 1
    assert await directory.held() == {directory.ana}
