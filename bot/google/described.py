"""Google's services as its client describes them, short enough to be read at each request."""

import json
from typing import Any
from urllib.parse import urljoin

from googleapiclient.discovery_cache import get_static_doc


def described(name: str, version: str, api_url: str = "") -> dict[str, Any]:
    """Return what the client is built from, of the service at that address or of Google's own.

    The fields of bodies and answers are left out. The client checks nothing by them, and writes
    them into docstrings again at each request, for a tenth of a second.
    """
    document: dict[str, Any] = json.loads(get_static_doc(name, version) or "{}")
    document["schemas"] = {one: {"id": one, "type": "any"} for one in document["schemas"]}
    if api_url:
        # in the document, for the client's own option leaves batches going to Google
        document["rootUrl"] = api_url
        document["baseUrl"] = urljoin(api_url, document["servicePath"])
    return document
