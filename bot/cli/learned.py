"""The commands of `watchbill rules`: list, show, export, remove."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from bot.cli.configuration import configuration
from bot.cli.output import errors, fail, print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, ConfigFile, Json
from rules.sentence import counted

app = typer.Typer(help="Rules that people taught by corrections.", no_args_is_help=True)

RuleId = Annotated[str, typer.Argument(help="The id that `rules list` shows.")]


@app.command("list")
def list_rules(config: ConfigFile = DEFAULT_CONFIG, *, as_json: Json = False) -> None:
    """List the rules in force, the newest first."""
    from bot.cli.stored import learned_rules
    from rules.teaching.learned import names_of

    loaded, _ = configuration(config)
    rules = asyncio.run(learned_rules(loaded))
    named = names_of(rules)
    if as_json:
        print_json(
            [
                {
                    "id": rule.id,
                    "names": list(named.get(rule.id, ())),
                    "broken": rule.id not in named,
                    "by": rule.by,
                    "at": rule.at.isoformat(),
                    "why": rule.why,
                    "incident": rule.number,
                    "yaml": rule.yaml,
                }
                for rule in rules
            ]
        )
        return
    for rule in rules:
        called = ", ".join(named.get(rule.id, ("left out: it cannot be read",)))
        why = f": {rule.why}" if rule.why else ""
        _print(f"{rule.id}  {called}, by {rule.by}, {rule.at:%Y-%m-%d %H:%M} UTC{why}")
    _print(counted(len(rules), "learned rule"))


@app.command()
def show(rule: RuleId, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Print one rule as YAML."""
    from bot.cli.stored import learned_rules

    loaded, _ = configuration(config)
    found = next((one for one in asyncio.run(learned_rules(loaded)) if one.id == rule), None)
    if found is None:
        raise fail(f"There is no rule {rule}; see watchbill rules list.")
    typer.echo(found.yaml, nl=False)


@app.command()
def export(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Print all rules as one YAML document, to be put among the rulebook's files."""
    from bot.cli.stored import learned_rules
    from rules.teaching.learned_export import exported

    loaded, _ = configuration(config)
    text, left_out = exported(asyncio.run(learned_rules(loaded)))
    _say_left_out(left_out)
    typer.echo(text, nl=False)


@app.command()
def remove(rule: RuleId, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """End a rule; a running bot stops to use it within seconds."""
    from bot.cli.stored import end_rule

    loaded, _ = configuration(config)
    _print(asyncio.run(end_rule(loaded, rule)))


def _say_left_out(ids: Sequence[str]) -> None:
    for one in ids:
        text = f"Rule {one} cannot be read and is left out; see watchbill rules show {one}."
        errors.print(text, style="yellow", markup=False, highlight=False, soft_wrap=True)


def _print(text: str) -> None:
    screen.print(text, markup=False, highlight=False, soft_wrap=True)
