"""How far a source's word that a thing is well again can be trusted, by the kind of source."""

from collections.abc import Mapping
from enum import StrEnum

from rules.expected_runs import EXPECTED


class Signal(StrEnum):
    """What stands behind "resolved": a later run or check, a look at the thing, or a click."""

    RUN = "run"
    MONITOR = "monitor"
    CLICK = "click"


SIGNALS: Mapping[str, Signal] = {
    "airflow": Signal.RUN,
    "dbt": Signal.RUN,
    "dbt_cloud": Signal.RUN,
    "github": Signal.RUN,
    "great_expectations": Signal.RUN,
    "heartbeat": Signal.RUN,
    "openlineage": Signal.RUN,
    "alertmanager": Signal.MONITOR,
    "cloudevents": Signal.MONITOR,
    "gcp_monitoring": Signal.MONITOR,
    "generic": Signal.MONITOR,
    "grafana": Signal.MONITOR,
    # a person closes these, or nobody looked again
    "gcp_logging": Signal.CLICK,
    "jira_service_management": Signal.CLICK,
    "opsgenie": Signal.CLICK,
    "pagerduty": Signal.CLICK,
    "sentry": Signal.CLICK,
    # an alarm is well again also when no data comes
    "sns": Signal.CLICK,
}


def signal_of(source: str, kinds: Mapping[str, str]) -> Signal | None:
    """Return what a source's word is worth, by its configured kind; None where that is unknown."""
    if source == EXPECTED:
        return Signal.RUN
    return SIGNALS.get(kinds.get(source, ""))
