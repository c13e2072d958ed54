from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana import dashboard
from tests.deploy.binaries import run, said
from tests.deploy.files import DEPLOY, metrics_in, read_yaml
from tests.deploy.known_metrics import KNOWN_METRICS

PANELS: list[dict[str, Any]] = [panel for panel in dashboard.dashboard()["panels"] if panel["type"] != "row"]


def test_the_written_dashboard_is_the_generated_one() -> None:
    written = dashboard.WRITTEN.read_text(encoding="utf-8")
    assert written == dashboard.rendered(), "run: python deploy/grafana/dashboard.py"
    assert dashboard.main(["--check"]) == 0


def test_the_dashboard_uses_every_metric_that_driftbell_exports_and_no_other() -> None:
    assert metrics_in("\n".join(dashboard.expressions())) == KNOWN_METRICS


def test_all_expressions_of_the_written_file_are_in_the_list() -> None:
    written = metrics_in(json.dumps(dashboard.dashboard()["panels"]))
    assert written <= metrics_in("\n".join(dashboard.expressions()))


def test_one_chooses_by_model_version_segment_feature_and_window() -> None:
    variables = [variable["name"] for variable in dashboard.dashboard()["templating"]["list"]]
    assert variables == ["datasource", "model", "version", "segment", "feature", "window"]


def test_every_variable_that_an_expression_uses_exists() -> None:
    known = {v["name"] for v in dashboard.dashboard()["templating"]["list"]} | {"__rate_interval"}
    used = {name for expression in dashboard.expressions() for name in re.findall(r"\$(\w+)", expression)}
    assert used <= known


@pytest.mark.prometheus
def test_prometheus_can_read_every_expression_of_a_panel(tmp_path: Path) -> None:
    expressions = [
        query.expression for row in dashboard.ROWS for panel in row.panels for query in panel.queries
    ]
    asked = [
        {"record": f"panel:{place}", "expr": expression.replace("$__rate_interval", "1m")}
        for place, expression in enumerate(expressions)
    ]
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": asked}]}), encoding="utf-8")
    done = run("promtool", "check", "rules", rules)
    assert done.returncode == 0, said(done)


def test_no_two_panels_overlap_and_none_hangs_over_the_edge() -> None:
    cells = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in (panel["gridPos"] for panel in dashboard.dashboard()["panels"])
    ]
    assert all(one.isdisjoint(other) for one, other in combinations(cells, 2))
    assert max(x for cell in cells for x, _ in cell) < dashboard.GRID_COLUMNS


def test_a_panel_explains_itself_and_never_draws_a_line_over_a_gap() -> None:
    for panel in PANELS:
        assert panel["description"], panel["title"]
        if panel["type"] == "timeseries":
            assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] is False, panel["title"]


def test_grafana_finds_the_dashboard_and_the_datasource_where_compose_mounts_them() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    mounts = read_yaml(DEPLOY.parent / "docker-compose.yml")["services"]["grafana"]["volumes"]
    provider = read_yaml(provisioning / "dashboards" / "driftbell.yml")["providers"][0]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in mounts
    assert (
        read_yaml(provisioning / "datasources" / "prometheus.yml")["datasources"][0]["type"] == "prometheus"
    )
