from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it ships no types
import pytest
import yaml

from deploy.grafana import write
from deploy.grafana.panels import GRID_COLUMNS, Dashboard
from deploy.grafana.rendering import document_of
from tests.deploy.asking import filled, quoted, quoted_pattern
from tests.deploy.binaries import run, said
from tests.deploy.files import DEPLOY, REPOSITORY, metrics_in, read_yaml
from tests.deploy.known_metrics import KNOWN_METRICS

SCHEMA = REPOSITORY / "tests" / "deploy" / "schemas" / "grafana-dashboard.json"
EACH = pytest.mark.parametrize("dashboard", write.DASHBOARDS, ids=lambda one: one.name)
OF_GRAFANA = {"__rate_interval", "__url_time_range", "__field", "__data"}
COUNTS = {
    ("fleet", "Silent models"): 1,
    ("fleet", "Models watched"): 1,
    ("fleet", "Models"): 2,
    ("fleet", "Scores over their limit"): 1,
    ("fleet", "Alerts firing"): 2,
    ("model", "Scores over their limit"): 1,
    ("feature", "Alerts"): 1,
}
"""What panels count where one of two alerts is a silence and one of two scores is over its limit."""
HOSTILE = "a\"b\\c.*(d)|e{f}[g]$h^i'j"


def expressions(dashboard: Dashboard) -> list[str]:
    """Every query of its panels, annotations and variables."""
    panels = [query.expression for panel in dashboard.panels() for query in panel.queries]
    annotations = [one.expression for one in dashboard.annotations]
    return [*panels, *annotations, *(choice.selector for choice in dashboard.choices)]


def panels(dashboard: Dashboard) -> list[dict[str, Any]]:
    return [panel for panel in document_of(dashboard)["panels"] if panel["type"] != "row"]


def urls(value: Any) -> list[str]:
    """Every address that a dashboard leads to."""
    if isinstance(value, list):
        return [url for one in value for url in urls(one)]
    if not isinstance(value, dict):
        return []
    own = [value["url"]] if "url" in value else []
    return own + [url for one in value.values() for url in urls(one)]


def test_the_written_dashboards_are_the_generated_ones_and_there_are_no_others() -> None:
    assert write.stale() == [], "run: python -m deploy.grafana.write"
    assert write.main(["--check"]) == 0


def test_a_file_that_was_changed_by_hand_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "FOLDER", tmp_path)
    assert write.main([]) == 0
    assert write.main(["--check"]) == 0
    (tmp_path / "fleet.json").write_text("{}")
    (tmp_path / "old.json").write_text("{}")
    assert write.stale() == ["fleet.json", "old.json"]
    assert write.main(["--check"]) == 1


@EACH
def test_a_dashboard_is_as_grafana_reads_it(dashboard: Dashboard) -> None:
    schema = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    found = schema.iter_errors(document_of(dashboard))
    assert [f"{error.json_path}: {error.message[:200]}" for error in found] == []


def test_no_two_dashboards_share_a_uid_and_no_two_panels_an_id() -> None:
    assert len({one.uid for one in write.DASHBOARDS}) == len(write.DASHBOARDS)
    for dashboard in write.DASHBOARDS:
        numbers = [panel["id"] for panel in document_of(dashboard)["panels"]]
        assert len(set(numbers)) == len(numbers)
        titles = [panel.title for panel in dashboard.panels()]
        assert len(set(titles)) == len(titles), titles


def test_the_dashboards_use_every_metric_that_driftbell_exports_and_no_other() -> None:
    used = metrics_in("\n".join(one for dashboard in write.DASHBOARDS for one in expressions(dashboard)))
    assert {name.removesuffix("_bucket") for name in used} == KNOWN_METRICS


@EACH
def test_every_variable_that_is_used_exists_and_is_chosen_before(dashboard: Dashboard) -> None:
    document = document_of(dashboard)
    names = [variable["name"] for variable in document["templating"]["list"]]
    used = re.findall(r"\$\{?(\w+)", json.dumps([document["panels"], document["annotations"]]))
    assert set(used) <= {*names, *OF_GRAFANA}
    for place, choice in enumerate(dashboard.choices):
        before = {one.label for one in dashboard.choices[:place]}
        assert set(re.findall(r"\$(\w+)", choice.selector)) <= before


@EACH
def test_one_value_is_held_against_equals_and_several_against_a_pattern(dashboard: Dashboard) -> None:
    several = {choice.label: choice.several for choice in dashboard.choices}
    for expression in expressions(dashboard):
        for label, sign, name in re.findall(r'(\w+)(=~|=|!=|!~)"\$(\w+)"', expression):
            assert label == name
            assert sign == ("=~" if several[name] else "="), expression
        rest = re.sub(r'\w+(=~|=)"\$\w+"', "", expression)
        assert "$" not in rest.replace("$__rate_interval", ""), expression


def test_names_in_addresses_are_escaped() -> None:
    leads = [url for dashboard in write.DASHBOARDS for url in urls(document_of(dashboard))]
    assert len(leads) > 50
    for url in leads:
        assert url.startswith(("${driftbell_url:raw}/", "/d/driftbell-")), url
        names = re.findall(r"\$\{((?:__field\.labels|__data\.fields)\.\w+|model|feature)(:?\w*)\}", url)
        assert all(form == ":percentencode" for _, form in names), url


def test_a_link_to_another_dashboard_leads_to_one_that_is_there_with_variables_that_it_has() -> None:
    has = {one.uid: {choice.label for choice in one.choices} for one in write.DASHBOARDS}
    for dashboard in write.DASHBOARDS:
        for url in urls(document_of(dashboard)):
            if url.startswith("/d/"):
                uid, _, query = url.removeprefix("/d/").partition("?")
                assert set(re.findall(r"var-(\w+)=", query)) <= has[uid], url


@pytest.mark.prometheus
@EACH
@pytest.mark.parametrize("name", ["churn", HOSTILE])
def test_prometheus_can_read_every_expression_whatever_is_chosen(
    dashboard: Dashboard, name: str, tmp_path: Path
) -> None:
    chosen = {c.label: (quoted_pattern if c.several else quoted)(name) for c in dashboard.choices}
    asked = [
        {"record": f"panel:{place}", "expr": filled(expression, chosen)}
        for place, expression in enumerate(expressions(dashboard))
    ]
    rules = tmp_path / "rules.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": asked}]}), encoding="utf-8")
    done = run("promtool", "check", "rules", rules)
    assert done.returncode == 0, said(done)


@pytest.mark.prometheus
def test_what_two_replicas_of_serve_export_is_counted_once(tmp_path: Path) -> None:
    place = 'model="churn", version="7", feature="amount"'
    chosen = dict.fromkeys(("version", "segment", "window"), ".*") | {"model": "churn", "feature": "amount"}
    exported = {
        'driftbell_last_event_timestamp_seconds{model="churn"}': 60,
        'driftbell_alert_firing{model="churn", version="7", cause="silence", severity="page"}': 1,
        f'driftbell_alert_firing{{{place}, cause="unit_changed", severity="page"}}': 1,
        f'driftbell_score{{{place}, method="psi", window="1h"}}': 3,
        f'driftbell_limit{{{place}, method="psi", window="1h"}}': 2,
        f'driftbell_score{{{place}, method="ks", window="1h"}}': 1,
        f'driftbell_limit{{{place}, method="ks", window="1h"}}': 2,
    }
    series = [
        {
            "series": one.replace("}", f', job="driftbell-serve", instance="serve-{n}"}}'),
            "values": f"{value}x3",
        }
        for one, value in exported.items()
        for n in (1, 2)
    ]
    asked = {
        (dashboard.name, panel.title): filled(query.expression, chosen)
        for dashboard in write.DASHBOARDS
        for panel in dashboard.panels()
        for query in panel.queries
        if re.search(r"\bcount\b.*driftbell_", query.expression)
    }
    assert asked.keys() == COUNTS.keys()
    wanted = [
        {"expr": f"sum({asked[place]})", "eval_time": "2m", "exp_samples": [{"labels": "{}", "value": count}]}
        for place, count in COUNTS.items()
    ]
    rules = tmp_path / "counts.yml"
    rules.write_text(
        yaml.safe_dump({"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": wanted}]})
    )
    done = run("promtool", "test", "rules", rules)
    assert done.returncode == 0, said(done)


@EACH
def test_no_two_panels_overlap_and_none_hangs_over_the_edge(dashboard: Dashboard) -> None:
    cells = [
        {(x, y) for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])}
        for p in (panel["gridPos"] for panel in document_of(dashboard)["panels"])
    ]
    assert all(one.isdisjoint(other) for one, other in combinations(cells, 2))
    assert max(x for cell in cells for x, _ in cell) < GRID_COLUMNS


@EACH
def test_a_panel_explains_itself_and_never_draws_a_line_over_a_gap(dashboard: Dashboard) -> None:
    for panel in panels(dashboard):
        assert panel["description"].endswith("."), panel["title"]
        if panel["type"] == "timeseries":
            assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] is False, panel["title"]


@EACH
def test_a_table_shows_only_columns_that_its_queries_have(dashboard: Dashboard) -> None:
    for panel in dashboard.panels():
        if panel.kind != "table":
            continue
        assert all(query.instant for query in panel.queries), panel.title
        values = {f"Value #{ref}" for ref in "ABCDEFGH"[: len(panel.queries)]}
        known = values if len(panel.queries) > 1 else {"Value"}
        labels = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", panel.queries[0].expression))))
        assert {column.name for column in panel.columns} <= known | labels, panel.title


def test_grafana_finds_the_dashboards_and_the_datasource_where_compose_mounts_them() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    grafana = read_yaml(DEPLOY.parent / "docker-compose.yml")["services"]["grafana"]
    provider = read_yaml(provisioning / "dashboards" / "driftbell.yml")["providers"][0]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (write.FOLDER / home.removeprefix(provider["options"]["path"] + "/")).is_file()
    assert (
        read_yaml(provisioning / "datasources" / "prometheus.yml")["datasources"][0]["type"] == "prometheus"
    )
