"""Read a request's body up to a limit, and not a byte or a second more."""

import asyncio

from aiohttp import web

BODY_SECONDS = 15.0


class RefusedError(Exception):
    """The body cannot be taken; `result` is the word it is counted under."""

    def __init__(self, status: int, why: str, result: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.result = result


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return at most `limit` bytes. Raises RefusedError."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    if request.content.is_eof():
        # Small bodies arrive with their head; a timer would cost more than reading them.
        body = request.content.read_nowait()
        if len(body) > limit:
            raise _too_large(limit)
        return body
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while part := await request.content.readany():
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
    except TimeoutError as error:
        raise RefusedError(408, "The body came too slowly; send it again.", "broken") from error
    except (ConnectionError, web.RequestPayloadError) as error:
        raise RefusedError(400, "The body broke off; send it again.", "broken") from error
    return b"".join(parts)


def _too_large(limit: int) -> RefusedError:
    why = f"The body is larger than {limit:,} bytes; send less, or raise the source's body_limit."
    return RefusedError(413, why, "too_large")
