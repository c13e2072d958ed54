from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.deploy.files import COMPOSE, DEPLOY, read_yaml

FOLDER = DEPLOY / "kubernetes"
KUSTOMIZATION: dict[str, Any] = read_yaml(FOLDER / "kustomization.yaml")
DOCUMENTS: list[dict[str, Any]] = [
    document
    for resource in KUSTOMIZATION["resources"]
    for document in yaml.safe_load_all((FOLDER / resource).read_text(encoding="utf-8"))
]
DEPLOYMENTS = {d["metadata"]["name"]: d["spec"] for d in DOCUMENTS if d["kind"] == "Deployment"}
CONTAINERS = [
    pytest.param(container, id=f"{name}-{container['name']}")
    for name, spec in DEPLOYMENTS.items()
    for container in [
        *spec["template"]["spec"]["containers"],
        *spec["template"]["spec"].get("initContainers", []),
    ]
]


def pod(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DEPLOYMENTS[name]["template"]["spec"]
    return found


def test_every_file_is_in_the_kustomization() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} == {
        *KUSTOMIZATION["resources"],
        "kustomization.yaml",
    }


def test_there_is_a_deployment_for_each_role() -> None:
    assert set(DEPLOYMENTS) == {"collect", "evaluate", "serve"}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_selects_its_own_pods(name: str) -> None:
    spec = DEPLOYMENTS[name]
    assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_pod_is_not_root_and_has_no_token(name: str) -> None:
    assert pod(name)["securityContext"]["runAsNonRoot"] is True
    assert pod(name)["securityContext"]["runAsUser"] == 10001
    assert pod(name)["automountServiceAccountToken"] is False


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_container_cannot_write_to_its_image_or_gain_privileges(container: dict[str, Any]) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_probes_ask_healthz_for_life_and_readyz_for_traffic(name: str) -> None:
    container = pod(name)["containers"][0]
    port = container["ports"][0]["name"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port}
    assert container["startupProbe"]["httpGet"] == {"path": "/healthz", "port": port}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": port}


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_password_and_the_metrics_token_come_as_files_from_secrets(container: dict[str, Any]) -> None:
    config = next(document["data"] for document in DOCUMENTS if document["kind"] == "ConfigMap")
    folder = next(mount for mount in container["volumeMounts"] if mount["name"] == "secrets")["mountPath"]
    assert config["DRIFTBELL_DATABASE_PASSWORD_FILE"] == f"{folder}/password"
    assert config["DRIFTBELL_METRICS_TOKEN_FILE"] == f"{folder}/metrics_token"
    assert {"configMapRef": {"name": "driftbell"}} in container["envFrom"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_both_secrets_are_mounted_for_our_group_only(name: str) -> None:
    volume = next(volume for volume in pod(name)["volumes"] if volume["name"] == "secrets")["projected"]
    assert volume["defaultMode"] == 0o440
    files = {source["secret"]["name"]: source["secret"].get("items") for source in volume["sources"]}
    assert files == {
        "driftbell-database": None,
        "driftbell-metrics": [{"key": "token", "path": "metrics_token"}],
    }


def test_in_a_cluster_keys_are_asked_for() -> None:
    config = next(document["data"] for document in DOCUMENTS if document["kind"] == "ConfigMap")
    assert config["DRIFTBELL_HOST"] == "0.0.0.0"
    assert config["DRIFTBELL_AUTH"] == "keys"


def test_the_service_leads_to_serve() -> None:
    service = next(document["spec"] for document in DOCUMENTS if document["kind"] == "Service")
    assert service["selector"] == DEPLOYMENTS["serve"]["selector"]["matchLabels"]
    assert service["ports"][0]["targetPort"] == pod("serve")["containers"][0]["ports"][0]["name"]


@pytest.mark.parametrize(
    ("name", "twin"), [("collect", "collector"), ("evaluate", "evaluator"), ("serve", "serve")]
)
def test_a_role_is_started_as_compose_starts_it(name: str, twin: str) -> None:
    container = pod(name)["containers"][0]
    service = read_yaml(COMPOSE)["services"][twin]
    assert container["args"] == service["command"]
    for variable in container["env"]:
        assert service["environment"][variable["name"]] == variable["value"]
