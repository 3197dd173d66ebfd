"""`watchbill calendar sync`: one comparison of each shared calendar, with a progress line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.app.calendars import shared_plan
from bot.calendar.budget import Budget
from bot.calendar.google import GoogleCalendarApi, service_account_file
from bot.calendar.google_faults import LaterError, RefusedError
from bot.calendar.reconcile import Progress, Reconciler, Report
from bot.cli.output import errors
from bot.clock import SystemClock
from bot.config.calendar import GoogleCalendarSpec
from bot.config.settings import Config
from rules.rotation import OnCall


async def sync_now(
    config: Config, spec: GoogleCalendarSpec, on_call: OnCall, rotations: Sequence[str]
) -> tuple[list[str], bool]:
    """Write each calendar once; return what to say, and whether all of it went well."""
    clock = SystemClock()
    api = GoogleCalendarApi(service_account_file(spec.credentials), api_url=spec.api_url)
    budget = Budget(spec.calls_per_minute, clock)
    lines, good = [], True
    try:
        for name in rotations:
            if name not in on_call.ever:
                lines.append(f"{name}: the roster has no such rotation; its calendar stays.")
                good = False
                continue
            wanted = shared_plan(config.calendar, on_call, config.directory(), name, clock.now())
            one = Reconciler(api, spec.calendars[name], name, clock=clock, budget=budget)
            try:
                with _progress(name) as on_progress:
                    report = await one.reconcile(wanted, on_progress)
            except (LaterError, RefusedError) as error:
                lines.append(f"{name}: {error}")
                good = False
            else:
                lines += _told(name, report)
                good = good and not report.problems
    finally:
        api.close()
    return lines, good


def _told(name: str, report: Report) -> Iterator[str]:
    counts = ", ".join(f"{count} {act.value}" for act, count in report.writes.items())
    yield f"{name}: {report.events} events; {counts or 'nothing to write'} ({report.calls} calls)"
    yield from (f"  {problem}" for problem in report.problems[:10])


@contextmanager
def _progress(name: str) -> Iterator[Progress]:
    """Draw a bar on a terminal, and nothing into a pipe."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(
        *columns, console=errors.console, transient=True, disable=not errors.console.is_terminal
    ) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
