from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.binaries import run, said
from tests.deploy.files import ALERTMANAGER, PROMETHEUS, read_yaml
from tests.deploy.rendering import Rendered, render


def rendered(folder: Path, *, for_override: str | None = None) -> Rendered:
    return render(
        folder,
        serve="127.0.0.1:18765",
        alertmanager="127.0.0.1:19093",
        webhook_url="http://127.0.0.1:19099/",
        for_override=for_override,
    )


@pytest.mark.prometheus
def test_the_rendered_files_are_valid(tmp_path: Path) -> None:
    made = rendered(tmp_path, for_override="0s")
    prometheus = run("promtool", "check", "config", made.prometheus)
    alertmanager = run("amtool", "check-config", made.alertmanager)
    assert prometheus.returncode == 0, said(prometheus)
    assert alertmanager.returncode == 0, said(alertmanager)


def test_only_addresses_and_waits_differ_from_what_is_shipped(tmp_path: Path) -> None:
    made = rendered(tmp_path)
    shipped, ours = read_yaml(PROMETHEUS / "rules.yml"), read_yaml(made.prometheus.parent / "rules.yml")
    assert [g["rules"] for g in ours["groups"]] == [g["rules"] for g in shipped["groups"]]
    assert read_yaml(made.alertmanager)["inhibit_rules"] == read_yaml(ALERTMANAGER)["inhibit_rules"]


def test_targets_without_an_address_are_empty(tmp_path: Path) -> None:
    targets = rendered(tmp_path).prometheus.parent / "targets"
    assert read_yaml(targets / "serve.yml") == [{"targets": ["127.0.0.1:18765"]}]
    assert read_yaml(targets / "collect.yml") == []


def test_waits_are_overridden_and_never_added(tmp_path: Path) -> None:
    rules = read_yaml(rendered(tmp_path, for_override="3s").prometheus.parent / "rules.yml")
    shipped = read_yaml(PROMETHEUS / "rules.yml")
    for ours, theirs in zip(rules["groups"], shipped["groups"], strict=True):
        for rule, original in zip(ours["rules"], theirs["rules"], strict=True):
            assert rule.keys() == original.keys()
            assert {rule[wait] for wait in ("for", "keep_firing_for") if wait in rule} <= {"3s"}


def test_pages_and_tickets_arrive_at_paths_of_their_own(tmp_path: Path) -> None:
    receivers = read_yaml(rendered(tmp_path).alertmanager)["receivers"]
    urls = {
        receiver["name"]: receiver["webhook_configs"][0]["url"] for receiver in receivers if len(receiver) > 1
    }
    assert urls == {"pager": "http://127.0.0.1:19099/page", "ticket": "http://127.0.0.1:19099/ticket"}
