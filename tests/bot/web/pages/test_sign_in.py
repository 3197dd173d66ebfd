"""Coming in: links that work once, sessions nobody can make, and Slack's word checked."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.web.pages.doors import CALLBACK
from bot.web.pages.openid import OpenId, OpenIdApp
from bot.web.pages.sessions import Sessions, local_path
from tests.bot.web.pages.provider import CLIENT, SECRET, TEAM, Provider, new_key, provider
from tests.browser.site import NOW, Site, history, site
from tests.fakes.clock import FakeClock


@pytest.fixture
async def slack(clock: FakeClock) -> AsyncIterator[Provider]:
    async with provider(lambda: clock.now().timestamp()) as one:
        yield one


@pytest.fixture
async def running(tmp_path: Path, slack: Provider) -> AsyncIterator[Site]:
    clock = FakeClock(NOW)
    app = OpenIdApp(
        issuer=slack.url,
        client_id=CLIENT,
        client_secret=SECRET,
        redirect=f"https://watchbill.example{CALLBACK}",
        team=lambda: TEAM,
    )
    members = {"U1": "ana@example.com"}
    openid = OpenId(app, clock)
    async with site(tmp_path, history(8), openid=openid, members=members, clock=clock) as served:
        slack.now = lambda: clock.now().timestamp()
        yield served


async def follow(http: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    async with http.get(url) as answer:
        return answer.status, await answer.text()


async def press(http: aiohttp.ClientSession, running: Site, key: str, to: str = "") -> int:
    form = {"key": key, "next": to}
    async with http.post(f"{running.url}/sign-in/link", data=form, allow_redirects=False) as answer:
        return answer.status


async def test_a_link_is_shown_first_and_works_once(
    running: Site, http: aiohttp.ClientSession
) -> None:
    key = running.sessions.link_token("ana@example.com")
    for _ in range(3):  # whoever looks at links in advance uses nothing up
        status, text = await follow(http, f"{running.url}/sign-in/link?key={key}")
        assert (status, "Sign in as Ana Silva" in text) == (200, True)
    assert await press(http, running, key) == 303
    cookie = http.cookie_jar.filter_cookies(URL(running.url))["watchbill"]
    assert cookie.value
    status, text = await follow(http, f"{running.url}/issues")
    assert (status, "Ana Silva" in text) == (200, True)
    async with aiohttp.ClientSession() as another:
        assert await press(another, running, key) == 403


async def test_a_link_runs_out(running: Site, http: aiohttp.ClientSession) -> None:
    key = running.sessions.link_token("ana@example.com")
    running.clock.advance(minutes=10)
    status, text = await follow(http, f"{running.url}/sign-in/link?key={key}")
    assert (status, "has run out" in text) == (403, True)
    assert await press(http, running, key) == 403


async def test_a_session_ends_and_cookies_are_kept_from_scripts(
    running: Site, http: aiohttp.ClientSession
) -> None:
    key = running.sessions.link_token("ana@example.com")
    async with http.post(
        f"{running.url}/sign-in/link", data={"key": key}, allow_redirects=False
    ) as answer:
        told = answer.headers.getall("Set-Cookie")[0]
    assert "HttpOnly" in told
    assert "SameSite=Lax" in told
    running.clock.advance(hours=12)
    _, text = await follow(http, f"{running.url}/issues")
    assert "Type <code>/oncall issues</code>" in text or "Sign in with Slack" in text


async def test_a_token_of_one_kind_is_none_of_another(running: Site) -> None:
    sessions = running.sessions
    link = sessions.link_token("ana@example.com")
    async with aiohttp.ClientSession(cookies={sessions.cookie: link}) as http:
        _, text = await follow(http, f"{running.url}/issues")
        assert "Sign in" in text
        assert "Production issues</h1>" not in text


@pytest.mark.parametrize("cookie", ["", "x", "a.b", "." * 3_000, "eyJpZCI6MX0.AAAA", "é.é"])
async def test_what_is_not_signed_opens_nothing(
    running: Site, http: aiohttp.ClientSession, cookie: str
) -> None:
    assert running.sessions.read_link(cookie) is None
    headers = {"Cookie": f"{running.sessions.cookie}={cookie}"} if cookie.isascii() else {}
    for path in ("/issues", "/issues.csv", "/issues/1", "/journal", "/journal/x"):
        async with http.get(
            f"{running.url}{path}", headers=headers, allow_redirects=False
        ) as answer:
            assert answer.status == 303
            assert answer.headers["Location"].startswith("/sign-in?next=/")


def test_cookies_of_https_say_so(clock: FakeClock) -> None:
    sessions = Sessions("s", clock, lasts=timedelta(hours=1), secure=True)
    response = web.Response()
    sessions.sign_in(response, "ana")
    cookie = response.cookies["__Host-watchbill"]
    assert cookie["secure"]
    assert cookie["path"] == "/"


@pytest.mark.parametrize(
    ("asked", "goes"),
    [
        ("/issues?q=a", "/issues?q=a"),
        ("/journal/x", "/journal/x"),
        ("//evil.example", "/issues"),
        ("https://evil.example", "/issues"),
        ("/\\evil.example", "/issues"),
        ("/a\nb", "/issues"),
        ("", "/issues"),
        ("/sign-out", "/issues"),
    ],
)
def test_only_our_own_pages_follow(asked: str, goes: str) -> None:
    assert local_path(asked) == goes


async def begin(running: Site, http: aiohttp.ClientSession, slack: Provider) -> str:
    """Go to Slack, as a browser would, and return the state it carries."""
    async with http.get(
        f"{running.url}/sign-in/slack?next=/issues/3", allow_redirects=False
    ) as answer:
        assert answer.status == 303, await answer.text()
        asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["client_id"] == [CLIENT]
    assert asked["response_type"] == ["code"]
    slack.nonce = asked["nonce"][0]
    return asked["state"][0]


async def back(running: Site, http: aiohttp.ClientSession, state: str) -> tuple[int, str]:
    url = f"{running.url}{CALLBACK}?code=c0de&state={state}"
    async with http.get(url, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", "") or await answer.text()


async def test_slack_signs_somebody_in(
    running: Site, http: aiohttp.ClientSession, slack: Provider
) -> None:
    state = await begin(running, http, slack)
    assert await back(running, http, state) == (303, "/issues/3")
    assert slack.asked[0]["client_secret"] == SECRET
    _, text = await follow(http, f"{running.url}/issues")
    assert "Ana Silva" in text
    assert (await back(running, http, state))[0] == 403  # the sign-in is over


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": 9_999_999_999},
        {"exp": None},
        {"nonce": None},
        {"https://slack.com/team_id": "T2"},
        {"https://slack.com/team_id": None},
        {"https://slack.com/user_id": "../x"},
    ],
)
async def test_a_wrong_claim_signs_nobody_in(
    running: Site, http: aiohttp.ClientSession, slack: Provider, claims: dict[str, object]
) -> None:
    state = await begin(running, http, slack)
    slack.claims = claims
    status, text = await back(running, http, state)
    assert (status, "You are not signed in" in text) == (403, True)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_only_rs256_counts(
    running: Site, http: aiohttp.ClientSession, slack: Provider, algorithm: str
) -> None:
    state = await begin(running, http, slack)
    slack.algorithm = algorithm
    assert (await back(running, http, state))[0] == 403


async def test_another_key_signs_nobody_in(
    running: Site, http: aiohttp.ClientSession, slack: Provider
) -> None:
    state = await begin(running, http, slack)
    slack.signs = new_key()
    assert (await back(running, http, state))[0] == 403
    slack.kid = "unknown"
    state = await begin(running, http, slack)
    assert (await back(running, http, state))[0] == 403


async def test_the_state_must_be_of_this_browser(
    running: Site, http: aiohttp.ClientSession, slack: Provider
) -> None:
    state = await begin(running, http, slack)
    assert (await back(running, http, "another"))[0] == 403
    async with aiohttp.ClientSession() as stranger:
        assert (await back(running, stranger, state))[0] == 403
    running.clock.advance(minutes=11)
    assert (await back(running, http, state))[0] == 403
    assert slack.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        (200, "[]"),
        (200, "{"),
        (200, '{"ok": false, "error": "invalid_code"}'),
        (500, ""),
        (200, '{"id_token": "a.b.c"}'),
        (200, '{"id_token": "' + "x" * 70_000 + '"}'),
    ],
)
async def test_an_odd_answer_signs_nobody_in(
    running: Site, http: aiohttp.ClientSession, slack: Provider, answer: tuple[int, str]
) -> None:
    state = await begin(running, http, slack)
    slack.answer = answer
    assert (await back(running, http, state))[0] == 403


@pytest.mark.parametrize("place", ["discovery", "keys"])
async def test_slack_away_is_told(
    running: Site, http: aiohttp.ClientSession, slack: Provider, place: str
) -> None:
    slack.fails = {place}
    status, text = await follow(http, f"{running.url}/sign-in/slack")
    assert (status, "Slack does not answer" in text) == (502, True)


async def test_a_dropped_exchange_is_told_and_not_repeated(
    running: Site, http: aiohttp.ClientSession, slack: Provider
) -> None:
    state = await begin(running, http, slack)
    slack.fails = {"token"}
    status, text = await back(running, http, state)
    assert (status, "Slack does not answer" in text) == (403, True)
    assert len(slack.asked) == 1


async def test_a_provider_of_another_name_is_not_believed(
    running: Site, http: aiohttp.ClientSession, slack: Provider
) -> None:
    slack.issuer = "https://slack.example"
    assert (await follow(http, f"{running.url}/sign-in/slack"))[0] == 502


async def test_too_many_sign_ins_wait(running: Site, http: aiohttp.ClientSession) -> None:
    strangers = [await press(http, running, "x") for _ in range(121)]
    assert set(strangers) == {403}
    key = running.sessions.link_token("ana@example.com")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as forgetful:
        statuses = [await press(forgetful, running, key) for _ in range(121)]
    assert statuses[:2] == [303, 403]
    assert statuses[-1] == 429


async def test_strangers_keep_nobody_with_a_link_out(
    running: Site, http: aiohttp.ClientSession, slack: Provider
) -> None:
    """Whoever finds the address can press Sign in with Slack, and go back with any code."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as stranger:
        for _ in range(121):
            await follow_to_slack(running, stranger)
        slack.claims = {"nonce": "another"}
        state = await begin(running, stranger, slack)
        statuses = [(await back(running, stranger, state))[0] for _ in range(121)]
        assert statuses[-1] == 429
    assert await press(http, running, running.sessions.link_token("ana@example.com")) == 303


async def follow_to_slack(running: Site, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{running.url}/sign-in/slack", allow_redirects=False) as answer:
        assert answer.status == 303


async def test_nobody_waits_in_a_row_for_a_slack_that_is_away(
    running: Site, http: aiohttp.ClientSession, slack: Provider
) -> None:
    slack.fails = {"discovery"}
    for _ in range(3):
        assert (await follow(http, f"{running.url}/sign-in/slack"))[0] == 502
    assert slack.looks == 1
    slack.fails = set()
    running.clock.advance(seconds=10)
    await begin(running, http, slack)
