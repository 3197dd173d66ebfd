"""What Slack answers when it says no."""

from collections.abc import Sequence


class SlackError(Exception):
    """One of Slack's error codes, with the pointers it adds for faulty blocks.

    `status` is the HTTP status; Slack answers nearly everything with 200.
    """

    def __init__(
        self,
        code: str,
        *,
        messages: Sequence[str] = (),
        status: int = 200,
        retry_after: int | None = None,
        needed: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.status = status
        self.retry_after = retry_after
        self.needed = needed


class ActionRefusedError(Exception):
    """A person tried something that Slack's own screen would not let them do."""
