"""Reports three runs of a job with OpenLineage's own client; run in its environment."""

import sys
from pathlib import Path

import yaml  # comes with the client
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    data_quality_assertions_dataset,
    error_message_run,
    job_type_job,
    nominal_time_run,
    ownership_dataset,
    ownership_job,
    parent_run,
    test_run,
)

ORDERS = ("postgres://warehouse:5432", "shop.public.orders")
REVENUE = ("postgres://warehouse:5432", "shop.public.revenue")
PARENT = "3f5e83fa-3480-44ff-99c5-ff943904e5e8"
RUNS = {
    "fail": "01906e2c-0000-7000-8000-000000000001",
    "complete": "01906e2c-0000-7000-8000-000000000002",
    "recover": "01906e2c-0000-7000-8000-000000000003",
    "consume": "01906e2c-0000-7000-8000-000000000004",
}


def main(what: str) -> None:
    config = Path(__file__).with_name("openlineage.yml")
    client = OpenLineageClient(config=_read(config))
    if what == "consume":
        client.emit(_consumer("airflow-prod", "build.revenue", "AIRFLOW", "TASK", made=True))
        client.emit(_consumer("tableau", "Revenue board", "TABLEAU", "DASHBOARD", made=False))
        print("sent")
        return
    states = {"fail": RunState.FAIL}
    for at, state in enumerate((RunState.START, states.get(what, RunState.COMPLETE))):
        client.emit(_event(what, state, f"2026-11-22T15:0{at}:00.000000Z"))
    print("sent")


def _read(path: Path) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(path.read_text())
    return found


def _event(what: str, state: RunState, time: str) -> RunEvent:
    facets = {
        "nominalTime": nominal_time_run.NominalTimeRunFacet(
            nominalStartTime="2026-11-21T02:00:00Z"
        ),
        "parent": parent_run.ParentRunFacet(
            run=parent_run.Run(runId=PARENT), job=parent_run.Job("airflow-prod", "load_orders")
        ),
    }
    if state == RunState.FAIL:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message='relation "raw.orders" does not exist', programmingLanguage="PYTHON"
        )
    inputs = []
    if state == RunState.COMPLETE:
        inputs = [InputDataset(*ORDERS, inputFacets=_assertions(good=what == "recover"))]
        facets["test"] = test_run.TestRunFacet(
            tests=[test_run.TestExecution(name="no_orphans", status="pass")]
        )
    owner = ownership_job.Owner(name="team:shop", type="MAINTAINER")
    return RunEvent(
        eventType=state,
        eventTime=time,
        run=Run(RUNS[what], facets=facets),
        job=Job(
            "airflow-prod",
            "load_orders.load",
            facets={"ownership": ownership_job.OwnershipJobFacet(owners=[owner])},
        ),
        producer="https://openlineage.example/producer",
        inputs=inputs,
        outputs=[OutputDataset(*ORDERS)],
    )


def _consumer(namespace: str, name: str, tool: str, kind: str, *, made: bool) -> RunEvent:
    """Return a run that makes the revenue of the orders, or one that only shows it."""
    job_type = job_type_job.JobTypeJobFacet(processingType="BATCH", integration=tool, jobType=kind)
    owner = ownership_dataset.Owner(name="user:bo", type="OWNER")
    facets = {"ownership": ownership_dataset.OwnershipDatasetFacet(owners=[owner])}
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime="2026-11-22T15:05:00.000000Z",
        run=Run(RUNS["consume"]),
        job=Job(namespace, name, facets={"jobType": job_type}),
        producer="https://openlineage.example/producer",
        inputs=[InputDataset(*(ORDERS if made else REVENUE))],
        outputs=[OutputDataset(*REVENUE, facets=facets)] if made else [],
    )


def _assertions(*, good: bool) -> dict[str, object]:
    assertion = data_quality_assertions_dataset.Assertion
    return {
        "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            assertions=[
                assertion(
                    assertion="not_null",
                    success=good,
                    column="customer_id",
                    expected="0",
                    actual="0" if good else "37",
                ),
                assertion(assertion="unique", success=True, column="id"),
            ]
        )
    }


if __name__ == "__main__":
    main(sys.argv[1])
