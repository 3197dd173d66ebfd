"""A DAG whose `load` fails for as long as the file named by BROKEN exists."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from watchbill_airflow import watchbill  # type: ignore[import-not-found]

try:
    from airflow.sdk import DAG, task  # type: ignore[import-not-found]
except ImportError:
    from airflow.decorators import task  # type: ignore[import-not-found]
    from airflow.models.dag import DAG  # type: ignore[import-not-found]

wb = watchbill(product="orders", labels={"tier": "1"})

with DAG(
    "daily_orders",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    schedule=None,
    catchup=False,
    tags=["finance", "tier1"],
    default_args={
        "owner": "data-orders",
        "retries": 1,
        "retry_delay": timedelta(seconds=15),
        **wb.task_callbacks(),
    },
    **wb.dag_callbacks(),
):

    @task
    def extract():
        return {"id": 1}

    @task
    def load(row):
        if Path(os.environ["BROKEN"]).exists():
            return row["amount"]
        return row["id"]

    @task
    def mart(value):
        return value

    mart(load(extract()))

with DAG(
    "plain_orders",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    schedule=None,
    catchup=False,
):

    @task
    def check():
        if Path(os.environ["BROKEN"]).exists():
            raise ValueError("37 rows have no customer")

    check()
