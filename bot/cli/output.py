"""How commands speak: documents to standard output, everything else to standard error."""

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:  # heavy, and `serve` has nothing to print
    from rich.console import Console, RenderableType

JSON_HELP = "Print one JSON document."
CONFIG_HELP = "The configuration file."
_COMMANDS = dict.fromkeys(
    (*range(9), *range(11, 32), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)),
    "\ufffd",
)
"""What a terminal takes for a command, or by which it shows words in another order."""


class Screen:
    """A terminal or a file; rich's console of it is made when the first word is said."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._stderr = stderr

    @cached_property
    def console(self) -> "Console":
        from rich.console import Console  # as above

        return Console(stderr=self._stderr, emoji=False)

    def print(
        self,
        said: "RenderableType" = "",
        *,
        style: str | None = None,
        markup: bool | None = None,
        highlight: bool | None = None,
        soft_wrap: bool | None = None,
    ) -> None:
        self.console.print(
            said.translate(_COMMANDS) if isinstance(said, str) else said,
            style=style,
            markup=markup,
            highlight=highlight,
            soft_wrap=soft_wrap,
        )


screen = Screen()
errors = Screen(stderr=True)


def print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def fail(message: str) -> typer.Exit:
    """Say what is wrong and what to do; raise the answer."""
    errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(1)
