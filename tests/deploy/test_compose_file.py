from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it ships no types
import pytest

from service.settings import load_settings
from tests.deploy.files import COMPOSE, PROMETHEUS, REPOSITORY, read_yaml
from tests.deploy.rendering import SHIPPED_RECEIVER

SCHEMA = REPOSITORY / "tests" / "deploy" / "schemas" / "compose-spec.json"
DOCUMENT: dict[str, Any] = read_yaml(COMPOSE)
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
VARIABLE = re.compile(r"\$\{\w+:-(.*?)\}")
OURS = ("migrate", "collector", "evaluator", "serve", "traffic")
ONE_SHOT = {"migrate", "topics"}


def compose_is_installed() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


def defaulted(text: str) -> str:
    return VARIABLE.sub(r"\1", text)


def test_the_file_follows_the_compose_specification() -> None:
    # The schema is older than the project's name at the top of the file.
    known_then = {key: value for key, value in DOCUMENT.items() if key != "name"}
    found = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).iter_errors(known_then)
    assert [f"{error.json_path}: {error.message[:200]}" for error in found] == []


@pytest.mark.skipif(
    not compose_is_installed(), reason="docker has no compose plugin here; the schema is checked"
)
def test_docker_compose_reads_the_file_with_and_without_the_demo() -> None:
    for profile in ([], ["--profile", "demo"]):
        command = [
            shutil.which("docker") or "docker",
            "compose",
            "--file",
            str(COMPOSE),
            *profile,
            "config",
            "--quiet",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_only_for_what_exists_and_can_say_that_it_is_ready(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        if wanted["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other], f"{name} waits for {other}, which has no health check"
        if wanted["condition"] == "service_completed_successfully":
            assert SERVICES[other]["restart"] == "no", f"{other} would never complete"
        assert "profiles" not in SERVICES[other], f"{other} does not start without its profile"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT - {"traffic"}))
def test_what_runs_on_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_the_loopback_address_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_no_two_services_publish_the_same_port() -> None:
    published = [port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == len(set(published))


@pytest.mark.parametrize("name", sorted(set(SERVICES) - set(OURS)))
def test_images_of_others_are_pinned_to_a_version(name: str) -> None:
    assert re.search(r":v?\d+(\.\d+)+(-\w+)?$", SERVICES[name]["image"]), SERVICES[name]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_in_the_repository_or_declared(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (REPOSITORY / source).exists(), source
            assert mount.endswith(":ro"), f"{mount} could be written to"
        else:
            assert source in DOCUMENT["volumes"], source
    for secret in SERVICES[name].get("secrets", []):
        assert (REPOSITORY / defaulted(DOCUMENT["secrets"][secret]["file"])).is_file()


def test_what_is_declared_is_used() -> None:
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    secrets = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert set(DOCUMENT["volumes"]) <= mounted
    assert set(DOCUMENT["secrets"]) == secrets


@pytest.mark.parametrize("name", OURS)
def test_our_containers_run_read_only_without_privileges_and_without_a_password_in_the_environment(
    name: str,
) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not any("PASSWORD" in key and not key.endswith("_FILE") for key in service["environment"])


@pytest.mark.parametrize(
    ("role", "service"), [("serve", "serve"), ("collect", "collector"), ("evaluate", "evaluator")]
)
def test_prometheus_scrapes_every_role_at_the_port_it_is_told_to_use(role: str, service: str) -> None:
    environment = SERVICES[service]["environment"]
    port = environment["DRIFTBELL_PORT"] if role == "serve" else environment["DRIFTBELL_METRICS_PORT"]
    assert read_yaml(PROMETHEUS / "targets" / f"{role}.yml") == [{"targets": [f"{service}:{port}"]}]


def test_prometheus_sends_the_token_that_every_role_asks_for() -> None:
    secret = "/run/secrets/metrics_token"
    scrapes = read_yaml(PROMETHEUS / "prometheus.yml")["scrape_configs"]
    assert [scrape["authorization"] for scrape in scrapes] == [{"credentials_file": secret}] * 3
    assert "metrics_token" in SERVICES["prometheus"]["secrets"]
    for service in ("serve", "collector", "evaluator"):
        assert SERVICES[service]["environment"]["DRIFTBELL_METRICS_TOKEN_FILE"] == secret
        assert "metrics_token" in SERVICES[service]["secrets"]


def test_every_setting_of_our_services_is_one_that_they_take(tmp_path: Path) -> None:
    for name in OURS:
        environment = {key: defaulted(value) for key, value in SERVICES[name]["environment"].items()}
        for secret in SERVICES[name]["secrets"]:
            copy = tmp_path / secret
            copy.write_bytes((REPOSITORY / defaulted(DOCUMENT["secrets"][secret]["file"])).read_bytes())
            copy.chmod(0o600)
            environment = {k: v.replace(f"/run/secrets/{secret}", str(copy)) for k, v in environment.items()}
        load_settings(environment)


def test_every_topic_that_is_read_or_sent_to_is_made_before_anybody_needs_it() -> None:
    environment = SERVICES["evaluator"]["environment"]
    named = [environment[f"DRIFTBELL_{name}"] for name in ("KAFKA_TOPICS", "FEEDBACK_TOPIC")]
    assert SERVICES["topics"]["environment"]["TOPICS"] == ",".join(named)
    assert "${DRIFTBELL_FEEDBACK_TOPIC:-}" in named
    for name in ("collector", "evaluator"):
        assert SERVICES[name]["depends_on"]["topics"] == {"condition": "service_completed_successfully"}


def test_without_a_key_serve_answers_only_on_names_of_this_machine_and_to_prometheus() -> None:
    environment = SERVICES["serve"]["environment"]
    assert defaulted(environment["DRIFTBELL_AUTH"]) == "open"
    assert set(defaulted(environment["DRIFTBELL_ALLOWED_HOSTS"]).split(",")) == {
        "localhost",
        "127.0.0.1",
        "serve",
    }


def test_alertmanager_is_where_prometheus_looks_for_it_and_so_is_the_receiver() -> None:
    assert read_yaml(PROMETHEUS / "targets" / "alertmanager.yml") == [{"targets": ["alertmanager:9093"]}]
    assert f"http://receiver:{SERVICES['receiver']['command'][-1].split(':')[1]}" == SHIPPED_RECEIVER


def test_the_demo_starts_only_when_asked_for() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"traffic"}
    assert SERVICES["traffic"]["profiles"] == ["demo"]
