"""What a run is about and what an incident waits for, as keys that are compared."""

from collections.abc import Collection, Mapping

from rules.catalogue import Catalogue
from rules.expected_runs import EXPECTED, ExpectedRuns
from rules.folding import run_key
from rules.incident import Incident
from rules.products.running import MOST_ASSETS, products_of
from rules.run import Run

_PIPELINES = (
    ("dag_id",),
    ("account_id", "job_id"),
    ("repository", "workflow_id", "branch"),
    ("job_namespace", "job"),
    ("pipeline",),
)
"""Labels that name a pipeline together, whichever source tells them."""


def pipeline_key(labels: Mapping[str, str]) -> str:
    """Return what names the pipeline that labels tell of, equal in every source; "" for none."""
    for names in _PIPELINES:
        values = [labels.get(name, "") for name in names]
        if all(values):
            where = labels.get("instance", "")
            return "/".join((names[-1], "" if where == "airflow" else where, *values))
    return ""


def of_another_pipeline(ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Tell whether labels name two pipelines; of which instance does not matter here."""
    for names in _PIPELINES:
        one, other = ([labels.get(name, "") for name in names] for labels in (ours, theirs))
        if all(one) and all(other):
            return one != other
    return False


def node_of(labels: Mapping[str, str]) -> str:
    """Return the part of a pipeline that labels are about, as a run lists it; "" for all of it."""
    if node := labels.get("unique_id"):
        return node
    dag, task = labels.get("dag_id", ""), labels.get("task_id", "")
    return f"task:{dag}.{task}" if dag and task else ""


def expectation_key(name: str) -> str:
    return f"expected:{name}"


def awaited_by(at: Incident) -> frozenset[str]:
    """Return the keys of what could prove the incident's fix."""
    expects = at.verification.expects if at.verification else None
    keys = {pipeline_key(at.labels), node_of(at.labels), at.asset}
    if expects is not None and expects.expectation:
        keys.add(expectation_key(expects.expectation))
    if at.source == EXPECTED and (name := at.labels.get("expected_run")):
        keys.add(expectation_key(name))
    if not keys - {""} and at.product:
        keys.add(f"product:{at.product}")
    return frozenset(keys - {""})


def told_by(
    run: Run, catalogue: Catalogue, expected: ExpectedRuns, trials: Collection[str]
) -> frozenset[str]:
    """Return the keys of all that a run is about; one in `trials` tells of no product."""
    keys = {pipeline_key(run.labels), *run.assets[:MOST_ASSETS]}
    found = catalogue.find(run.labels)
    if found and found.asset:
        keys.add(found.asset.id)
    keys |= {asset.id for one in run.assets[:MOST_ASSETS] if (asset := catalogue.asset(one))}
    products = products_of(run, catalogue, trials)
    keys |= {f"product:{product}" for product in products}
    keys |= {expectation_key(one.name) for one in expected.met_by(run, products)}
    return frozenset(keys - {""})


def same_run(at: Incident, labels: Mapping[str, str]) -> bool:
    """Tell whether labels are of the run that the incident is about, tried again."""
    return bool(at.run_key) and run_key(labels) == at.run_key
