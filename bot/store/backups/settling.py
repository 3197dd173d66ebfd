"""What a restored database must know before a bot runs on it: it has been asleep."""

SETTLE = (
    # what was to do then may have been done since: it is looked up, from its beginning on, before it is sent
    (
        "UPDATE job SET in_flight = 1, first_attempt_at = coalesce(first_attempt_at, created_at)"
        " WHERE state = 'todo'"
    ),
    # incidents opened since then have numbers in Slack: none of those means another one now
    "UPDATE counter SET value = value + 1000 WHERE name = 'incident'",
)
