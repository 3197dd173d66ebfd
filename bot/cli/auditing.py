"""`watchbill audit`: what has come to a stop, read from the database of a bot, running or not."""

import asyncio
from typing import Any

import typer

from bot.cli.configuration import configuration
from bot.cli.output import print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from rules.audit import Finding
from rules.sentence import plain


def audit(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """List what has come to a stop: nobody would be told of it; exit 1 if there is any."""
    from bot.cli.stored import audited

    loaded, _ = configuration(config)
    found = asyncio.run(audited(loaded))
    if as_json:
        print_json({"findings": [finding_json(one) for one in found]})
    else:
        for one in found:
            text = f"{one.fault}  {one.sentence.render(plain)}"
            screen.print(text, markup=False, highlight=False, soft_wrap=True)
        screen.print(f"{len(found)} found", highlight=False)
    raise typer.Exit(1 if found else 0)


def finding_json(one: Finding) -> dict[str, Any]:
    return {
        "fault": one.fault.value,
        "number": one.number or None,
        "text": one.sentence.render(plain),
        "heals": one.remedy is not None,
    }
