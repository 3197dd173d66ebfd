"""Google's errors, as the service words them."""

from typing import Any

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class GoogleError(Exception):
    """An answer that is no success; `reason` is the word by which older services tell it."""

    def __init__(
        self, status: int, message: str, *, reason: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        name = _STATUS.get(self.status, "UNKNOWN")
        error: dict[str, Any] = {"code": self.status, "message": self.message, "status": name}
        if self.reason:
            error["errors"] = [{"domain": "global", "reason": self.reason, "message": self.message}]
        return {"error": error}


class BreachError(GoogleError):
    """The caller broke the interface's own description: no Google would have understood it."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(status, message, reason="badRequest")


def bad_range(text: str) -> GoogleError:
    return GoogleError(400, f"Unable to parse range: {text}")


def not_found() -> GoogleError:
    return GoogleError(404, "Requested entity was not found.", reason="notFound")


def forbidden() -> GoogleError:
    return GoogleError(403, "The caller does not have permission", reason="forbidden")
