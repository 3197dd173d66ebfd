"""Runs the failed jobs of a GitHub workflow again; a higher attempt tells that it was done."""

from http import HTTPStatus

from bot.orchestrators.api import Api, segment
from bot.orchestrators.target import Started, Target
from bot.ports.delivering import GiveUpError

_UNDER_WAY = frozenset({"queued", "in_progress", "waiting", "requested", "pending"})


class GitHub:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def trigger(self, target: Target) -> Started:
        owner, _, name = target.need("repository").partition("/")
        run = target.need("run_id")
        path = f"/repos/{segment(owner)}/{segment(name)}/actions/runs/{segment(run)}"
        reply = await self._api.get(path)
        attempt, known = reply.get("run_attempt"), target.labels.get("run_attempt", "1")
        started = Started(run, reply.get("html_url"))
        later = attempt.isdecimal() and known.isdecimal() and int(attempt) > int(known)
        if reply.get("status") in _UNDER_WAY or (target.unsure and later):
            return started
        done = await self._api.post(f"{path}/rerun-failed-jobs", None, fine=(HTTPStatus.FORBIDDEN,))
        if done.status == HTTPStatus.FORBIDDEN:
            # either it has nothing that failed, or it is too old, or the token may not
            raise GiveUpError(f"GitHub refuses: {done.get('message')[:100] or 'not allowed'}")
        return started
