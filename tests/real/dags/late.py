"""A DAG that misses its deadline (Airflow 3.1 and later)."""

import time
from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, task  # type: ignore[import-not-found]
from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference  # type: ignore[import-not-found]

with DAG(
    "late_orders",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    schedule=None,
    catchup=False,
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(seconds=1),
        callback=AsyncCallback(
            "watchbill_airflow.deadline_missed",
            kwargs={"product": "orders", "name": "by nine"},
        ),
    ),
):

    @task
    def slow():
        time.sleep(20)

    slow()
