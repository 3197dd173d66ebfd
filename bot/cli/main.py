"""The tree of commands."""

import typer

from bot.cli import (
    access,
    access_probe,
    auditing,
    backup,
    calendar,
    catalogue,
    contact,
    journal,
    learned,
    people,
    reading,
    roster_commands,
    runbooks,
    runs,
    serving,
)

app = typer.Typer(
    name="watchbill",
    help="The on-call bot for data teams, in Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
outbox = typer.Typer(help="What could not be delivered.", no_args_is_help=True)

app.command()(serving.demo)
app.command()(serving.serve)
app.command()(reading.check)
app.command()(reading.explain)
app.command()(reading.who)
app.command()(serving.send)
app.command()(serving.local_google)
app.command()(serving.replay)
app.command()(reading.manifest)
app.command()(people.people)
app.command()(serving.migrate)
app.command()(auditing.audit)
app.command()(backup.backup)
app.command()(backup.restore)
outbox.command("dead")(serving.outbox_dead)
outbox.command("retry")(serving.outbox_retry)
access.app.command("probe")(access_probe.probe)
app.add_typer(access.app, name="access")
app.add_typer(calendar.app, name="calendar")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(contact.app, name="contact")
app.add_typer(people.followers_app, name="followers")
app.add_typer(journal.app, name="journal")
app.add_typer(learned.app, name="rules")
app.add_typer(runbooks.app, name="runbooks")
app.add_typer(runs.app, name="runs")
app.add_typer(roster_commands.app, name="roster")
app.add_typer(outbox, name="outbox")
