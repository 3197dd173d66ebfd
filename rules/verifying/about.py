"""What a run is about and what an incident waits for, as keys that are compared."""

from collections.abc import Mapping

from rules.catalogue import Catalogue
from rules.expected_runs import EXPECTED, ExpectedRuns
from rules.folding import run_key
from rules.incident import Incident
from rules.run import Run

_PIPELINES = (
    ("dag_id",),
    ("account_id", "job_id"),
    ("repository", "workflow_id", "branch"),
    ("job_namespace", "job"),
    ("pipeline",),
)
"""Labels that name a pipeline together, whichever source tells them."""
_MOST_NODES = 20_000


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


def told_by(run: Run, catalogue: Catalogue, expected: ExpectedRuns) -> frozenset[str]:
    """Return the keys of all that a run is about."""
    keys = {pipeline_key(run.labels), *run.assets[:_MOST_NODES]}
    found = catalogue.find(run.labels)
    if found and found.asset:
        keys.add(found.asset.id)
    products = {found.product.id} if found and found.product else set()
    for one in run.assets[:_MOST_NODES]:
        asset = catalogue.asset(one)
        if asset is not None:
            keys.add(asset.id)
            products.add(asset.product)
    products.discard("")
    keys |= {f"product:{product}" for product in products}
    served = [*expected.of_pipeline(run.source, run.pipeline)]
    served += [one for product in products for one in expected.of_product(product)]
    keys |= {expectation_key(one.name) for one in served}
    return frozenset(keys - {""})


def same_run(at: Incident, labels: Mapping[str, str]) -> bool:
    """Tell whether labels are of the run that the incident is about, tried again."""
    return bool(at.run_key) and run_key(labels) == at.run_key
