"""Gets one small public document, as a key: bounded in time and size, and never redirected."""

from collections.abc import Awaitable, Callable

import aiohttp

SECONDS = 3.0
LIMIT = 65_536

Fetch = Callable[[str], Awaitable[bytes]]
"""Address -> body; raises FetchError."""


class FetchError(Exception):
    """It could not be got; the message says why."""


async def fetch(url: str) -> bytes:
    """Return the body of a 200 answer of at most 64 KB that came within three seconds.

    Whoever calls this has checked the address; redirects are not followed, because they
    would lead where nobody has.
    """
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise FetchError(f"it answered {answer.status}")
            body = await answer.content.read(LIMIT + 1)
            while len(body) <= LIMIT and not answer.content.at_eof():
                body += await answer.content.read(LIMIT + 1 - len(body))
    except TimeoutError as error:
        raise FetchError(f"no answer within {SECONDS:g} s") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise FetchError(type(error).__name__) from error
    if len(body) > LIMIT:
        raise FetchError(f"it is larger than {LIMIT:,} bytes")
    return body
