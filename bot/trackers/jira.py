"""Tasks as issues of Jira Cloud: https://developer.atlassian.com/cloud/jira/platform/rest/v3/."""

import base64
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import aiohttp

from bot.trackers.calling import Caller, Issue

LABEL = "watchbill"
_LONGEST_SUMMARY = 250
_DROPPED = re.compile(
    r"cancel|won['\u2019]?t|reject|declin|duplicate|abandon|obsolete|invalid|not needed",
    re.IGNORECASE,
)
"""How people call the ends of what was not done."""


class JiraIssues:
    """Finds, makes and moves the issues of one project."""

    found_within = timedelta(minutes=3)
    """Its search lags behind what was written, by seconds and at times by minutes."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        auth: tuple[str, str],
        *,
        project: str,
        issue_type: str,
    ) -> None:
        basic = base64.b64encode(":".join(auth).encode()).decode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {basic}",
            "User-Agent": "watchbill",
        }
        self._caller = Caller(session, "Jira", url, headers)
        self._url, self._project, self._type = url, project, issue_type

    async def find(self, marker: str) -> Issue | None:
        """Return the issue that carries a marker as a label, None when there is none."""
        jql = f'project = "{self._project}" AND labels = "{marker}"'
        asked = {"jql": jql, "maxResults": "1", "fields": "status"}
        found = await self._caller.call("GET", "/rest/api/3/search/jql", params=asked)
        listed = found.get("issues") if isinstance(found, dict) else None
        return self._issue(listed[0]) if listed else None

    async def create(self, title: str, text: str, marker: str) -> Issue:
        paragraphs = [
            {"type": "paragraph", "content": [{"type": "text", "text": line}]}
            for line in text.splitlines()
            if line.strip()
        ]
        fields = {
            "project": {"key": self._project},
            "issuetype": {"name": self._type},
            "summary": " ".join(title.split())[:_LONGEST_SUMMARY],
            "labels": [LABEL, marker],
            "description": {"type": "doc", "version": 1, "content": paragraphs},
        }
        return self._issue(
            await self._caller.call("POST", "/rest/api/3/issue", body={"fields": fields})
        )

    async def agree(self, key: str, *, is_open: bool, needed: bool) -> None:
        """Move the issue to a status that says the same; one that does already stays.

        Where the project's workflow offers no such step, a comment says it.
        """
        path = f"/rest/api/3/issue/{quote(key, safe='')}"
        found = await self._caller.call("GET", path, params={"fields": "status"})
        if self._issue(found).is_open == is_open:
            return
        offered = await self._caller.call("GET", f"{path}/transitions")
        listed = offered.get("transitions", []) if isinstance(offered, dict) else []
        step = _chosen(listed, is_open=is_open, needed=needed)
        if step is not None:
            body = {"transition": {"id": str(step.get("id", ""))}}
            await self._caller.call("POST", f"{path}/transitions", body=body)
            return
        words = "Open again." if is_open else "Done." if needed else "Not needed."
        line = {"type": "paragraph", "content": [{"type": "text", "text": f"Watchbill: {words}"}]}
        comment = {"body": {"type": "doc", "version": 1, "content": [line]}}
        await self._caller.call("POST", f"{path}/comment", body=comment)

    def _issue(self, found: Any) -> Issue:
        one = found if isinstance(found, dict) else {}
        key = str(one.get("key", ""))
        status = (one.get("fields") or {}).get("status")
        return Issue(key, f"{self._url}/browse/{quote(key, safe='-')}", _category(status) != "done")


def _chosen(steps: Sequence[Any], *, is_open: bool, needed: bool) -> Any:
    """Return the step that says the same; of two to an end the one that says why, if it does."""
    right = [one for one in steps if (_category(one.get("to")) == "done") != is_open]
    if not right or is_open:
        return right[0] if right else None
    told = (one for one in right if bool(_DROPPED.search(_name(one.get("to")))) != needed)
    return next(told, right[0])


def _name(status: Any) -> str:
    return str((status if isinstance(status, dict) else {}).get("name") or "")


def _category(status: Any) -> str:
    found = status if isinstance(status, dict) else {}
    return str((found.get("statusCategory") or {}).get("key", ""))
