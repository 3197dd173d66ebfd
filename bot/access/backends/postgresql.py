"""PostgreSQL roles: who is a member of one, by GRANT and REVOKE."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from bot.access.backends.credential import Credential
from bot.access.backends.kind import BackendKind, Surroundings
from bot.ports.access import Capabilities, Member
from bot.ports.delivering import GiveUpError, RetryLaterError
from rules.documents.spec import PositiveDuration, Spec

_LONGEST_NAME = 63
_ROLES = "SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text[])"
_HELD = """
SELECT a.admin_option, pg_get_userbyid(a.grantor) AS grantor
FROM pg_auth_members a
JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE r.rolname = $1 AND m.rolname = $2
"""
_MEMBERS = """
SELECT m.rolname FROM pg_auth_members a
JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE r.rolname = $1 GROUP BY m.rolname HAVING NOT bool_or(a.admin_option) ORDER BY m.rolname
"""
_MAY = """
SELECT u.rolsuper
    OR EXISTS (SELECT FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid
        WHERE r.rolname = $1 AND a.member = u.oid AND a.admin_option)
    OR (u.rolcreaterole AND current_setting('server_version_num')::int < 160000) AS may_grant,
    u.rolsuper OR pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS may_signal
FROM pg_roles u WHERE u.rolname = current_user
"""
_END_SESSIONS = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE usename = $1 AND pid <> pg_backend_pid()
"""


class Connection(Protocol):
    """What is used of asyncpg's, which has no types."""

    async def execute(self, query: str, *values: Any) -> str: ...
    async def fetch(self, query: str, *values: Any) -> Sequence[Any]: ...
    async def fetchrow(self, query: str, *values: Any) -> Any: ...
    async def fetchval(self, query: str, *values: Any) -> Any: ...


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"postgresql", "postgres"}
        password = parts.password
    except ValueError:
        usable, password = False, None
    if not usable:
        raise ValueError("not a database; write postgresql://watchbill@host/database")
    if password is not None:
        raise ValueError("a password stands in it; use `password` or `password_file`")
    return url


class PostgreSQLOptions(Spec):
    url: Annotated[str, AfterValidator(_address)] = Field(
        description="A database of the server, like `postgresql://watchbill@host/postgres?sslmode="
        "verify-full`, without the password."
    )
    password: SecretStr = Field(
        default=SecretStr(""), description="Its password, as ${NAME} from the environment."
    )
    password_file: str = Field(
        default="", max_length=500, description="A file with the password, read at each call."
    )
    end_sessions: bool = Field(
        default=False,
        description="End the person's sessions after a revoke: one that has said SET ROLE would "
        "keep the rights until it ends.",
    )
    timeout: PositiveDuration = Field(
        default=timedelta(seconds=10), le=timedelta(seconds=15), description="Of each call."
    )


class PostgreSQL:
    """`group` is a role, `account` another. Who may grant the role to others is not listed."""

    def __init__(self, options: PostgreSQLOptions, around: Surroundings) -> None:  # noqa: ARG002 - every kind's
        self._options = options
        self._timeout = options.timeout.total_seconds()
        self._host = urlsplit(options.url).hostname or "PostgreSQL"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def grant(self, group: str, account: str, until: datetime | None, key: str) -> None:  # noqa: ARG002 - the port's
        sql = f"GRANT {quoted(group)} TO {quoted(account)}"
        async with self._connected() as connection:
            await self._check_roles(connection, group, account)
            held = await connection.fetch(_HELD, group, account)
            if any(row["admin_option"] for row in held):
                words = f"{account} may grant {group} to others and always has it."
                raise GiveUpError(f"{words} Choose another account.")
            if not held:
                await connection.execute(sql)

    async def revoke(self, group: str, account: str) -> None:
        """Take the role away, also what others granted where we may, and end sessions if asked.

        Who may grant the role to others keeps it.
        """
        role, member = quoted(group), quoted(account)
        async with self._connected() as connection:
            if not await self._exists(connection, account):
                return
            await self._check_roles(connection, group)
            held = await connection.fetch(_HELD, group, account)
            if any(row["admin_option"] for row in held):
                return
            for row in held:
                await self._take(connection, role, member, str(row["grantor"]))
            if self._options.end_sessions:
                await connection.fetchval(_END_SESSIONS, account)

    async def members(self, group: str) -> Sequence[Member]:
        async with self._connected() as connection:
            await self._check_roles(connection, group)
            rows = await connection.fetch(_MEMBERS, group)
        return [Member(str(row["rolname"])) for row in rows]

    async def probe(self, group: str) -> Sequence[str]:
        """Say what would not work. Raises as the other methods."""
        async with self._connected() as connection:
            await self._check_roles(connection, group)
            may = await connection.fetchrow(_MAY, group)
            user = await connection.fetchval("SELECT current_user")
        assert may is not None
        faults = []
        if not may["may_grant"]:
            words = f"{user} may not grant {group}. As its owner, run"
            faults.append(f"{words} GRANT {quoted(group)} TO {quoted(user)} WITH ADMIN OPTION;")
        if self._options.end_sessions and not may["may_signal"]:
            words = f"{user} may not end sessions. Run GRANT pg_signal_backend TO {quoted(user)};"
            faults.append(words)
        return faults

    async def close(self) -> None:
        """Hold nothing open."""

    async def _take(self, connection: Connection, role: str, member: str, grantor: str) -> None:
        import asyncpg  # heavy, as below

        # a membership belongs to its grantor, and a plain REVOKE takes only our own
        sql = f"REVOKE {role} FROM {member} GRANTED BY {quoted(grantor)}"
        try:
            await connection.execute(sql)
        except asyncpg.InsufficientPrivilegeError:
            words = f"{member} has {role} from {grantor} as well, which we may not take away."
            raise GiveUpError(f"{words} As {grantor}, run {sql};") from None

    async def _check_roles(self, connection: Connection, *names: str) -> None:
        for name in names:
            if not await self._exists(connection, name):
                words = f"{self._host} has no role {name}. Create it, or correct the name"
                raise GiveUpError(f"{words} (`group`, or `accounts`).")

    async def _exists(self, connection: Connection, name: str) -> bool:
        quoted(name)
        return bool(await connection.fetch(_ROLES, [name]))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        import asyncpg  # heavy, and only for who has such a group

        try:
            async with asyncio.timeout(self._timeout):
                connection = await asyncpg.connect(
                    self._options.url,
                    password=self._password(),
                    timeout=self._timeout,
                    command_timeout=self._timeout,
                    server_settings={"application_name": "watchbill"},
                )
                try:
                    yield connection
                    await connection.close()
                finally:
                    connection.terminate()
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise self._fault(error) from None
        except (OSError, TimeoutError) as error:
            named = "time-out" if isinstance(error, TimeoutError) else type(error).__name__
            words = f"{self._host} cannot be reached ({named})."
            raise RetryLaterError(words, unsure=isinstance(error, TimeoutError)) from None

    def _password(self) -> str | None:
        options = self._options
        if not (options.password_file or options.password.get_secret_value()):
            return None
        what = f"the password for {self._host}"
        return Credential(what, options.password, options.password_file).read()

    def _fault(self, error: Exception) -> RetryLaterError | GiveUpError:
        state, said = str(getattr(error, "sqlstate", "")), " ".join(str(error).split())[:200]
        if state == "42501":
            words = f"{self._host} refuses it ({said}). docs/access-backends.md has the rights."
            return GiveUpError(words)
        if state[:2] == "28":
            words = f"{self._host} does not let us in ({said}). Correct user and password."
            return GiveUpError(words)
        if state[:2] in {"08", "40", "53", "55", "57", "58", "XX", ""}:
            return RetryLaterError(f"{self._host} cannot do it now ({said}).")
        return GiveUpError(f"{self._host} refuses it ({said}).")


def quoted(name: str) -> str:
    """Return a role's name as SQL takes it. Raises GiveUpError for what can be none.

    PostgreSQL cuts a longer name short without a word, which could then be another role's.
    """
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        length = 0
    if not 0 < length <= _LONGEST_NAME or "\0" in name:
        raise GiveUpError(f"{name[:70]!r} cannot be the name of a role. Correct it.")
    return '"' + name.replace('"', '""') + '"'


KIND = BackendKind(options=PostgreSQLOptions, open=PostgreSQL)
