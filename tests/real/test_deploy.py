"""The chart and the alerts, judged by Helm, by Kubernetes' own schemas and by promtool."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config.file import load
from tests.real import tools
from tests.real.environments import environment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

REPO = Path(__file__).parents[2]
CHART = REPO / "deploy/helm/watchbill"
ALERTS = REPO / "deploy/prometheus/alerts.yaml"
KUBERNETES = ("1.27", "1.31", "1.35")
OF_THE_OPERATOR = {"ServiceMonitor", "PrometheusRule"}
ROSTER = "# zone: UTC\nWeek of,Primary,Secondary\n2026-11-16,ana@example.com,bo@example.com\n"
LEAST: dict[str, Any] = {
    "roster": {"csv": ROSTER},
    "config": {
        "people": [{"name": "Ana Ruiz", "email": "ana@example.com"},
                   {"name": "Bo Chen", "email": "bo@example.com"}],
        "sources": [{"name": "airflow", "kind": "airflow", "secret": "${AIRFLOW_SECRET}"}],
        "rotations": {"data": {"zone": "UTC"}},
        "fallback": ["ana@example.com"],
    },
}  # fmt: skip
ALL = LEAST | {
    "files": {"catalogue.yaml": "products: []\n"},
    "secretFiles": [{"secret": "google", "path": "/etc/watchbill-google"}],
    "imagePullSecrets": [{"name": "pull"}],
    "ingress": {"enabled": True, "host": "w.example", "className": "nginx", "tlsSecret": "tls"},
    "monitoring": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
    },
    "backup": {"enabled": True, "claim": "dumps"},
    "networkPolicy": {"enabled": True, "egress": [{"ports": [{"port": 587}]}]},
    "serviceAccount": {"annotations": {"a": "b"}},
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "data"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
    "extraEnv": [{"name": "TZ", "value": "UTC"}],
}
VALIDATE = """
import json, sys
import kubernetes_validate
versions, manifests = json.load(sys.stdin)
for version in versions:
    for one in manifests:
        kubernetes_validate.validate(one, version, strict=True)
"""


@pytest.fixture(scope="module")
def helm() -> Path:
    return tools.helm()


def rendered(helm: Path, folder: Path, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every manifest by kind and name, or raise with what Helm says."""
    (folder / "values.yaml").write_text(json.dumps(values))
    done = subprocess.run(
        [helm, "template", "night", CHART, "--values", folder / "values.yaml"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(folder)},
    )
    if done.returncode:
        raise ValueError(done.stderr)
    found = [one for one in yaml.safe_load_all(done.stdout) if one]
    named = {f"{one['kind']}/{one['metadata']['name']}": one for one in found}
    assert len(named) == len(found)
    return named


@pytest.fixture(scope="module")
def everything(helm: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    return rendered(helm, tmp_path_factory.mktemp("all"), ALL)


def containers(manifests: dict[str, dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Any]]:
    for one in manifests.values():
        spec = one.get("spec", {})
        job = spec.get("jobTemplate", {}).get("spec", spec)
        pod = job.get("template", {}).get("spec")
        for container in pod["containers"] if pod else ():
            yield pod, container


@pytest.mark.parametrize("values", [LEAST, ALL], ids=["least", "all"])
def test_the_manifests_are_what_kubernetes_takes(
    helm: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    manifests = rendered(helm, tmp_path, values)
    known = [one for one in manifests.values() if one["kind"] not in OF_THE_OPERATOR]
    done = subprocess.run(
        [environment("kubernetes") / "python", "-c", VALIDATE],
        input=json.dumps([KUBERNETES, known]),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert {one["kind"] for one in known} >= {"Deployment", "Service", "PodDisruptionBudget"}


def test_helm_finds_no_fault_in_the_chart(helm: Path, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text(json.dumps(LEAST))
    command = [str(helm), "lint", "--strict", str(CHART), "--values", str(tmp_path / "values.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, env={"HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rendered_configuration_loads(helm: Path, tmp_path: Path) -> None:
    config = rendered(helm, tmp_path, ALL)["ConfigMap/night-watchbill-config"]["data"]
    for name, text in config.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "roster.csv").write_text(ROSTER)
    names = ("DATABASE_URL", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "AIRFLOW_SECRET")
    values = dict.fromkeys(names, "xoxb-of-the-environment")
    values["DATABASE_URL"] = "postgresql://watchbill@postgres/watchbill"
    values["SLACK_APP_TOKEN"] = "xapp-of-the-environment"
    loaded = load(tmp_path / "config.yaml", values)
    assert not loaded.faults, loaded.faults
    assert loaded.config is not None
    assert loaded.config.listen == "0.0.0.0:8080"


def test_http_mode_asks_for_no_app_token(helm: Path, tmp_path: Path) -> None:
    slack = {"mode": "http", "signing_secret": "${SLACK_SIGNING_SECRET}"}
    config = LEAST["config"] | {"slack": slack, "public_url": "https://w.example"}
    manifests = rendered(helm, tmp_path, LEAST | {"config": config, "replicaCount": 6})
    text = manifests["ConfigMap/night-watchbill-config"]["data"]["config.yaml"]
    (tmp_path / "config.yaml").write_text(text)
    names = ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "AIRFLOW_SECRET")
    values = dict.fromkeys(names, "xoxb-of-the-environment")
    values["DATABASE_URL"] = "postgresql://watchbill@postgres/watchbill"
    loaded = load(tmp_path / "config.yaml", values)
    assert not loaded.faults, loaded.faults


def test_nothing_runs_with_more_rights_than_it_needs(
    everything: dict[str, dict[str, Any]],
) -> None:
    found = list(containers(everything))
    assert len(found) == 2
    for pod, container in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert set(container["resources"]) == {"requests", "limits"}


def test_hooks_are_never_balanced_by_readiness_of_slack(
    everything: dict[str, dict[str, Any]],
) -> None:
    (bot,) = (c for _, c in containers(everything) if c["name"] == "watchbill")
    probes = [
        bot[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")
    ]
    assert probes == ["/healthz"] * 3
    pod = everything["Deployment/night-watchbill"]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= 5 + 30


def test_the_ingress_keeps_the_inside_inside(everything: dict[str, dict[str, Any]]) -> None:
    (rule,) = everything["Ingress/night-watchbill"]["spec"]["rules"]
    paths = {one["path"] for one in rule["http"]["paths"]}
    assert "/hooks" in paths
    assert not {"/", "/metrics", "/readyz"} & paths


def test_prometheus_gets_the_same_alerts_and_the_job_they_ask_for(
    everything: dict[str, dict[str, Any]],
) -> None:
    rule = everything["PrometheusRule/night-watchbill"]["spec"]
    assert rule == yaml.safe_load(ALERTS.read_text())
    monitor = everything["ServiceMonitor/night-watchbill"]["spec"]
    service = everything["Service/night-watchbill"]
    labels = service["metadata"]["labels"]
    assert labels[monitor["jobLabel"]] == "watchbill"
    assert monitor["selector"]["matchLabels"].items() <= labels.items()
    assert monitor["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    shown = everything["ConfigMap/night-watchbill-dashboard"]["data"]["watchbill.json"]
    assert json.loads(shown) == json.loads((REPO / "deploy/grafana/watchbill.json").read_text())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"config": {"database": "sqlite:////x.db"}}, "one PostgreSQL"),
        ({"replicaCount": 5}, "at most 4"),
        ({"secret": ""}, "name the Secret"),
        ({"roster": {"csv": ""}}, "give its text"),
        ({"roster": {"csv": "x", "configMap": "y"}}, "not both"),
        ({"ingress": {"enabled": True}}, "ingress.host"),
        ({"backup": {"enabled": True}}, "backup.claim"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_do(
    helm: Path, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        rendered(helm, tmp_path, {**LEAST, **change})


def test_more_replicas_are_welcome_in_http_mode(helm: Path, tmp_path: Path) -> None:
    config = {**LEAST["config"], "slack": {"mode": "http"}}
    manifests = rendered(helm, tmp_path, {**LEAST, "config": config, "replicaCount": 9})
    assert manifests["Deployment/night-watchbill"]["spec"]["replicas"] == 9


def test_one_replica_has_no_budget_that_would_keep_its_node(helm: Path, tmp_path: Path) -> None:
    assert not any(
        name.startswith("PodDisruptionBudget/")
        for name in rendered(helm, tmp_path, {**LEAST, "replicaCount": 1})
    )


def test_the_alerts_fire_when_they_should_and_only_then() -> None:
    promtool = tools.promtool()
    for word, file in (("check", ALERTS), ("test", REPO / "tests/deploy/alerts.yaml")):
        command = [str(promtool), word, "rules", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
