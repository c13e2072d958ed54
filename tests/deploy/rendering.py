"""Makes a configuration that runs on this machine out of the shipped one: only addresses and waits differ.

The flow test starts a real Prometheus and a real Alertmanager with it::

    made = render(tmp_path, serve="127.0.0.1:8765", alertmanager="127.0.0.1:9093",
                  webhook_url="http://127.0.0.1:9099", for_override="0s")
    prometheus   --config.file={made.prometheus} --storage.tsdb.path=... --web.listen-address=127.0.0.1:...
    prometheus-alertmanager --config.file={made.alertmanager} --storage.path=... --cluster.listen-address=
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.files import ALERTMANAGER, PROMETHEUS, read_yaml

SHIPPED_RECEIVER = "http://receiver:9099"


@dataclass(frozen=True)
class Rendered:
    """Where the two configuration files were written."""

    prometheus: Path
    alertmanager: Path


def render(
    folder: Path,
    *,
    serve: str,
    alertmanager: str,
    webhook_url: str,
    pipeline: Mapping[str, str] | None = None,
    scrape_interval: str = "1s",
    for_override: str | None = None,
    metrics_token: str = "metrics-token-of-a-test",
) -> Rendered:
    """Write the shipped configuration below ``folder`` with other addresses; return where it is.

    Pages arrive at ``{webhook_url}/page``, tickets at ``{webhook_url}/ticket``, without Alertmanager's waits.
    ``pipeline`` has the addresses of ``collect`` and ``evaluate``; without them these have no targets, as
    with ``driftbell run``. ``for_override`` takes the place of every ``for`` and ``keep_firing_for``;
    ``None`` keeps what is shipped. ``metrics_token`` is sent with each scrape.
    """
    nobody = {"collect": None, "evaluate": None}
    targets = {"serve": serve, "alertmanager": alertmanager, **nobody, **(pipeline or {})}
    to = folder / "prometheus"
    shutil.copytree(PROMETHEUS / "targets", to / "targets")
    for role, address in targets.items():
        _write(to / "targets" / f"{role}.yml", [{"targets": [address]}] if address else [])
    (to / "metrics_token").write_text(metrics_token, encoding="utf-8")
    _write(to / "prometheus.yml", _hurried_scrapes(read_yaml(PROMETHEUS / "prometheus.yml"), scrape_interval))
    rules = read_yaml(PROMETHEUS / "rules.yml")
    _write(to / "rules.yml", _hurried_rules(rules, scrape_interval, for_override))
    routing = _hurried_routing(read_yaml(ALERTMANAGER), webhook_url)
    _write(folder / "alertmanager" / "alertmanager.yml", routing)
    return Rendered(to / "prometheus.yml", folder / "alertmanager" / "alertmanager.yml")


def _write(path: Path, document: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def _hurried_scrapes(config: dict[str, Any], interval: str) -> dict[str, Any]:
    hurried = {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval}
    for scrape in config["scrape_configs"]:
        scrape["authorization"]["credentials_file"] = "metrics_token"  # relative to the file
    return config | {"global": config["global"] | hurried}


def _hurried_rules(config: dict[str, Any], interval: str, for_override: str | None) -> dict[str, Any]:
    for group in config["groups"]:
        group["interval"] = interval
        for rule in group["rules"] if for_override is not None else []:
            rule.update({wait: for_override for wait in ("for", "keep_firing_for") if wait in rule})
    return config


def _hurried_routing(config: dict[str, Any], webhook_url: str) -> dict[str, Any]:
    for receiver in config["receivers"]:
        for webhook in receiver.get("webhook_configs", []):
            webhook["url"] = webhook["url"].replace(SHIPPED_RECEIVER, webhook_url.rstrip("/"))
    _hurry(config["route"])
    return config


def _hurry(route: dict[str, Any]) -> None:
    # A group interval of zero is refused by Alertmanager.
    hurried = {"group_wait": "0s", "group_interval": "1s"}
    route.update({wait: value for wait, value in hurried.items() if wait in route})
    for below in route.get("routes", []):
        _hurry(below)
