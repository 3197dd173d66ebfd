"""Names of tables as every tool writes them, made comparable."""

from functools import lru_cache

_QUOTES = str.maketrans(dict.fromkeys('"`[]', ""))


@lru_cache(maxsize=65_536)
def relation_key(written: str) -> str:
    """Return `"Shop"."Main"."Orders"` as `shop.main.orders`: no quotes, no case, no spaces around."""
    return ".".join(part.strip() for part in written.translate(_QUOTES).casefold().split("."))


def relation_tail(key: str) -> str:
    """Return schema and table of a key, without the database."""
    return ".".join(key.split(".")[-2:])
