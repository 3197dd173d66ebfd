"""How commands speak: documents to standard output, everything else to standard error."""

import json
from typing import Any

import typer
from rich.console import Console

JSON_HELP = "Print one JSON document."
CONFIG_HELP = "The configuration file."

screen = Console(emoji=False)
errors = Console(stderr=True, emoji=False)


def print_json(document: Any) -> None:
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, default=str))


def fail(message: str) -> typer.Exit:
    """Say what is wrong and what to do; raise the answer."""
    errors.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(1)
