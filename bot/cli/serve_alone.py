"""`watchbill serve` without the other commands: what runs for months need not hold them."""

import typer

from bot.cli.serving import serve

app = typer.Typer(name="watchbill", add_completion=False, pretty_exceptions_enable=False)
app.command()(serve)


@app.callback()
def watchbill() -> None:
    """Keep the command's name: one that is all alone would lose it."""
