"""What follows the fire: the proof of the fix, the journal, and the same trouble once more."""

from bot.demo.beats import (
    ACKED,
    AGAIN,
    ASKED,
    DOUBLE,
    LATER,
    PICTURE,
    PRIMARY,
    PROVED,
    REMINDED,
    RESOLVED,
    SEEN_BEFORE,
    SO_FAR,
    TASK_DONE,
    TO_BE_PROVED,
    WROTE,
    Beat,
    Fill,
    Press,
    Send,
    Type,
    Until,
)

FIX = "Removed the second copy by load time, then built fct_orders again"
ENTRY = (
    ("symptom", "Revenue of the last day too high by 37 orders"),
    ("cause_class", "bad_data"),
    ("cause", "The shop sent one file twice when its export was late"),
    ("fix", FIX),
    ("needed_yes", "yes"),
    ("needed", "Finance closes on these numbers at 07:30"),
    ("follow_up", "Make the load refuse a file it already has: Dee, by Friday"),
)

AFTERMATH: tuple[Beat, ...] = (
    Beat(
        minute=47,
        text="{primary} removes the double orders and resolves {double}. That is a claim: the message "
        "says which run will prove it.",
        deed=Type(PRIMARY, "/oncall resolve {double} Removed 37 orders that came twice", DOUBLE),
        only_while=(DOUBLE, ACKED),
        until=(
            Until(about=DOUBLE, sign=RESOLVED),
            Until(about=DOUBLE, says=TO_BE_PROVED),
        ),
    ),
    Beat(
        minute=48.5,
        text="A build that began before that goes through. It proves nothing, and the message says so.",
        deed=Send("dbt", "orders_under_way"),
        only_while=(DOUBLE, RESOLVED),
        until=(Until(about=DOUBLE, says=SO_FAR),),
    ),
    Beat(
        minute=50,
        text="The thread lists what is left to do. {primary} tells the readers, and ticks that off.",
        deed=Press(PRIMARY, DOUBLE, "task_done", "tell-users"),
        only_while=(DOUBLE, RESOLVED),
        until=(Until(about=DOUBLE, says=TASK_DONE),),
    ),
    Beat(
        minute=305,
        text="In the morning the thread asks {primary} what the next person should know.",
        only_while=(DOUBLE, RESOLVED),
        until=(Until(about=DOUBLE, says=ASKED),),
    ),
    Beat(
        minute=306,
        text="{primary} answers its five questions.",
        deed=Fill(PRIMARY, DOUBLE, "journal", ENTRY),
        only_while=(DOUBLE, RESOLVED),
        until=(Until(about=DOUBLE, says=WROTE),),
    ),
    Beat(
        night=1,
        minute=11,
        text="The next night. The build of 05:10 goes through: {double} is proved, and closed.",
        deed=Send("dbt", "orders_mended"),
        only_while=(DOUBLE, RESOLVED),
        until=(Until(about=DOUBLE, says=PROVED),),
    ),
    Beat(
        night=1,
        minute=305,
        text="In the morning, and not at night, one message reminds whoever has still to write.",
        until=(Until(told=REMINDED),),
    ),
    Beat(
        night=2,
        minute=11,
        text="Another night: orders come twice again. The page says who fixed it last time, and how.",
        deed=Send("dbt", "orders_doubled"),
        opens=(AGAIN, "unique on fct_orders.order_id"),
        until=(
            Until(about=AGAIN, page=LATER),
            Until(about=AGAIN, says=SEEN_BEFORE),
            Until(about=AGAIN, thread=PICTURE),
        ),
    ),
    Beat(
        night=2,
        minute=12,
        text="{later} asks for the table of all issues. The link in the answer signs {later} in.",
        deed=Type(LATER, "/oncall issues"),
        until=(Until(answer=LATER),),
    ),
)
LAST = "Your turn: acknowledge {again} as {later}, or wait and see who is paged next."
