"""The net itself: every promise that is broken on purpose is found."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.process.harness import Json
from tests.process.load import Sent
from tests.process.promises import ACK_SLACK, WINDOW, Seen, judge

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def page(incident: str, step: int, at: datetime = NOON, turn: str = "0.0") -> Json:
    return {"key": f"{incident}:{turn}.{step}:ana@example.com", "ts": f"{at.timestamp():.6f}"}


def root(incident: str) -> Json:
    return {"key": f"show:{incident}", "ts": "1.0"}


SENT = Sent(accepted={"delivery-1": "orders", "delivery-2": "stock"})
WELL = Seen(
    alerts={"orders": 1, "stock": 1},
    incidents={"i1": "triggered", "i2": "acknowledged"},
    acked={"i2": NOON},
    decided={"i1:0.0.0:ana@example.com": NOON, "i2:0.0.0:ana@example.com": NOON},
    roots=[root("i1"), root("i2")],
    pages=[page("i1", 0), page("i1", 1), page("i1", 2), page("i2", 0)],
)


def with_pages(*more: Json) -> Seen:
    return replace(WELL, pages=[*WELL.pages, *more])


def doubled(first: datetime, second: datetime, deaths: Sequence[datetime]) -> list[str]:
    pages = [page("i1", 0, first), page("i1", 0, second), *WELL.pages[1:]]
    report = judge(replace(WELL, pages=pages), SENT, deaths=deaths)
    assert len(report.doubled_pages) == 1
    return report.doubled_outside


def test_what_went_well_has_no_fault() -> None:
    report = judge(WELL, SENT, clicked={"i2"})
    assert report.faults == []
    assert (report.accepted, report.incidents, report.pages, report.acked) == (2, 2, 4, 1)


def test_a_lost_and_a_repeated_alert_are_found() -> None:
    report = judge(replace(WELL, alerts={"stock": 2}), SENT)
    assert report.faults == ["lost: orders", "repeated: stock"]


def test_an_incident_without_a_page_a_root_or_with_two_is_found() -> None:
    seen = replace(WELL, incidents={**WELL.incidents, "i3": "triggered"})
    seen = replace(seen, roots=[*seen.roots, root("i1")])
    assert judge(seen, SENT).faults == ["unpaged: i3", "rootless: i3", "second_roots: i1"]


def test_a_step_that_is_missed_or_taken_again_is_found() -> None:
    missed = judge(replace(WELL, pages=[WELL.pages[0], *WELL.pages[2:]]), SENT)
    assert missed.faults == ["missed_steps: i1:0.0.1"]
    again = judge(with_pages(page("i1", 0, turn="0.1")), SENT)
    assert again.faults == ["repeated_steps: i1:0.1.0"]


def test_a_click_that_is_lost_and_a_page_after_an_ack_are_found() -> None:
    assert judge(WELL, SENT, clicked={"i1", "i2"}).faults == ["lost_clicks: i1"]
    in_time = page("i2", 1, NOON + ACK_SLACK)
    assert judge(with_pages(in_time), SENT).faults == [], "it had begun before the ack's commit"
    late = judge(with_pages(page("i2", 1, NOON + ACK_SLACK + SECOND)), SENT)
    assert [fault.partition(":")[0] for fault in late.faults] == ["paged_after_ack"]
    afterwards = {**WELL.decided, "i2:0.0.1:bo@example.com": NOON + SECOND}
    report = judge(replace(WELL, decided=afterwards), SENT)
    assert report.paged_after_ack == ["i2:0.0.1:bo@example.com decided 0:00:01 late"]


def test_a_doubled_page_is_borne_only_within_the_window_after_a_death() -> None:
    died = NOON - SECOND
    assert doubled(NOON, NOON + SECOND, [died]) == []
    assert doubled(NOON, NOON + SECOND, []), "nobody died"
    assert doubled(NOON, NOON + SECOND, [NOON + 2 * SECOND]), "the death came afterwards"
    assert doubled(NOON, NOON + SECOND / 2, [NOON + SECOND / 4]), "the first was in Slack by then"
    assert doubled(NOON, died + WINDOW + SECOND, [died]), "it came too late"


def test_three_copies_are_never_borne() -> None:
    seen = with_pages(page("i1", 0), page("i1", 0))
    assert judge(seen, SENT, deaths=[NOON - SECOND]).doubled_outside
