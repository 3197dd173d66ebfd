"""Tasks as issues of a GitHub repository: https://docs.github.com/en/rest/issues/issues."""

import re
from datetime import timedelta
from typing import Any

import aiohttp

from bot.trackers.calling import Caller, Issue

LABEL = "watchbill"
_LONGEST_TITLE = 250
_LOOKED_AT = "100"
"""Of our own issues the newest: what was just made is among them."""


class GitHubIssues:
    """Finds, makes, closes and opens again the issues of one repository."""

    found_within = timedelta(0)

    def __init__(
        self, session: aiohttp.ClientSession, url: str, repository: str, token: str
    ) -> None:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "User-Agent": "watchbill",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._caller = Caller(session, "GitHub", url, headers)
        self._repository = repository

    async def find(self, marker: str) -> Issue | None:
        """Return the issue that carries a marker, None when there is none.

        Of whoever may not push, GitHub drops the labels: then it is among the newest of all.
        """
        return await self._among(marker, {"labels": LABEL}) or await self._among(marker, {})

    async def _among(self, marker: str, which: dict[str, str]) -> Issue | None:
        order = {"sort": "created", "direction": "desc", "per_page": _LOOKED_AT}
        params = {**which, "state": "all", **order}
        found = await self._caller.call("GET", self._path(), params=params)
        listed = found if isinstance(found, list) else []
        return next((_issue(one) for one in listed if marker in str(one.get("body") or "")), None)

    async def create(self, title: str, text: str, marker: str) -> Issue:
        told = f"{_as_it_is(text)}\n\n<!-- {marker} -->"
        body = {"title": " ".join(title.split())[:_LONGEST_TITLE], "body": told, "labels": [LABEL]}
        return _issue(await self._caller.call("POST", self._path(), body=body))

    async def agree(self, key: str, *, is_open: bool, needed: bool) -> None:
        """Close or open the issue; doing so again changes nothing."""
        state: dict[str, str] = {"state": "open", "state_reason": "reopened"}
        if not is_open:
            state = {"state": "closed", "state_reason": "completed" if needed else "not_planned"}
        await self._caller.call("PATCH", f"{self._path()}/{key}", body=state)

    def _path(self) -> str:
        return f"/repos/{self._repository}/issues"


def _as_it_is(text: str) -> str:
    """Return text as a block of code: alerts wrote parts of it, and must mention and link nobody."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _issue(found: Any) -> Issue:
    one = found if isinstance(found, dict) else {}
    number, url = str(one.get("number", "")), str(one.get("html_url", ""))
    return Issue(number, url, one.get("state") != "closed")
