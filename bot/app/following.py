"""Builds the calendars of a configuration: feeds, and the Google calendars that follow."""

import random
import uuid
from collections.abc import Mapping

from bot.app.calendars import CalendarParts, Calendars
from bot.calendar.following import Followers, FollowerSettings
from bot.clock import Clock
from bot.config.calendar import GoogleCalendarSpec
from bot.config.settings import Config
from bot.metrics import Metrics
from bot.roster.roster import Roster
from bot.store.opening import OpenedStore
from rules.calendar.plan import Act
from rules.people import People


def calendars_of(
    config: Config,
    store: OpenedStore,
    roster: Roster | None,
    clock: Clock,
    metrics: Metrics,
    people: People,
) -> Calendars | None:
    """Return the calendars; None when neither feeds nor Google calendars are configured."""
    spec = config.calendar
    if roster is None or not (spec.secret.get_secret_value() or spec.google):
        return None
    parts = CalendarParts(
        spec=spec,
        base_url=config.base_url,
        people=people,
        roster=roster,
        reader=store.reader,
        store=store.calendars,
        clock=clock,
        holder=uuid.uuid4().hex,
        shared=store.shared,
        on_lag=lambda name, seconds: metrics.calendar_lag.labels(name).set(seconds),
    )
    calendars = Calendars(parts)
    if spec.google is not None:
        _follow(calendars, parts, spec.google, metrics)
    return calendars


def _follow(
    calendars: Calendars, parts: CalendarParts, spec: GoogleCalendarSpec, metrics: Metrics
) -> None:
    # imported here: Google's client takes 0.3 s and 20 MB, which only who uses it should pay
    from bot.calendar.budget import Budget
    from bot.calendar.google import GoogleCalendarApi, service_account_file
    from bot.calendar.reconcile import Reconciler

    api = GoogleCalendarApi(service_account_file(spec.credentials), api_url=spec.api_url)
    budget = Budget(spec.calls_per_minute, parts.clock)

    def observe(rotation: str, writes: Mapping[Act, int] | None) -> None:
        if writes is None:
            metrics.calendar_failures.labels(rotation).inc()
        for act, count in (writes or {}).items():
            metrics.calendar_writes.labels(rotation, act.value).inc(count)

    parts.followers = Followers(
        {
            rotation: Reconciler(api, calendar, rotation, clock=parts.clock, budget=budget)
            for rotation, calendar in spec.calendars.items()
        },
        parts.clock,
        FollowerSettings(
            every=spec.every,
            random=random.SystemRandom().random,
            save=parts.store.save_following,
            observe=observe,
            may_write=calendars.leads,
        ),
    )
    parts.close = api.close
