"""Trying all groups at once: one that is broken spares the others."""

from typing import Any

import aiohttp

from bot.access.backends.probing import Probed, Probes, probe_all
from bot.access.backends.registry import KINDS
from bot.config.access import AccessGroupSpec, BackendSpec
from tests.bot.access.backends.benches import Bench, surroundings
from tests.fakes.access.okta import GROUP, TOKEN


def spec(kind: str, group: str, **options: Any) -> AccessGroupSpec:
    return AccessGroupSpec.model_validate(
        {
            "backend": BackendSpec(kind=kind, options=options),
            "group": group,
            "may_ask": {"people": ["ana@example.com"]},
        }
    )


async def test_each_group_is_tried_and_the_faults_are_its_own(okta: Bench) -> None:
    await okta.put(okta.ana)
    url = okta.fake.url
    groups = {
        "good": spec("okta_group", GROUP, url=url, token=TOKEN),
        "lost": spec("okta_group", "00gLOST", url=url, token=TOKEN),
        "away": spec("okta_group", GROUP, url="http://127.0.0.1:9", token=TOKEN),
        "odd": spec("okta_group", GROUP, url=url),
        "slack": spec("slack_group", "admins", keepers=["lead@example.com"]),
    }
    async with aiohttp.ClientSession() as session:
        found = {one.name: one for one in await probe_all(groups, surroundings(session))}
    assert found["good"] == Probed(name="good", kind="okta_group", group=GROUP, members=1)
    (lost,), (away,) = found["lost"].faults, found["away"].faults
    assert lost.startswith("Okta has no group '00gLOST'")
    assert away == "Okta cannot be reached (ClientConnectorError)."
    assert "say either `token` or `token_file`" in found["odd"].faults[0]
    assert "no Slack workspace" in found["slack"].faults[0]


async def test_every_kind_can_be_tried(bench: Bench) -> None:
    assert isinstance(bench.backend, Probes)
    assert len(KINDS) == 8


async def test_trying_changes_nothing(web_bench: Bench) -> None:
    await web_bench.put(web_bench.ana)
    await web_bench.backend.probe(web_bench.group)
    assert await web_bench.held() == {web_bench.ana}
    read = ("getIamPolicy", "testIamPermissions", "/token")
    for call in web_bench.fake.calls:
        assert call.startswith("GET ") or call.endswith(read), call
