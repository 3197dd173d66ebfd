"""Kinds of values that several parts of the configuration share."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator


def web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("not a web address; write it like https://watchbill.example")
    return url


Url = Annotated[str, AfterValidator(web_address)]
