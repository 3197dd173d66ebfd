"""Incidents, people and scenes for the tests of what Slack shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.slack.scene import Scene
from rules.alert import AlertStatus, Severity
from rules.incident import Incident, Mutedness
from rules.people import People, Person
from rules.policy import OnCallOf, OnePerson, Policy, Step
from rules.priority import Priority
from rules.rotation import OnCall, Span
from rules.rulebook import Route, RuleBook
from rules.shown_alert import ShownAlert

NOW = datetime(2026, 11, 23, 3, 2, tzinfo=UTC)
OPENED = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
ANA, BO, CY = "ana@example.com", "bo@example.com", "cy@example.com"
PEOPLE = People(
    [
        Person(ANA, "Ana", ANA, "U0ANA001", "Europe/Berlin"),
        Person(BO, "Bo", BO, "U0BO0001"),
        Person(CY, "Cy", CY),
    ]
)
NAMES = {ANA: "Ana", BO: "Bo", CY: "Cy"}
POLICY = Policy(
    "default",
    (
        Step((OnCallOf("primary"),), timedelta(minutes=5)),
        Step((OnCallOf("secondary"),), timedelta(minutes=10)),
        Step((OnePerson(CY),), timedelta(minutes=10), repeat=3),
    ),
)
ON_CALL = OnCall(
    [
        Span(NOW - timedelta(days=1), NOW + timedelta(days=4), "data", "primary", (ANA,), "row 4"),
        Span(NOW + timedelta(days=4), NOW + timedelta(days=9), "data", "primary", (BO,), "row 5"),
        Span(NOW - timedelta(days=1), NOW + timedelta(days=4), "data", "secondary", (BO,), "row 4"),
    ]
)
BOOK = RuleBook(
    policies={"default": POLICY},
    routes=(Route("default", "default", "data-alerts", "data"),),
    fallback=(CY,),
    on_call=ON_CALL,
)
HOSTILE = (
    "<!channel> <@U0ANA001> <!subteam^S0000001> <https://evil.example|bank> &amp; *bold* _it_ "
    "`code` ~x~ {braces} \u202egnp.exe\u202c \x00\x1b[31m\ud800 :tada: @here #general"
)


class FakeNames:
    def name(self, key: str) -> str:
        return NAMES.get(key, key)


def incident(**fields: Any) -> Incident:
    """Incident #42, paged a moment ago."""
    given: dict[str, Any] = {
        "id": "i42",
        "number": 42,
        "source": "airflow",
        "dedup_key": "daily_orders.load",
        "group_key": "",
        "title": "daily_orders.load failed",
        "description": "KeyError 'amount'\n  File load.py, line 3",
        "opened_at": OPENED,
        "priority": Priority.P2,
        "severity": Severity.ERROR,
        "route": "default",
        "channel": "data-alerts",
        "rotation": "data",
        "policy": POLICY,
        "pages": True,
        "labels": {"team": "finance", "dag_id": "daily_orders", "owner": "ana"},
        "url": "https://airflow.example/dags/daily_orders",
        "step": 1,
        "reached": True,
        "paged": (ANA,),
        "step_due_at": OPENED + timedelta(minutes=5),
        "alerts": (shown_alert(),),
        "alert_count": 1,
        "firing_count": 1,
    }
    return Incident(**{**given, **fields})


def shown_alert(number: int = 1, **fields: Any) -> ShownAlert:
    given: dict[str, Any] = {
        "dedup_key": f"daily_orders.task{number}",
        "title": f"daily_orders.task{number} failed",
        "status": AlertStatus.FIRING,
        "severity": Severity.ERROR,
        "first_at": OPENED,
        "last_at": OPENED + timedelta(seconds=number),
    }
    return ShownAlert(**{**given, **fields})


def scene(of: Incident | None = None, **fields: Any) -> Scene:
    given: dict[str, Any] = {
        "incident": of or incident(),
        "now": NOW,
        "names": FakeNames(),
        "book": BOOK,
        "paged_at": {ANA: OPENED},
        "permalink": "https://team.slack.example/archives/C1/p1",
    }
    return Scene(**{**given, **fields})


def spread() -> dict[str, Incident]:
    """One incident of every kind a view meets."""
    base = incident()
    acked = base.ack(ANA, NOW, NOW + timedelta(hours=2))
    many = tuple(shown_alert(n) for n in range(20))
    hostile = {"team": HOSTILE, "owner": HOSTILE * 20, "runbook": "javascript:alert(1)"}
    return {
        "triggered": base,
        "not paged yet": replace(base, paged=(), step=0, reached=False),
        "acked": acked,
        "asked": replace(acked, ack_confirm_by=NOW + timedelta(minutes=10)),
        "assigned": replace(acked, assigned_to=BO),
        "snoozed": base.snooze(BO, NOW, NOW + timedelta(hours=2)),
        "resolved by hand": base.resolve(ANA, NOW, "restarted the load"),
        "resolved by source": base.resolve("", NOW),
        "muted": base.mute(Mutedness(NOW + timedelta(hours=1), BO, "planned work")),
        "exhausted": replace(base, exhausted=True, step=3),
        "gone": replace(base, step_due_at=None),
        "flapping": replace(base, flapping=True, openings=5, settles_at=NOW + timedelta(minutes=9)),
        "storm": replace(base, storm=True, alerts=many, alert_count=340, firing_count=12),
        "unreadable": replace(base, unreadable=True, title="Unreadable alert of airflow",
                              description='{"broken', url="https://w.example/raw/1"),
        "quiet": replace(base, pages=False, priority=Priority.P5, step_due_at=None, paged=()),
        "seen before": replace(base, previous=37),
        "empty": replace(base, title="", description="", labels={}, url="", alerts=(),
                         alert_count=0, firing_count=0),
        "hostile": replace(
            base, title=HOSTILE, description=HOSTILE * 60, labels=hostile, url="javascript:x",
            source="<!here>", rotation="data", note=HOSTILE, alert_count=2, firing_count=2,
            alerts=(shown_alert(1, title=HOSTILE, url="http://a|b>c"), shown_alert(2)),
        ),
        "hostile resolved": replace(base, title=HOSTILE).resolve("<!here>", NOW, HOSTILE * 30),
        "long": replace(base, title="x" * 2000, description="&<>" * 9000,
                        labels=dict.fromkeys(("team", "owner", "dag", "model"), "v" * 3000),
                        alerts=tuple(shown_alert(n, title="&" * 900) for n in range(20)),
                        alert_count=9000),
    }  # fmt: skip
