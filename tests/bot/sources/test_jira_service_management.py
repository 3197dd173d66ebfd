"""The requests of a service desk: asked, changed, done, and asked again."""

import json

import pytest

from bot.sources.kind import UnreadableError
from rules.alert import AlertStatus, Severity
from tests.fakes.deliveries import payload
from tests.fakes.vendors import alert_of, alerts_of

KIND = "jira_service_management"


def changed(name: str, **fields: object) -> dict[str, object]:
    body = json.loads(payload(f"{KIND}/{name}.json"))
    body["issue"]["fields"] |= fields
    return body


def asking_for(request_type: object) -> dict[str, object]:
    return changed("created", customfield_10010={"requestType": {"name": request_type}})


def test_a_new_request_fires() -> None:
    alert = alert_of(KIND, "created")
    assert alert.status is AlertStatus.FIRING
    assert alert.severity is Severity.ERROR
    assert alert.title == "DATA-42: Access to the finance mart"
    assert alert.labels["category"] == "access"
    assert alert.labels["request_type"] == "Request access to a data set"
    assert alert.url == "https://acme.atlassian.net/browse/DATA-42"


def test_done_recovers_it_even_after_it_has_moved() -> None:
    moved = changed("done")
    issue = moved["issue"]
    assert isinstance(issue, dict)
    issue["key"] = "OTHER-1"
    whole = alert_of(KIND, moved)
    assert whole.status is AlertStatus.RESOLVED
    assert whole.dedup_key == alert_of(KIND, "created").dedup_key


def test_two_requests_are_two_things() -> None:
    other = changed("created") | {"issue": {"id": "10043", "key": "DATA-43"}}
    assert alert_of(KIND, other).dedup_key != alert_of(KIND, "created").dedup_key


def test_a_change_is_a_remark_that_says_what_changed() -> None:
    alert = alert_of(KIND, "updated")
    assert alert.status is AlertStatus.INFO
    assert alert.title == "status → In progress by Ana: DATA-42: Access to the finance mart"


def test_a_request_that_is_opened_again_fires() -> None:
    alert = alert_of(KIND, "reopened")
    assert alert.status is AlertStatus.FIRING
    assert alert.dedup_key == alert_of(KIND, "done").dedup_key
    by_name = changed("updated") | {"issue_event_type_name": "issue_reopened"}
    assert alert_of(KIND, by_name).status is AlertStatus.FIRING


def test_another_resolution_is_not_a_reopening() -> None:
    change = {"field": "resolution", "from": "10000", "to": "10001", "toString": "Won't do"}
    body = changed("updated") | {"changelog": {"items": [change]}}
    assert alert_of(KIND, body).status is AlertStatus.INFO


def test_a_deleted_request_and_one_that_is_born_done_are_over() -> None:
    deleted = changed("created") | {"webhookEvent": "jira:issue_deleted"}
    assert alert_of(KIND, deleted).status is AlertStatus.RESOLVED
    born = changed("created", status={"name": "Done", "statusCategory": {"key": "done"}})
    assert alert_of(KIND, born).status is AlertStatus.RESOLVED


def test_a_comment_on_a_done_request_is_a_remark() -> None:
    comment = changed("done") | {"webhookEvent": "comment_created"}
    assert alert_of(KIND, comment).status is AlertStatus.INFO


@pytest.mark.parametrize(
    ("request_type", "category"),
    [
        ("Grant permission", "access"),
        ("New login", "access"),
        ("Ad-hoc analysis", "adhoc_request"),
        ("Export a report", "adhoc_request"),
        ("Something else", None),
        ("Report a problem", None),
        ("Account is broken", None),
        ("Reporting", None),
        (None, None),
    ],
)
def test_the_request_type_hints_at_a_category(
    request_type: str | None, category: str | None
) -> None:
    body = asking_for(request_type)
    assert alert_of(KIND, body).labels.get("category") == category


def test_the_configuration_knows_better() -> None:
    options: dict[str, object] = {"adhoc_request_types": ("Access counts",)}
    alert = alert_of(KIND, asking_for("access counts"), options=options)
    assert alert.labels["category"] == "adhoc_request"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Highest", Severity.CRITICAL),
        ("Medium", Severity.WARNING),
        ("Low", Severity.INFO),
        ("Odd", Severity.UNKNOWN),
    ],
)
def test_priority_is_severity(name: str, meant: Severity) -> None:
    assert alert_of(KIND, changed("created", priority={"name": name})).severity is meant


def test_a_document_is_read_as_its_words() -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "I need"}]}
    document = {"type": "doc", "content": [paragraph, {"content": [{"text": "orders"}]}, 3]}
    assert alert_of(KIND, changed("created", description=document)).description == "I need orders"


def test_a_link_is_only_made_of_what_looks_like_one() -> None:
    body = changed("created")
    for issue in [
        {"id": "1", "key": "DATA-1", "self": "https://acme.atlassian.net/elsewhere"},
        {"id": "1", "key": "../x", "self": "https://acme.atlassian.net/rest/api/2/1"},
        {"id": "1", "key": "DATA-1", "self": "javascript:/rest/api/2/1"},
    ]:
        assert alert_of(KIND, body | {"issue": issue}).url == ""


def test_news_of_other_things_has_nothing_to_tell() -> None:
    assert alerts_of(KIND, {"webhookEvent": "sprint_started", "sprint": {"id": 1}}) == ()


@pytest.mark.parametrize("body", [{}, {"webhookEvent": "jira:issue_created"}, {"issue": {}}])
def test_another_shape_is_said(body: object) -> None:
    with pytest.raises(UnreadableError):
        alerts_of(KIND, body)
