"""Every kind of back-end with a place to keep its groups in, all handled in one way."""

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from bot.access.backends.kind import Surroundings
from bot.access.backends.registry import open_backend
from bot.config.access import BackendSpec
from bot.slack.api import SlackApi, new_session, web_client
from bot.workspace.server import serve
from bot.workspace.state import Workspace
from tests.fakes.access import github, google, okta
from tests.fakes.access.server import FakeService, Fault
from tests.fakes.clock import FakeClock

UNTIL = datetime(2026, 11, 23, 5, tzinfo=UTC)
NOW = UNTIL - timedelta(hours=2)


@dataclass(slots=True, kw_only=True)
class Bench:
    """`backend` is opened from its configuration; `ana` and `bo` are accounts, `nobody` is none.

    `put` makes a member behind the back-end's back, `held` tells who is in, `reopen` opens it with
    other options. `fake` is None where the place is no fake of ours.
    """

    backend: Any
    group: str
    put: Callable[[str], Awaitable[None]]
    held: Callable[[], Awaitable[set[str]]]
    reopen: Callable[..., Any]
    ana: str = "ana@example.com"
    bo: str = "bo@example.com"
    nobody: str = "nobody@example.com"
    no_group: str = "no-such-group"
    fake: Any = None
    expires: bool = False
    people: tuple[str, ...] = ()
    """More accounts, enough for several pages."""

    async def listed(self) -> set[str]:
        return {member.account for member in await self.backend.members(self.group)}


def surroundings(session: aiohttp.ClientSession, slack: Any = None) -> Surroundings:
    return Surroundings(clock=FakeClock(NOW), session=session, slack=slack)


def _opener(kind: str, options: Mapping[str, object], around: Surroundings) -> Callable[..., Any]:
    def reopen(**more: object) -> Any:
        return open_backend(BackendSpec(kind=kind, options={**options, **more}), around)

    return reopen


@asynccontextmanager
async def okta_bench() -> AsyncIterator[Bench]:
    async with okta.FakeOkta().serving() as fake, aiohttp.ClientSession() as session:
        ids = {f"p{n}@example.com": "" for n in range(450)}
        ids |= {"ana@example.com": "", "bo@example.com": ""}
        for login in ids:
            ids[login] = fake.add_user(login)

        async def put(account: str) -> None:
            fake.state[okta.GROUP].append(ids[account])

        async def held() -> set[str]:
            return {fake.users[user]["login"] for user in fake.state[okta.GROUP]}

        options = {"url": fake.url, "token": okta.TOKEN}
        reopen = _opener("okta_group", options, surroundings(session))
        yield Bench(
            backend=reopen(),
            group=okta.GROUP,
            put=put,
            held=held,
            reopen=reopen,
            fake=fake,
            people=tuple(ids)[:450],
        )


@asynccontextmanager
async def github_bench() -> AsyncIterator[Bench]:
    async with github.FakeGitHub().serving() as fake, aiohttp.ClientSession() as session:
        people = [fake.add_user(f"p{n}") for n in range(230)]
        fake.add_user("ana-r")
        fake.add_user("bo-chen")

        async def put(account: str) -> None:
            fake.state[github.TEAM][account] = "member"

        async def held() -> set[str]:
            return set(fake.state[github.TEAM])

        options = {"api_url": fake.url, "token": github.TOKEN, "organization": github.ORG}
        reopen = _opener("github_team", options, surroundings(session))
        yield Bench(
            backend=reopen(),
            group=github.TEAM,
            ana="ana-r",
            bo="bo-chen",
            nobody="nobody-at-all",
            put=put,
            held=held,
            reopen=reopen,
            fake=fake,
            people=tuple(people),
        )


@asynccontextmanager
async def google_bench(kind: str, folder: Path) -> AsyncIterator[Bench]:
    """Serve groups, by either interface, or a project's policy."""
    async with google.FakeGoogleAccess().serving() as fake, aiohttp.ClientSession() as session:
        people = [fake.add_user(f"p{n}@example.com") for n in range(5)]
        fake.add_user("ana@example.com")
        fake.add_user("bo@example.com")
        key = folder / "key.json"
        key.write_text(json.dumps(fake.key))
        options: dict[str, object] = {"credentials": str(key), "api_url": f"{fake.url}/"}
        policies = kind == "google_iam"
        if policies:
            options["resource"] = google.PROJECT
        reopen = _opener(kind, options, surroundings(session))

        async def put(account: str) -> None:
            fake.bind(our_binding(account)) if policies else fake.member(account)

        async def held() -> set[str]:
            bound = {m[5:] for one in fake.state["bindings"] for m in one["members"]}
            return bound if policies else set(fake.state["members"])

        yield Bench(
            backend=reopen(),
            group=ROLE if policies else google.GROUP,
            no_group="roles/no such role" if policies else "no-such-group",
            put=put,
            held=held,
            reopen=reopen,
            fake=fake,
            expires=kind != "google_group",
            people=tuple(people),
        )


ROLE = "roles/bigquery.admin"


def our_binding(account: str, until: str = "2026-11-23T05:00:00Z") -> dict[str, Any]:
    expression = f"request.time < timestamp('{until}')"
    condition = {"title": "watchbill", "expression": expression}
    return {"role": ROLE, "members": [f"user:{account}"], "condition": condition}


@asynccontextmanager
async def slack_bench() -> AsyncIterator[Bench]:
    workspace = Workspace(clock=FakeClock(NOW))
    names = ["lead", "ana", "bo", *(f"p{n}" for n in range(5))]
    users = [{"id": f"U0{n:06}", "name": n, "email": f"{n}@example.com"} for n in names]
    groups = [{"handle": "incident-admins", "users": ["lead"]}]
    workspace.seed(users=users, channels=[], user_groups=groups)
    running = await serve(workspace)
    session = new_session()
    api = SlackApi(web_client(workspace.bot_token, running.api_url, session))

    async def slack(method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        return await api.form(method, **arguments)

    ids = {str(one["email"]): str(one["id"]) for one in users}
    group = next(iter(workspace.groups.values()))

    async def put(account: str) -> None:
        group.users.append(ids[account])

    async def held() -> set[str]:
        return {email for email, user in ids.items() if user in group.users} - {"lead@example.com"}

    options = {"keepers": ["lead@example.com"]}
    reopen = _opener("slack_group", options, surroundings(session, slack))
    try:
        yield Bench(
            backend=reopen(),
            group="incident-admins",
            put=put,
            held=held,
            reopen=reopen,
            fake=workspace,
            people=tuple(ids)[3:],
        )
    finally:
        await session.close()
        await running.close()


@asynccontextmanager
async def postgresql_bench(server: str) -> AsyncIterator[Bench]:
    """Make roles on a real server; `watchbill` may grant `incident_admin` and nothing else."""
    admin = await asyncpg.connect(server)
    people = [f"p{n}" for n in range(5)]
    names = ["incident_admin", "watchbill", "ana", "bo", *people]
    try:
        for name in names:
            login = "" if name == "incident_admin" else "LOGIN"
            await admin.execute(f"CREATE ROLE {name} {login}")
        await admin.execute(
            "GRANT incident_admin TO watchbill WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
        )

        async def put(account: str) -> None:
            await admin.execute(f"GRANT incident_admin TO {account} GRANTED BY watchbill")

        async def held() -> set[str]:
            rows = await admin.fetch(
                "SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
                " WHERE a.roleid = 'incident_admin'::regrole AND NOT a.admin_option"
            )
            return {str(row["rolname"]) for row in rows}

        async with aiohttp.ClientSession() as session:
            options = {"url": as_user(server, "watchbill")}
            reopen = _opener("postgresql_role", options, surroundings(session))
            yield Bench(
                backend=reopen(),
                group="incident_admin",
                ana="ana",
                bo="bo",
                nobody="nobody_at_all",
                put=put,
                held=held,
                reopen=reopen,
                fake=admin,
                people=tuple(people),
            )
    finally:
        for name in names:
            await admin.execute(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")
        await admin.close()


def as_user(server: str, user: str, password: str = "") -> str:
    """Return the server's address for another user."""
    parts = urlsplit(server)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}{password and ':'}{password}@{host}").geturl()


SCRIPT = Path(__file__).parents[4] / "integrations" / "access" / "access_exec.py"


@asynccontextmanager
async def exec_bench(folder: Path) -> AsyncIterator[Bench]:
    """Run the example of the documentation, which keeps its groups in a file."""
    kept = folder / "groups.json"
    people = [f"p{n}@example.com" for n in range(5)]
    everybody = ["ana@example.com", "bo@example.com", *people]
    kept.write_text(json.dumps({"people": everybody, "groups": {"incident-admins": {}}}))

    async def put(account: str) -> None:
        told = json.loads(kept.read_text())
        told["groups"]["incident-admins"][account] = None
        kept.write_text(json.dumps(told))

    async def held() -> set[str]:
        return set(json.loads(kept.read_text())["groups"]["incident-admins"])

    options = {"command": [sys.executable, str(SCRIPT), str(kept)], "native_expiry": True}
    async with aiohttp.ClientSession() as session:
        reopen = _opener("exec", options, surroundings(session))
        yield Bench(
            backend=reopen(),
            group="incident-admins",
            put=put,
            held=held,
            reopen=reopen,
            expires=True,
            people=tuple(people),
        )


def fail(fake: FakeService, **fault: Any) -> None:
    fake.faults.append(Fault(**fault))
