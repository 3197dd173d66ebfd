"""Attacks on signing in and out: forms of other sites, copies of cookies, bodies that are no form."""

from pathlib import Path
from time import process_time

import aiohttp
import pytest

from tests.browser.site import Site, history, site


async def press(
    http: aiohttp.ClientSession, running: Site, path: str, **headers: str
) -> tuple[int, str]:
    form = {"key": running.sessions.link_token("ana@example.com"), "next": "/issues/1"}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.post(
        f"{running.url}{path}", data=form, headers=sent, allow_redirects=False
    ) as answer:
        return answer.status, await answer.text()


async def reads(http: aiohttp.ClientSession, running: Site) -> bool:
    async with http.get(f"{running.url}/issues", allow_redirects=False) as answer:
        return answer.status == 200


async def test_a_copied_cookie_opens_nothing_after_signing_out(
    running: Site, http: aiohttp.ClientSession
) -> None:
    assert (await press(http, running, "/sign-in/link"))[0] == 303
    (copy,) = [one.value for one in http.cookie_jar]
    async with aiohttp.ClientSession(cookies={running.sessions.cookie: copy}) as thief:
        assert await reads(thief, running)
        assert (await press(http, running, "/sign-out"))[0] == 200
        assert not await reads(thief, running)
    # Signing in again is a session of its own.
    assert (await press(http, running, "/sign-in/link"))[0] == 303
    assert await reads(http, running)


@pytest.mark.parametrize("site_of", ["cross-site", "same-site"])
async def test_another_sites_form_signs_nobody_in_or_out(
    running: Site, http: aiohttp.ClientSession, site_of: str
) -> None:
    status, text = await press(http, running, "/sign-in/link", Sec_Fetch_Site=site_of)
    assert (status, "Nothing was done" in text) == (403, True)
    assert not await reads(http, running)
    assert (await press(http, running, "/sign-in/link", Sec_Fetch_Site="same-origin"))[0] == 303
    assert (await press(http, running, "/sign-out", Sec_Fetch_Site=site_of))[0] == 403
    assert await reads(http, running)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://evil.example:80", "null"])
async def test_a_browser_that_tells_only_its_origin_is_judged_by_that(
    running: Site, http: aiohttp.ClientSession, origin: str
) -> None:
    """Browsers tell more by https only, and older ones never do."""
    status, text = await press(http, running, "/sign-in/link", Origin=origin)
    assert (status, "Nothing was done" in text) == (403, True)
    assert not await reads(http, running)
    for ours in (running.url, "http://watchbill.example"):  # which a proxy may hide from us
        assert (await press(http, running, "/sign-in/link", Origin=ours))[0] == 303
    assert (await press(http, running, "/sign-out", Origin=origin))[0] == 403
    assert await reads(http, running)


async def test_an_origin_without_a_host_is_never_our_own(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async with site(tmp_path, history(3), address="") as nowhere:
        assert (await press(http, nowhere, "/sign-in/link", Origin="null"))[0] == 403
        assert not await reads(http, nowhere)


async def test_our_own_forms_tell_where_they_are_from(
    running: Site, http: aiohttp.ClientSession
) -> None:
    """With `no-referrer` a browser sends `Origin: null`, as every page of a stranger can."""
    for path in (running.sign_in, f"{running.url}/sign-in"):
        async with http.get(path) as answer:
            assert answer.headers["Referrer-Policy"] == "same-origin"


BODIES = {
    "a strange charset": ("application/x-www-form-urlencoded; charset=klingon", b"key=a"),
    "no text": ("application/x-www-form-urlencoded", b"key=\xff\xfe%ff%00&next=%ed%a0%80"),
    "parts without an end": ("multipart/form-data; boundary=x", b"--x\r\n"),
    "parts without a border": ("multipart/form-data", b"--x\r\n"),
    "a million fields": ("application/x-www-form-urlencoded", b"a=b&" * 4_000),
    "far too much": ("application/x-www-form-urlencoded", b"key=" + b"x" * 900_000),
    "JSON": ("application/json", b'{"key": "x"}'),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_that_is_no_form_of_ours_is_refused_at_once(
    running: Site, http: aiohttp.ClientSession, body: tuple[str, bytes]
) -> None:
    began = process_time()
    async with http.post(
        f"{running.url}/sign-in/link", data=body[1], headers={"Content-Type": body[0]}
    ) as answer:
        assert 400 <= answer.status < 500
        assert "Sign in" in await answer.text()
    assert process_time() - began < 2
