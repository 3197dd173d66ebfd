"""`watchbill runs`: what is expected to run, and what has run."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bot.cli.configuration import configuration
from bot.cli.output import print_json, screen
from bot.cli.reading import DEFAULT_CONFIG, At, ConfigFile, Json, instant
from bot.config.settings import Config
from rules.expected_runs import Expectation, ExpectedRuns, Standing
from rules.run import Run
from rules.sentence import counted

app = typer.Typer(help="What is expected to run, and what has run.", no_args_is_help=True)

SourceName = Annotated[str, typer.Option("--source", help="Only runs of this source.")]
Pipeline = Annotated[str, typer.Option("--pipeline", help="Only runs of this pipeline.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many.")]


@app.command("expected")
def expected(config: ConfigFile = DEFAULT_CONFIG, at: At = "", *, as_json: Json = False) -> None:
    """List every expected run: when it is due next, when it was last seen, whether it is late."""
    from bot.cli.stored import standings

    loaded, _ = configuration(config)
    now = instant(at)
    known = {one.name: one for one in asyncio.run(standings(loaded))}
    found = [expectation_json(one, known.get(one.name), now) for one in _expected(loaded)]
    if as_json:
        print_json({"at": now.isoformat(), "expected": found})
        return
    for row in found:
        screen.print(_expected_line(row), markup=False, highlight=False, soft_wrap=True)
    late = sum(row["missed"] > 0 for row in found)
    screen.print(f"{len(found)} expected, {late} overdue", highlight=False)


@app.command("list")
def latest(
    config: ConfigFile = DEFAULT_CONFIG,
    source: SourceName = "",
    pipeline: Pipeline = "",
    limit: Limit = 20,
    *,
    as_json: Json = False,
) -> None:
    """List the runs last heard of, newest first, with the names `expected_runs` needs."""
    from bot.cli.stored import latest_runs

    loaded, _ = configuration(config)
    runs = asyncio.run(latest_runs(loaded, source, pipeline, limit))
    if as_json:
        print_json([run_json(one) for one in runs])
        return
    for one in runs:
        screen.print(_run_line(one), markup=False, highlight=False, soft_wrap=True)
    screen.print(counted(len(runs), "run"), highlight=False)


def expectation_json(one: Expectation, standing: Standing | None, now: datetime) -> dict[str, Any]:
    """Return one expectation as JSON; times are ISO 8601 in UTC."""
    due = standing.due_at if standing and standing.rule == one.rule else None
    due = due or one.schedule.due_after(now)
    return {
        "name": one.name,
        "source": one.source,
        "pipeline": one.pipeline,
        "product": one.product,
        "schedule": one.schedule.cron,
        "timezone": one.schedule.zone,
        "grace_seconds": int(one.grace.total_seconds()),
        "due_at": _iso(due),
        "page_at": _iso(one.late_at(due) if due else None),
        "seen_at": _iso(standing.seen_at if standing else None),
        "run_id": standing.run_id if standing else "",
        "missed": standing.missed if standing else 0,
        "missed_at": _iso(standing.missed_at if standing else None),
    }


def run_json(run: Run) -> dict[str, Any]:
    return {
        "source": run.source,
        "pipeline": run.pipeline,
        "run_id": run.run_id,
        "attempt": run.attempt,
        "state": run.state.value,
        "kind": run.kind,
        "started_at": _iso(run.started_at),
        "ended_at": _iso(run.ended_at),
        "scheduled_for": _iso(run.nominal_at),
        "labels": dict(run.labels),
    }


def _expected(config: Config) -> ExpectedRuns:
    from bot.app.expectations import expected_runs
    from bot.app.holidays import read_holidays
    from rules.catalogue import Catalogue

    catalogue = Catalogue()
    if config.catalogue:
        from bot.catalogue.reading import read_catalogue  # heavy, only for those who have one

        catalogue = read_catalogue(config.catalogue).catalogue
    return expected_runs(config, catalogue, read_holidays(config)[0])


def _expected_line(row: dict[str, Any]) -> str:
    zone = row["timezone"]
    what = f"{row['source']} {row['pipeline']}" if row["pipeline"] else f"product {row['product']}"
    due, page = _local(row["due_at"], zone), _local(row["page_at"], zone, "%H:%M")
    seen = _local(row["seen_at"], zone)
    state = f"OVERDUE since {_local(row['missed_at'], zone)}; " if row["missed"] else ""
    when = f"due {due} {zone}, pages at {page}" if row["due_at"] else "never due"
    return f"{row['name']} ({what}): {state}{when}, last seen {seen}"


def _run_line(run: Run) -> str:
    began = f"{run.began_at:%Y-%m-%d %H:%M}Z" if run.began_at else "-"
    more = "".join([f" {run.kind}" if run.kind else "", f" #{run.attempt}" * (run.attempt > 1)])
    return f"{began}  {run.state.value:9} {run.source}  {run.pipeline}  {run.run_id}{more}"


def _local(iso: str | None, zone: str, style: str = "%Y-%m-%d %H:%M") -> str:
    return (
        datetime.fromisoformat(iso).astimezone(ZoneInfo(zone)).strftime(style) if iso else "never"
    )


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
