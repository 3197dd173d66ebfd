"""The local Google for tests: started beside them, and spoken to by Google's own client."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httplib2
from google.oauth2 import service_account
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc

from bot.clock import Clock, SystemClock
from bot.local_google.calendar import LocalCalendar
from bot.local_google.calendar_door import calendar_mounts
from bot.local_google.google import LocalGoogle
from bot.local_google.server import RunningGoogle, serve
from bot.local_google.tokens import key_text

BOT = "bot@local.iam.gserviceaccount.com"


@asynccontextmanager
async def running_google(
    clock: Clock | None = None, calendar: LocalCalendar | None = None
) -> AsyncIterator[LocalGoogle]:
    """Serve a local Google in this loop; a call that no Google would understand fails the test."""
    google = LocalGoogle(clock or SystemClock())
    running = await serve(google, mounted=calendar_mounts(calendar) if calendar else None)
    try:
        yield google
    finally:
        await running.close()
    assert google.breaches == []
    assert calendar is None or calendar.breaches == []


@contextmanager
def google_in_a_thread(clock: Clock | None = None) -> Iterator[LocalGoogle]:
    """Serve a local Google in a loop of its own, for what is not asynchronous."""
    google = LocalGoogle(clock or SystemClock())
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running: RunningGoogle = asyncio.run_coroutine_threadsafe(serve(google), loop).result(10)
    try:
        yield google
    finally:
        asyncio.run_coroutine_threadsafe(running.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
    assert google.breaches == []


def key_file(google: LocalGoogle, folder: Path, email: str = BOT) -> Path:
    """Write the key of a new service account."""
    path = folder / "google-key.json"
    path.write_text(key_text(google.account(email)))
    return path


@contextmanager
def client(google: LocalGoogle, name: str = "sheets", version: str = "v4") -> Iterator[Any]:
    """Build Google's own client, as the service account; it blocks."""
    document = json.loads(get_static_doc(name, version) or "{}")
    document["rootUrl"] = f"{google.url}/"
    document["baseUrl"] = urljoin(f"{google.url}/", document["servicePath"])
    credentials = service_account.Credentials.from_service_account_info(
        google.account(BOT), scopes=["https://www.googleapis.com/auth/spreadsheets"]
    )
    http = AuthorizedHttp(credentials, http=httplib2.Http(timeout=5))
    service = build_from_document(document, http=http)
    try:
        yield service
    finally:
        http.close()
