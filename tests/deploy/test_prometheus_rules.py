from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.binaries import run, said
from tests.deploy.files import PROMETHEUS, RULE_TESTS, RULES, RUNBOOKS, alerts, metrics_in, read_yaml, rules
from tests.deploy.known_metrics import KNOWN_METRICS

RUNBOOK_BASE = "https://driftbell.readthedocs.io/en/latest/runbooks/"


def cases() -> list[dict[str, Any]]:
    return [case for path in RULE_TESTS for case in read_yaml(path)["tests"]]


@pytest.mark.prometheus
def test_prometheus_accepts_the_configuration_and_its_rules() -> None:
    # The metrics token is not here: with its file, too, the rendered configuration is checked.
    done = run("promtool", "check", "config", "--syntax-only", PROMETHEUS / "prometheus.yml")
    assert done.returncode == 0, said(done)
    checked = run("promtool", "check", "rules", RULES)
    assert checked.returncode == 0, said(checked)
    assert "rules found" in checked.stdout


@pytest.mark.prometheus
@pytest.mark.parametrize("tests", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_are_pending_firing_cleared_and_absent_when_they_should(tests: Path) -> None:
    done = run("promtool", "test", "rules", tests)
    assert done.returncode == 0, said(done)


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_who_is_woken_what_it_is_and_where_to_read_on(name: str) -> None:
    alert = alerts()[name]
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    assert alert["annotations"]["runbook_url"] == RUNBOOK_BASE + name


@pytest.mark.parametrize("name", alerts())
def test_the_rule_tests_show_an_alert_firing_and_not_firing(name: str) -> None:
    shown = [shown for case in cases() for shown in case.get("alert_rule_test", [])]
    states = [state for case in cases() for state in case.get("promql_expr_test", [])]
    assert any(one["alertname"] == name and one["exp_alerts"] for one in shown)
    assert any(f'alertname="{name}"' in one["expr"] and not one["exp_samples"] for one in states)


@pytest.mark.parametrize("name", [name for name, alert in alerts().items() if "for" in alert])
def test_the_rule_tests_show_an_alert_that_waits_as_pending(name: str) -> None:
    states = [state for case in cases() for state in case.get("promql_expr_test", [])]
    pending = [state for state in states if any("pending" in str(sample) for sample in state["exp_samples"])]
    assert any(f'alertname="{name}"' in state["expr"] for state in pending)


def test_rules_use_only_metrics_that_driftbell_exports() -> None:
    assert metrics_in(RULES.read_text(encoding="utf-8")) <= KNOWN_METRICS


def test_rules_that_use_a_recorded_series_have_it_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    used = {name for rule in rules() for name in re.findall(r"driftbell:\w+", rule["expr"])}
    assert used == recorded


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == set(alerts())


@pytest.mark.parametrize("name", alerts())
def test_a_runbook_says_what_it_means_what_to_look_at_and_what_helps(name: str) -> None:
    text = (RUNBOOKS / f"{name}.md").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith("#")]
    assert titles == [f"# {name}", "## What it means", "## Look at first", "## What usually helps"]


def test_runbooks_link_only_to_runbooks_and_name_only_known_metrics() -> None:
    for path in RUNBOOKS.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        assert metrics_in(text) <= KNOWN_METRICS, path.name
        for target in re.findall(r"\]\((.+?)\)", text):
            assert (RUNBOOKS / target).is_file(), f"{path.name} links to {target}"


def test_addresses_stand_in_target_files_only() -> None:
    config = read_yaml(PROMETHEUS / "prometheus.yml")
    discovered = [*config["scrape_configs"], *config["alerting"]["alertmanagers"]]
    files = [file for entry in discovered for found in entry["file_sd_configs"] for file in found["files"]]
    assert sorted(files) == sorted(f"targets/{path.name}" for path in (PROMETHEUS / "targets").iterdir())
    assert not any("static_configs" in entry for entry in discovered)
