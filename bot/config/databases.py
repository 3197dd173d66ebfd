"""How a database is written in config.yaml, and the password that stands in it."""

import re
from typing import Annotated
from urllib.parse import parse_qsl, unquote

from pydantic import AfterValidator

# as SQLAlchemy reads it: a password ends at the first @ and may hold what else ends a host
_SERVER = re.compile(
    r"postgresql://(?:[^:/@]*(?::(?P<password>[^@]*))?@)?"
    r"(?:\[[^/?\]]+\]|[^:/?\[]*)(?::(?P<port>[^/?]*))?(?P<rest>[/?].*)?"
)
_HIGHEST_PORT = 65_535

FOR_DRIVER = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslnegotiation"}
    | {"ssl_min_protocol_version", "ssl_max_protocol_version", "target_session_attrs", "passfile"}
)
"""Parameters of an address that the driver reads as PostgreSQL's own programs do."""
FOR_POOLER = frozenset({"prepared_statement_cache_size"})
"""Parameters that only SQLAlchemy knows."""
WITHOUT_EFFECT = frozenset(
    {"application_name", "client_encoding", "connect_timeout", "tcp_user_timeout"}
    | {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"}
)
"""Parameters that servers' vendors like to add, and for which we have our own."""
_KNOWN = FOR_DRIVER | FOR_POOLER | WITHOUT_EFFECT | {"host", "port", "user"}


def passwords_in(url: str) -> list[str]:
    """Return the password of a server's address as it is written, and as it is; or nothing."""
    found = _SERVER.fullmatch(url)
    written = found["password"] if found else None
    return [written, unquote(written)] if written else []


def is_shared(url: str) -> bool:
    """Whether several replicas may be on this database."""
    return url.startswith("postgresql://")


def _database(url: str) -> str:
    # a message that shares words with the value would not be shown: it may come from a secret
    if url.startswith("sqlite://"):
        if not url.removeprefix("sqlite://").startswith("/") or url == "sqlite:///":
            raise ValueError("SQLite takes three slashes and a file; four before a whole path")
        return url
    if not url.startswith("postgresql://"):
        raise ValueError(
            "not a database; write sqlite:///watchbill.db or postgresql://user@host/db"
        )
    if url.count("@") > 1:
        raise ValueError("an @ in a user's name or password is written %40: user:p%40ss@host/db")
    found = _SERVER.fullmatch(url)
    port = found["port"] if found else None
    if not found or (port and not (port.isdecimal() and int(port) <= _HIGHEST_PORT)):
        raise ValueError("the port is no number; write it like user@host:5432/db")
    if re.search(r"[?&]password=", found["rest"] or ""):
        raise ValueError("no secret stands behind the ?; write user:${SECRET}@host/db")
    if {name for name, _ in parse_qsl((found["rest"] or "").partition("?")[2])} - _KNOWN:
        raise ValueError("not all behind the ? is known; docs/operations/running.md says what is")
    return url


DatabaseUrl = Annotated[str, AfterValidator(_database)]
