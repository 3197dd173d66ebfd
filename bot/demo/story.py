"""The story of one night, as data: who is told what, who does what, and when."""

from dataclasses import dataclass

from bot.slack.views.consequences import SPLIT_OFF

PRIMARY, SECONDARY = "primary", "secondary"


@dataclass(frozen=True, slots=True)
class Send:
    """A tool of this kind sends this body of bot/demo/payloads.py."""

    kind: str
    body: str


@dataclass(frozen=True, slots=True)
class Click:
    """Somebody presses a button on their page about an incident."""

    who: str
    about: str
    button: str = "ack"


@dataclass(frozen=True, slots=True)
class SplitOff:
    """Somebody presses "Split off" in an incident's thread, beside the alert of these words."""

    who: str
    about: str
    alert: str


@dataclass(frozen=True, slots=True)
class Type:
    """Somebody types a command in the channel; `about` names the incident it is for, if any."""

    who: str
    text: str
    about: str = ""


Deed = Send | Click | SplitOff | Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """What the story waits for: a page, a sign on the message of an incident, or an answer.

    `page` is who is paged: primary or secondary; `thread` what comes into the thread: PICTURE, or
    a message with buttons of this action; `told` words of a message about no incident.
    """

    about: str = ""
    page: str = ""
    sign: str = ""
    thread: str = ""
    answer: str = ""
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One moment: `minute` of the night, what is told, what is done, what it leads to.

    Text may use {primary}, {secondary}, and {late} and the like for "#1"; `opens` names the
    incident that the deed opens, by words of its title. `only_while` is the sign that the
    incident must still have: otherwise a viewer was faster, and nothing is done.
    """

    minute: float
    text: str
    deed: Deed | None = None
    opens: tuple[str, str] | None = None
    only_while: tuple[str, str] | None = None
    until: tuple[Until, ...] = ()
    mark: str = ""


LATE, DOUBLE, DATABASE, STORM, PAYMENTS = "late", "double", "database", "storm", "payments"
RETRIES, SILENCED, FOLDED = "retries", "silenced", "folded"
PICTURE = "picture"
KEYS = "warehouse-admin"
BREAK_GLASS = f"/oncall access {KEYS} 1h {{database}} promote the standby by hand"
GLASS_BROKEN, HAS_KEYS = "Break-glass: ", f"You are in {KEYS} since"
GLASS_WHOLE = f"is out of {KEYS}"
"""Whether it ended on time or, on a slow machine, a minute of the night late."""
FIRING, ACKED, RESOLVED = "🔴", "🟡", "🟢"

STORY: tuple[Beat, ...] = (
    Beat(minute=0, text="Everybody sleeps. {primary} is on call, {secondary} is second."),
    Beat(
        minute=1,
        text="The shop's order export is late; dbt finds that the source raw.orders is stale.",
        deed=Send("dbt", "orders_stale"),
        opens=(LATE, "raw.orders"),
        until=(Until(about=LATE, page=PRIMARY),),
    ),
    Beat(
        minute=2,
        text="Five dashboards are made from it. A picture of them comes into the thread of {late}.",
        until=(Until(about=LATE, thread=PICTURE),),
    ),
    Beat(
        minute=3,
        text="{primary}'s phone buzzes. {primary} sleeps on.",
        only_while=(LATE, FIRING),
        until=(Until(about=LATE, page=SECONDARY),),
    ),
    Beat(
        minute=7.5,
        text="{secondary} wakes up and acknowledges in the direct message. Nobody else is paged.",
        deed=Click(SECONDARY, LATE),
        only_while=(LATE, FIRING),
        until=(Until(about=LATE, sign=ACKED),),
    ),
    Beat(
        minute=10,
        text="The nightly dbt build: three tests of fct_orders fail, four models are skipped.",
        deed=Send("dbt", "orders_tests"),
        until=(Until(about=LATE, thread=SPLIT_OFF),),
        mark=FOLDED,
    ),
    Beat(
        minute=11,
        text="All of it folds into {late}, whose thread lists what followed. Nobody is paged again.",
        only_while=(LATE, ACKED),
    ),
    Beat(
        minute=11.5,
        text="A late export does not make orders come twice: {secondary} splits that test off. "
        "Now it is an incident of its own, and pages.",
        deed=SplitOff(SECONDARY, LATE, "unique on fct_orders.order_id"),
        only_while=(LATE, ACKED),
        opens=(DOUBLE, "unique on fct_orders.order_id"),
        until=(Until(about=DOUBLE, page=PRIMARY),),
    ),
    Beat(
        minute=12.5,
        text="This time {primary} is awake and takes it.",
        deed=Click(PRIMARY, DOUBLE),
        only_while=(DOUBLE, FIRING),
        until=(Until(about=DOUBLE, sign=ACKED),),
    ),
    Beat(
        minute=13,
        text="{primary} asks why {late} is as urgent as that.",
        deed=Type(PRIMARY, "/oncall explain {late}", LATE),
        until=(Until(answer=PRIMARY),),
    ),
    Beat(
        minute=14,
        text="{primary} looks at what is open.",
        deed=Type(PRIMARY, "/oncall list"),
        until=(Until(answer=PRIMARY),),
    ),
    Beat(
        minute=15,
        text="An Airflow task fails, and will be tried again.",
        deed=Send("airflow", "payments_first_try"),
        mark=RETRIES,
    ),
    Beat(
        minute=17,
        text="It fails a second time. Airflow has one try left, so nobody is woken.",
        deed=Send("airflow", "payments_second_try"),
        mark=RETRIES,
    ),
    Beat(
        minute=19,
        text="The third try succeeds. Nobody needs to know.",
        deed=Send("airflow", "payments_third_try"),
        mark=RETRIES,
    ),
    Beat(
        minute=22,
        text="Both database servers are gone: two alerts from Alertmanager, one incident, a P1.",
        deed=Send("alertmanager", "warehouse_down"),
        opens=(DATABASE, "warehouse-"),
        until=(Until(about=DATABASE, page=PRIMARY),),
    ),
    Beat(
        minute=23,
        text="{primary} acknowledges. The standby is already taking over.",
        deed=Click(PRIMARY, DATABASE),
        only_while=(DATABASE, FIRING),
        until=(Until(about=DATABASE, sign=ACKED),),
    ),
    Beat(
        minute=23.3,
        text="{primary} needs the keys to the database, and breaks the glass: no approver is woken, "
        "and the channel is told.",
        deed=Type(PRIMARY, BREAK_GLASS, DATABASE),
        only_while=(DATABASE, ACKED),
        until=(Until(told=GLASS_BROKEN), Until(told=HAS_KEYS)),
    ),
    Beat(
        minute=24,
        text="Staging shares those servers. {primary} silences it, so that it wakes nobody.",
        deed=Type(PRIMARY, "/oncall silence env=staging 2h The database is being restarted"),
        until=(Until(answer=PRIMARY),),
    ),
    Beat(
        minute=25,
        text="The load of staging fails, as expected. It is recorded, and nobody is paged.",
        deed=Send("generic", "staging_failed"),
        mark=SILENCED,
    ),
    Beat(
        minute=27,
        text="Alertmanager repeats itself. That is counted, and pages nobody.",
        deed=Send("alertmanager", "warehouse_still_down"),
        mark=SILENCED,
    ),
    Beat(
        minute=31,
        text="The servers answer again: the incident resolves itself.",
        deed=Send("alertmanager", "warehouse_up"),
        until=(Until(about=DATABASE, sign=RESOLVED),),
    ),
    Beat(
        minute=32,
        text="With the incident the keys go back, by themselves.",
        until=(Until(told=GLASS_WHOLE),),
    ),
    Beat(
        minute=34,
        text="A storm: 500 checks fail at once. Ten incidents, and one for all the rest.",
        deed=Send("generic", "checks_failed"),
        opens=(STORM, "storm"),
        until=(Until(about=STORM, page=PRIMARY),),
    ),
    Beat(
        minute=36,
        text="{primary} acknowledges everything with one command.",
        deed=Type(PRIMARY, "/oncall ack all"),
        only_while=(STORM, FIRING),
        until=(Until(about=STORM, sign=ACKED),),
    ),
    Beat(
        minute=41,
        text="The checks pass again: all eleven resolve themselves.",
        deed=Send("generic", "checks_passed"),
        until=(Until(about=STORM, sign=RESOLVED),),
    ),
    Beat(
        minute=44,
        text="The export has arrived, and the source is fresh. Two tests still fail.",
        deed=Send("dbt", "orders_fresh"),
    ),
    Beat(
        minute=45,
        text="dbt builds again, and those two pass: {late} resolves itself, in time for Finance.",
        deed=Send("dbt", "orders_tests_again"),
        until=(Until(about=LATE, sign=RESOLVED),),
    ),
    Beat(
        minute=47,
        text="{primary} removes the double orders, and says so when resolving.",
        deed=Type(
            PRIMARY,
            "/oncall resolve {double} The shop had sent 37 orders twice; removed, tests pass",
            DOUBLE,
        ),
        only_while=(DOUBLE, ACKED),
        until=(Until(about=DOUBLE, sign=RESOLVED),),
    ),
    Beat(
        minute=49,
        text="The payments task fails for good, after its last try.",
        deed=Send("airflow", "payments_failed"),
        opens=(PAYMENTS, "payments_hourly.load failed"),
        until=(Until(about=PAYMENTS, page=PRIMARY),),
    ),
)
LAST = "Your turn: acknowledge {payments} as {primary}, or wait and see who is paged next."
