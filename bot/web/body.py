"""Read a request's body up to a limit, and not a byte or a second more."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

from aiohttp import web

BODY_SECONDS = 15.0
FORM_BYTES = 16_384
_MOST_FIELDS = 20


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
        # No 408: most senders give up at any 4xx, and it may have been us who stood still.
        raise RefusedError(503, "The body came too slowly; send it again.", "broken") from error
    except (ConnectionError, web.RequestPayloadError) as error:
        raise RefusedError(400, "The body broke off; send it again.", "broken") from error
    return b"".join(parts)


async def read_form(request: web.Request, limit: int = FORM_BYTES) -> Mapping[str, str]:
    """Return the fields of a small form; of a name that comes twice the last. Raises RefusedError.

    Only what our own pages send is read: other encodings are nobody's whom we know.
    """
    body = await read_body(request, limit)
    if request.content_type != "application/x-www-form-urlencoded":
        raise RefusedError(415, "Send the form as the page does.", "wrong_type")
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise RefusedError(400, "The form has too many fields.", "broken") from error
    return dict(pairs)


def _too_large(limit: int) -> RefusedError:
    why = f"The body is larger than {limit:,} bytes; send less, or raise the source's body_limit."
    return RefusedError(413, why, "too_large")
