"""What Google's client is built from: all methods, and no pages of documentation at each request."""

from collections.abc import Callable
from typing import Any

import httplib2
import pytest
from googleapiclient.discovery import build_from_document

from bot.google.described import described

ELSEWHERE = "http://127.0.0.1:9/"
USED: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("sheets", "v4"): lambda service: service.spreadsheets().batchUpdate,
    ("calendar", "v3"): lambda service: service.events().insert,
    ("admin", "directory_v1"): lambda service: service.members().insert,
    ("cloudidentity", "v1"): lambda service: service.groups().memberships().create,
    ("cloudresourcemanager", "v3"): lambda service: service.projects().setIamPolicy,
}


@pytest.mark.parametrize("name", USED, ids=lambda name: name[0])
def test_a_request_documents_no_bodies(name: tuple[str, str]) -> None:
    service = build_from_document(described(*name), http=httplib2.Http())
    assert len(USED[name](service).__doc__) < 10_000


def test_the_service_may_be_elsewhere() -> None:
    service = build_from_document(described("sheets", "v4", ELSEWHERE), http=httplib2.Http())
    request = service.spreadsheets().batchUpdate(spreadsheetId="s1", body={"requests": []})
    assert request.uri == f"{ELSEWHERE}v4/spreadsheets/s1:batchUpdate?alt=json"
    assert request.body == '{"requests": []}'
