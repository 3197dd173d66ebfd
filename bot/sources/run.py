"""The run that an alert belongs to, where its labels tell."""

from collections.abc import Mapping

from bot.sources.text import key

RUN_IDS = ("run_id", "dag_run_id")


def run_of(labels: Mapping[str, str]) -> str:
    """Return the group key of a DAG's run, as an Airflow source writes it, or nothing."""
    dag, run = labels.get("dag_id"), next(filter(None, map(labels.get, RUN_IDS)), None)
    return key(f"{dag}/{run}") if dag and run else ""
