import pytest

from bot.acts.act import OnIncident
from bot.ports.delivering import GiveUpError, RetryLaterError
from bot.roster.directory import KnownPeople
from bot.slack.api import SlackApi
from bot.slack.commands import parse
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.vouching import NotVouchedError
from bot.slack.wishes import Typist
from bot.workspace.state import Workspace
from rules.people import People, Person
from rules.rotation import OnCall
from tests.bot.slack.samples import ANA, CY
from tests.fakes.clock import FakeClock


def calls(workspace: Workspace, method: str) -> int:
    return sum(call.method == method for call in workspace.calls)


async def test_configured_people_are_known_without_asking(
    directory: Directory, workspace: Workspace
) -> None:
    assert directory.key_of("U0ANA001") == ANA
    assert await directory.user(ANA) == "U0ANA001"
    assert directory.name(ANA) == "Ana"
    assert directory.zone_of("U0ANA001") == "Europe/Berlin"
    assert not workspace.calls


async def test_an_address_is_asked_for_once_and_known_both_ways(
    directory: Directory, workspace: Workspace
) -> None:
    assert directory.key_of("U0CY0001") == "slack:U0CY0001"
    assert [await directory.user(CY) for _ in range(3)] == ["U0CY0001"] * 3
    assert directory.key_of("U0CY0001") == CY
    assert calls(workspace, "users.lookupByEmail") == 1


async def test_who_is_of_another_workspace_is_nobody_of_ours(
    directory: Directory, api: SlackApi, workspace: Workspace, clock: FakeClock
) -> None:
    workspace.add_user(name="cy2", real_name="Cy", email=CY, id="U0FOREIGN")
    workspace.users["U0FOREIGN"].team = "T0OTHER"
    await directory.learn("U0FOREIGN")
    assert directory.key_of("U0FOREIGN") == "slack:U0FOREIGN"
    assert await directory.user(CY) == "U0CY0001"
    workspace.users["U0CY0001"].email = ""
    workspace.users["U0CY0001"].real_name = "Cyril"
    (link,) = await directory.links([CY])
    assert link.trouble.startswith("Cy is in Slack only as somebody of another workspace")
    workspace.team_id = "E0ORGANISATION"  # as the token of one says
    anew = Directory(api, lambda: People([Person(CY, "Cy", CY)]), clock)
    assert [one.user for one in await anew.links([CY])] == ["U0FOREIGN"]


async def test_nobody_is_asked_for_again_only_after_a_while(
    directory: Directory, workspace: Workspace, clock: FakeClock
) -> None:
    for _ in range(3):
        with pytest.raises(GiveUpError, match="no Slack account"):
            await directory.user("gone@example.com")
    assert calls(workspace, "users.lookupByEmail") == 1
    workspace.add_user(name="gone", email="gone@example.com", id="U0GONE01")
    clock.advance(minutes=3)
    assert await directory.user("gone@example.com") == "U0GONE01"


async def test_what_was_remembered_under_a_wrong_clock_does_not_stay(
    directory: Directory, workspace: Workspace, clock: FakeClock
) -> None:
    clock.advance(days=1)
    with pytest.raises(GiveUpError, match="no Slack account"):
        await directory.user("gone@example.com")
    assert await directory.vouching.key_of("U0CY0001") == CY
    clock.advance(days=-1)
    workspace.add_user(name="gone", email="gone@example.com", id="U0GONE01")
    assert await directory.user("gone@example.com") == "U0GONE01"
    workspace.users["U0CY0001"].deleted = True
    with pytest.raises(NotVouchedError, match="closed"):
        await directory.vouching.key_of("U0CY0001")


async def test_strangers_are_called_what_slack_calls_them(
    directory: Directory, workspace: Workspace, clock: FakeClock
) -> None:
    assert directory.name("slack:U0DEE001") == "U0DEE001"
    await directory.learn_names(["slack:U0DEE001", ANA, "slack:U0DEE001", "slack:nonsense"])
    assert directory.name("slack:U0DEE001") == "Dee"
    assert directory.zone_of("U0DEE001") == "America/Chicago"
    assert calls(workspace, "users.info") == 1
    clock.advance(hours=2)
    await directory.learn("U0DEE001")
    assert calls(workspace, "users.info") == 2


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", ""])
async def test_a_zone_that_only_slack_knows_makes_no_command_fail(
    directory: Directory, workspace: Workspace, zone: str
) -> None:
    workspace.users["U0DEE001"].tz = zone
    await directory.learn("U0DEE001")
    typist = Typist(by="slack:U0DEE001", now=workspace.clock.now(), people=People([]),
                    zone=directory.zone_of("U0DEE001"), on_call=OnCall([]))  # fmt: skip
    wish = parse("snooze 42 until 18:00", typist).wish
    assert isinstance(wish, OnIncident)
    assert wish.until is not None
    assert wish.until.hour == 18


async def test_trouble_while_learning_a_name_is_no_trouble(
    directory: Directory, workspace: Workspace
) -> None:
    workspace.faults.add(method="users.info", kind="http_500")
    await directory.learn("U0DEE001")
    assert directory.name("slack:U0DEE001") == "U0DEE001"


async def test_a_slack_that_tells_no_names_is_not_asked_for_each_of_them(
    directory: Directory, workspace: Workspace, clock: FakeClock
) -> None:
    workspace.faults.add(method="users.info", kind="http_500", times=1)
    strangers = [f"slack:U0DEE00{n}" for n in range(1, 6)]
    await directory.learn_names(strangers)
    await directory.learn_names(strangers)
    assert calls(workspace, "users.info") == 1
    clock.advance(minutes=1)
    await directory.learn_names(strangers[:1])
    assert directory.name("slack:U0DEE001") == "Dee"


async def test_someone_who_clicks_first_is_linked_by_their_address(
    directory: Directory, workspace: Workspace
) -> None:
    await directory.learn("U0CY0001")
    assert directory.key_of("U0CY0001") == CY


async def test_a_handle_is_enough(api: SlackApi, clock: FakeClock) -> None:
    people = People([Person("dee", "Dee", slack="@dee")])
    directory = Directory(api, lambda: people, clock)
    assert await directory.user("dee") == "U0DEE001"
    assert directory.key_of("U0DEE001") == "dee"


async def test_warming_up_tells_who_cannot_be_paged(
    directory: Directory, workspace: Workspace
) -> None:
    faults = await directory.warm(["gone@example.com", CY])
    assert list(faults) == ["gone@example.com"]
    workspace.faults.add(method="users.lookupByEmail", kind="ratelimited", retry_after=3)
    with pytest.raises(RetryLaterError):
        await directory.warm(["other@example.com"])


async def test_meeting_everybody_again_asks_nothing_of_who_is_known(
    directory: Directory, workspace: Workspace, clock: FakeClock
) -> None:
    assert await directory.warm(["slack:U0DEE001"]) == {}
    before = len(workspace.calls)
    assert before
    clock.advance(hours=3)
    assert await directory.warm(["slack:U0DEE001"]) == {}
    assert len(workspace.calls) == before


async def test_channels_and_direct_messages_are_looked_up_once(
    api: SlackApi, workspace: Workspace
) -> None:
    places = Places(api)
    for name in ("data-alerts", "#data-alerts", "others"):
        await places.channel(name)
        await places.messages_with("U0ANA001")
    assert calls(workspace, "conversations.list") == 1
    assert calls(workspace, "conversations.open") == 1
    assert await places.moved("#others") == await places.channel("others")
    assert await places.moved("nowhere") == ""
    assert calls(workspace, "conversations.list") == 3
    assert await places.channel("C0SOMEID1") == "C0SOMEID1"


async def test_a_missing_group_says_what_to_do(api: SlackApi) -> None:
    with pytest.raises(GiveUpError, match="no user group @nobody: create it"):
        await Places(api).group("@nobody")


async def test_an_earlier_post_is_found_on_later_pages(api: SlackApi, workspace: Workspace) -> None:
    places = Places(api)
    channel = await places.channel("data-alerts")
    _, ts = await api.post(channel, {"text": "mine"}, "the-key")
    for n in range(230):
        workspace.say("bo", "data-alerts", f"chatter {n}")
    since = workspace.clock.now()
    assert await places.posted(channel, "the-key", since) == (channel, ts)
    assert await places.posted(channel, "other-key", since) is None


async def test_without_the_right_to_read_nothing_is_found(
    api: SlackApi, workspace: Workspace
) -> None:
    places = Places(api)
    channel = await places.channel("data-alerts")
    await api.post(channel, {"text": "mine"}, "the-key")
    workspace.scopes -= {"channels:history", "groups:history", "im:history", "mpim:history"}
    assert await places.posted(channel, "the-key", workspace.clock.now()) is None


async def test_the_zone_of_a_person_is_the_configured_one_then_slacks(
    directory: Directory, workspace: Workspace
) -> None:
    workspace.person("bo").tz = "America/Chicago"
    workspace.person("cy").tz = "Not/AZone"
    await directory.links(["ana@example.com", "bo@example.com", "cy@example.com"])
    zones = [directory.zone_of_key(f"{name}@example.com") for name in ("ana", "bo", "cy", "dee")]
    assert zones == ["Europe/Berlin", "America/Chicago", "UTC", "UTC"]


async def test_the_zone_of_a_configured_member_is_read_at_the_start(
    api: SlackApi, workspace: Workspace, clock: FakeClock
) -> None:
    dee = Person("dee@example.com", "Dee", slack="U0DEE001")
    ana = Person(ANA, "Ana", slack="U0ANA001", zone="Europe/Berlin")
    directory = Directory(api, lambda: People([dee, ana]), clock)
    assert await directory.warm() == {}
    zones = [directory.zone_of_key(one.key) for one in (dee, ana)]
    assert zones == ["America/Chicago", "Europe/Berlin"]
    assert calls(workspace, "users.info") == 1, "whose zone is configured is not asked for"


def test_who_is_not_known_to_slack_has_nobody_elses_zone(api: SlackApi, clock: FakeClock) -> None:
    bo = Person("bo@example.com", "Bo", zone="Europe/Berlin")
    people = People([bo, Person("cy@example.com", "Cy")])
    directory = Directory(api, lambda: people, clock)
    assert directory.zone_of_key("cy@example.com") == "UTC"
    assert directory.key_of("") != bo.key


async def test_a_person_without_a_known_address_is_found_by_name(
    api: SlackApi, workspace: Workspace, clock: FakeClock
) -> None:
    workspace.person("dee").real_name = "Dee Dée"
    people = People([Person("dee@elsewhere.example", "Dee Dee", "dee@elsewhere.example")])
    directory = Directory(api, lambda: people, clock)
    assert await directory.user("dee@elsewhere.example") == "U0DEE001"


async def test_whoever_comes_and_goes_with_the_roster_is_known_at_once(
    api: SlackApi, clock: FakeClock
) -> None:
    known = KnownPeople([Person(CY, "Cy", email=CY)])
    directory = Directory(api, lambda: known, clock)
    assert [person.slack for person in directory.people] == [""]
    assert await directory.user(CY) == "U0CY0001"
    assert [person.slack for person in directory.people] == ["U0CY0001"]
    assert directory.people is directory.people
    known.know([Person(CY, "Cy the Second", email=CY), Person(ANA, "Ana", email=ANA)])
    assert directory.name(CY) == "Cy the Second"
    assert [person.slack for person in directory.people] == ["U0CY0001", ""]
    known.know([])
    assert not list(directory.people)
