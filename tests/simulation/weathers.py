"""The weathers of a life: what fails in each of them, and how likely."""

from tests.simulation.chance import FAIR, Weather

WEATHERS: tuple[Weather, ...] = (
    FAIR,
    Weather(throttled=0.3),
    Weather(refused_5xx=0.2, done_5xx=0.2),
    Weather(lost_before=0.2, lost_after=0.3),
    Weather(unreachable=0.9),
    Weather(commit_fails=0.1, commit_unheard=0.1, read_fails=0.01),
    Weather(die=0.004),
    Weather(die=0.02, lost_after=0.1),
    Weather(groups_fail=0.6),
    Weather(sleeps=0.03),
    Weather(0.003, 0.03, 0.03, 0.003, 0.08, 0.05, 0.05, 0.05, 0.08, 0.03, 0.2, 0.003),
)

SILENT: tuple[Weather, ...] = (
    *(Weather(unreachable=1.0),) * 2,
    Weather(unreachable=1.0, service_throttles=0.5),
    Weather(refused_5xx=1.0),
    Weather(unreachable=1.0, service_throttles=0.5),
    Weather(unreachable=0.5, service_fails=0.3, service_done_fails=0.2),
    Weather(unreachable=1.0, service_silent=0.2, service_done_silent=0.3),
    Weather(unreachable=1.0, commit_fails=0.1, commit_unheard=0.1),
    Weather(unreachable=1.0, die=0.01),
    Weather(service_unreachable=0.8),
    Weather(service_refuses=0.3, service_fails=0.2),
    Weather(service_done_silent=0.3, die=0.01),
)
"""What lives in which people are reached besides Slack have more of."""
SLEEPY = (Weather(sleeps=0.03),) * 5
"""What two replicas have more of: one sleeps past its lease, and the other takes over."""
