"""Roles on a real PostgreSQL: what a grant opens, and what is left after its end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bot.access.backends.postgresql import quoted
from bot.ports.delivering import GiveUpError, RetryLaterError
from tests.bot.access.backends.benches import UNTIL, Bench, as_user

ENDED = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server's last word is being read
    ConnectionError,
)
READ = "SELECT amount FROM payments"


@pytest.fixture
async def payments(postgresql: Bench) -> AsyncIterator[Bench]:
    """Yield a server with a table that only incident_admin may read."""
    await postgresql.fake.execute("CREATE TABLE payments AS SELECT 7 AS amount")
    await postgresql.fake.execute("GRANT SELECT ON payments TO incident_admin")
    yield postgresql
    await postgresql.fake.execute("DROP TABLE payments")


async def test_a_granted_role_works_and_after_the_end_it_does_not(
    payments: Bench, postgresql_server: str
) -> None:
    ana = await asyncpg.connect(as_user(postgresql_server, "ana"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ana.fetchval(READ)
    await payments.backend.grant(payments.group, "ana", UNTIL, "g1")
    assert await ana.fetchval(READ) == 7
    await payments.backend.revoke(payments.group, "ana")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ana.fetchval(READ)
    await ana.close()


async def test_a_session_that_has_set_the_role_keeps_it_until_it_ends(
    payments: Bench, postgresql_server: str
) -> None:
    await payments.backend.grant(payments.group, "ana", UNTIL, "g1")
    ana = await asyncpg.connect(as_user(postgresql_server, "ana"))
    await ana.execute("SET ROLE incident_admin")
    await payments.backend.revoke(payments.group, "ana")
    assert await ana.fetchval(READ) == 7
    await ana.close()


async def test_sessions_can_be_ended_with_the_grant(
    payments: Bench, postgresql_server: str
) -> None:
    ending = payments.reopen(end_sessions=True)
    (fault,) = await ending.probe(payments.group)
    assert 'Run GRANT pg_signal_backend TO "watchbill";' in fault
    await payments.fake.execute("GRANT pg_signal_backend TO watchbill")
    assert await ending.probe(payments.group) == []
    await ending.grant(payments.group, "ana", UNTIL, "g1")
    ana = await asyncpg.connect(as_user(postgresql_server, "ana"))
    bo = await asyncpg.connect(as_user(postgresql_server, "bo"))
    await ana.execute("SET ROLE incident_admin")
    await ending.revoke(payments.group, "ana")
    with pytest.raises(ENDED):
        await ana.fetchval(READ)
    assert await bo.fetchval("SELECT 1") == 1
    ana.terminate()
    await bo.close()


async def test_a_membership_of_another_grantor_is_named(postgresql: Bench) -> None:
    await postgresql.fake.execute("GRANT incident_admin TO ana")
    await postgresql.backend.grant(postgresql.group, "ana", UNTIL, "g1")
    with pytest.raises(GiveUpError, match=r"As postgres, run REVOKE .* GRANTED BY"):
        await postgresql.backend.revoke(postgresql.group, "ana")
    assert await postgresql.listed() == {"ana"}


async def test_who_may_grant_the_role_keeps_it(postgresql: Bench) -> None:
    await postgresql.fake.execute("GRANT incident_admin TO ana WITH ADMIN OPTION")
    with pytest.raises(GiveUpError, match="may grant incident_admin to others"):
        await postgresql.backend.grant(postgresql.group, "ana", UNTIL, "g1")
    assert await postgresql.listed() == set()
    await postgresql.backend.revoke(postgresql.group, postgresql.ana)
    has = "SELECT pg_has_role('ana', 'incident_admin', 'MEMBER')"
    assert await postgresql.fake.fetchval(has)


async def test_the_probe_says_what_to_run(postgresql: Bench, postgresql_server: str) -> None:
    stranger = postgresql.reopen(url=as_user(postgresql_server, "bo"))
    (fault,) = await stranger.probe(postgresql.group)
    assert fault == (
        "bo may not grant incident_admin. As its owner, run "
        'GRANT "incident_admin" TO "bo" WITH ADMIN OPTION;'
    )
    with pytest.raises(GiveUpError, match=r"access-backends\.md has the rights"):
        await stranger.grant(postgresql.group, "ana", UNTIL, "g1")


@pytest.mark.parametrize("name", ['o"brien; DROP TABLE x', "Ana Ruiz", "ana@example.com", "дана"])
async def test_odd_names_are_just_names(postgresql: Bench, name: str) -> None:
    await postgresql.fake.execute(f"CREATE ROLE {quoted(name)}")
    try:
        await postgresql.backend.grant(postgresql.group, name, UNTIL, "g1")
        assert await postgresql.listed() == {name}
        await postgresql.backend.revoke(postgresql.group, name)
        assert await postgresql.listed() == set()
    finally:
        await postgresql.fake.execute(f"DROP ROLE {quoted(name)}")


async def test_a_longer_name_is_not_cut_to_somebody_elses(postgresql: Bench) -> None:
    await postgresql.fake.execute(f"CREATE ROLE {'x' * 63}")
    try:
        with pytest.raises(GiveUpError, match="cannot be the name of a role"):
            await postgresql.backend.grant(postgresql.group, "x" * 64, UNTIL, "g1")
        assert await postgresql.held() == set()
    finally:
        await postgresql.fake.execute(f"DROP ROLE {'x' * 63}")


async def test_nobody_listens(postgresql: Bench) -> None:
    away = postgresql.reopen(url="postgresql://watchbill@127.0.0.1:9/postgres")
    with pytest.raises(RetryLaterError, match=r"127\.0\.0\.1 cannot be reached"):
        await away.members(postgresql.group)


async def test_a_server_that_says_nothing_ends_in_time(postgresql: Bench) -> None:
    silent = asyncio.Event()

    async def hear(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    async with await asyncio.start_server(hear, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"postgresql://watchbill@127.0.0.1:{port}/postgres"
        hasty = postgresql.reopen(url=url, timeout="1s")
        with pytest.raises(RetryLaterError, match="time-out") as caught:
            await hasty.members(postgresql.group)
        assert caught.value.unsure
        silent.set()


async def test_a_database_that_is_not_there_is_named(
    postgresql: Bench, postgresql_server: str
) -> None:
    url = as_user(postgresql_server, "watchbill").replace("/postgres", "/no_such_database")
    with pytest.raises(GiveUpError, match="no_such_database"):
        await postgresql.reopen(url=url).members(postgresql.group)


async def test_a_user_that_is_not_there_is_named(postgresql: Bench, postgresql_server: str) -> None:
    with pytest.raises(GiveUpError, match="Correct user and password"):
        await postgresql.reopen(url=as_user(postgresql_server, "no_such_user")).members("x")


async def test_a_password_comes_from_a_file_and_stands_in_no_address(
    postgresql: Bench, postgresql_server: str, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    assert await postgresql.reopen(password_file=str(secret)).members(postgresql.group) == []
    with pytest.raises(ValueError, match="a password stands in it") as caught:
        postgresql.reopen(url=as_user(postgresql_server, "watchbill", "hunter2"))
    assert "hunter2" not in str(caught.value)
