from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.deploy.binaries import run, said
from tests.deploy.files import ALERTMANAGER, alerts, read_yaml

PAGE = ("severity=page",)
TICKET = ("severity=ticket",)
MODEL = ("model=churn", "cause=data_drift")


def inhibited(source: dict[str, str], target: dict[str, str]) -> bool:
    """Say whether a firing ``source`` hushes ``target``, as Alertmanager's documentation has it."""
    return any(
        _matched(rule["source_matchers"], source)
        and _matched(rule["target_matchers"], target)
        and all(source.get(label, "") == target.get(label, "") for label in rule.get("equal", []))
        for rule in read_yaml(ALERTMANAGER)["inhibit_rules"]
    )


def _matched(matchers: list[str], labels: dict[str, str]) -> bool:
    return all(_one_matched(matcher, labels) for matcher in matchers)


def _one_matched(matcher: str, labels: dict[str, str]) -> bool:
    parts = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', matcher)
    assert parts, matcher
    name, operator, wanted = parts.groups()
    value = labels.get(name, "")
    hit = re.fullmatch(wanted, value) is not None if "~" in operator else value == wanted
    return hit != operator.startswith("!")


@pytest.mark.prometheus
def test_alertmanager_accepts_the_configuration() -> None:
    done = run("amtool", "check-config", ALERTMANAGER)
    assert done.returncode == 0, said(done)


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        pytest.param((*PAGE, *MODEL), "pager", id="a page of a model"),
        pytest.param(
            (*PAGE, "alertname=DriftbellDown", "job=driftbell-serve"), "pager", id="a page of the pipeline"
        ),
        pytest.param((*TICKET, *MODEL), "ticket", id="a ticket of a model"),
        pytest.param((*TICKET, "alertname=DriftbellDeadLetters"), "ticket", id="a ticket of the pipeline"),
        pytest.param(("alertname=Unclassified",), "ticket", id="an alert without a severity"),
        pytest.param(("severity=critical",), "ticket", id="a severity that nobody knows"),
    ],
)
def test_an_alert_goes_to_the_receiver_of_its_severity(labels: tuple[str, ...], receiver: str) -> None:
    found = run(
        "amtool",
        "config",
        "routes",
        "test",
        "--config.file",
        ALERTMANAGER,
        f"--verify.receivers={receiver}",
        *labels,
    )
    assert found.returncode == 0, said(found)


@pytest.mark.prometheus
@pytest.mark.parametrize("name", alerts())
def test_every_shipped_alert_goes_where_its_severity_says(name: str) -> None:
    severity = alerts()[name]["labels"]["severity"]
    receiver = {"page": "pager", "ticket": "ticket"}[severity]
    labels = (f"alertname={name}", f"severity={severity}")
    found = run(
        "amtool",
        "config",
        "routes",
        "test",
        "--config.file",
        ALERTMANAGER,
        f"--verify.receivers={receiver}",
        *labels,
    )
    assert found.returncode == 0, said(found)


INCIDENT = ("alertname=DriftbellIncident", "model=churn", "incident=i-1", "cause=unit_change")


@pytest.fixture
def for_people(tmp_path: Path) -> Path:
    """The shipped routes with the example's receivers."""
    folder = ALERTMANAGER.parent
    shutil.copy(folder / "driftbell.tmpl", tmp_path)
    example = read_yaml(folder / "receivers.example.yml")
    config = tmp_path / "alertmanager.yml"
    config.write_text(yaml.safe_dump(read_yaml(ALERTMANAGER) | example), encoding="utf-8")
    return config


@pytest.mark.prometheus
def test_alertmanager_accepts_the_receivers_for_people(for_people: Path) -> None:
    done = run("amtool", "check-config", for_people)
    assert done.returncode == 0, said(done)
    assert "1 templates" in done.stdout


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("status", "title"),
    [
        ("firing", "weight is in pounds (anna has it)"),
        ("resolved", "over: weight is in pounds (anna has it)"),
    ],
)
def test_people_read_the_sentence_and_where_to_look(tmp_path: Path, status: str, title: str) -> None:
    said_of_it = {
        "summary": "weight is in pounds", "description": "Since ten.", "acknowledged_by": "anna",
        "incident_url": "https://bell/incidents/i-1", "runbook_url": "https://runbooks/x",
    }  # fmt: skip
    alert = {"status": status, "labels": {"model": "churn"}, "annotations": said_of_it}
    data = tmp_path / "data.json"
    data.write_text(
        json.dumps({"status": status, "alerts": [alert], "commonAnnotations": said_of_it}), encoding="utf-8"
    )
    template = ALERTMANAGER.parent / "driftbell.tmpl"
    names = ("title", "link", "text")
    text = "|".join(f'{{{{ template "driftbell.{name}" . }}}}' for name in names)
    done = run(
        "amtool",
        "template",
        "render",
        "--template.glob",
        template,
        "--template.data",
        data,
        "--template.text",
        text,
    )
    assert done.returncode == 0, said(done)
    assert done.stdout.split("|") == [
        title,
        "https://bell/incidents/i-1",
        (
            "weight is in pounds\nSince ten.\nanna has it.\nIncident: https://bell/incidents/i-1\n"
            "Runbook: https://runbooks/x\n"
        ),
    ]


def test_no_secret_stands_in_the_receivers_for_people() -> None:
    text = (ALERTMANAGER.parent / "receivers.example.yml").read_text(encoding="utf-8")
    named = re.findall(r"(\w*(?:key|password|url))(_file)?:", text)
    assert {name for name, of_file in named if not of_file} <= {"client_url"}
    assert len([name for name, of_file in named if of_file]) == 3


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ((*INCIDENT, *PAGE), "pager"),
        ((*INCIDENT, *TICKET), "ticket"),
        (("alertname=DriftbellIncidentsPushed", "model=churn", "severity=none"), "nobody"),
    ],
)
def test_incidents_go_by_their_severity_and_their_guards_to_nobody(
    for_people: Path, labels: tuple[str, ...], receiver: str
) -> None:
    for config in (ALERTMANAGER, for_people):
        chosen = ("config", "routes", "test", "--config.file", config, f"--verify.receivers={receiver}")
        found = run("amtool", *chosen, *labels)
        assert found.returncode == 0, said(found)


def test_what_driftbell_pushes_itself_is_not_rung_by_prometheus_again() -> None:
    guard = {"alertname": "DriftbellIncidentsPushed", "model": "churn", "severity": "none"}
    assert inhibited(guard, drift())
    assert inhibited(guard, drift(alertname="DriftbellModelAlertTicket"))
    assert inhibited(guard, silence(version="7"))
    assert not inhibited(guard, drift(model="fraud"))
    assert not inhibited(guard, incident())


def test_clocks_ring_whoever_pushes() -> None:
    guard = {"alertname": "DriftbellIncidentsPushed", "model": "churn", "severity": "none"}
    assert not inhibited(guard, silence())
    assert not inhibited(guard, down())


def test_what_is_pushed_hushes_nothing_by_itself_but_drift_of_a_silent_model() -> None:
    assert not inhibited(incident(), drift())
    assert inhibited(incident(cause="silence"), incident(incident="i-2"))
    assert not inhibited(incident(cause="silence", segment="country=DE"), incident(incident="i-2"))
    assert not inhibited(incident(cause="silence"), incident(incident="i-2", cause="missing"))
    assert not inhibited(incident(cause="silence"), incident(incident="i-2", model="fraud"))


def incident(**labels: str) -> dict[str, str]:
    usual = {"alertname": "DriftbellIncident", "model": "churn", "incident": "i-1", "cause": "data_drift"}
    return usual | labels


def drift(**labels: str) -> dict[str, str]:
    usual = {"alertname": "DriftbellModelAlert", "model": "churn", "version": "7", "cause": "data_drift"}
    return usual | labels


def silence(**labels: str) -> dict[str, str]:
    return {"alertname": "DriftbellModelSilent", "model": "churn", "cause": "silence"} | labels


def down(**labels: str) -> dict[str, str]:
    return {"alertname": "DriftbellDown", "job": "driftbell-collect"} | labels


def test_silence_hushes_drift_of_the_same_model_only() -> None:
    assert inhibited(silence(), drift())
    assert inhibited(silence(version="7"), drift())
    assert inhibited(silence(), drift(alertname="DriftbellModelAlertTicket", cause="prediction_drift"))
    assert not inhibited(silence(), drift(model="fraud"))


def test_silence_of_a_retired_version_does_not_hush_its_successor() -> None:
    assert not inhibited(silence(version="6"), drift(version="7"))


def test_silence_hushes_neither_broken_schemas_nor_the_silence_of_a_segment() -> None:
    assert not inhibited(silence(), drift(cause="type_change"))
    assert not inhibited(silence(), drift(cause="silence", segment="country=DE"))


@pytest.mark.parametrize("cause", ["type_change", "schema_change", "missing", "rename"])
def test_a_broken_schema_hushes_data_drift_of_the_same_feature_only(cause: str) -> None:
    assert inhibited(drift(cause=cause, feature="amount"), drift(feature="amount"))
    assert not inhibited(drift(cause=cause, feature="amount"), drift(feature="country"))
    assert not inhibited(drift(cause=cause, feature="amount"), drift(feature="amount", cause="concept_drift"))


def test_drift_does_not_hush_a_broken_schema() -> None:
    assert not inhibited(drift(feature="amount"), drift(feature="amount", cause="type_change"))


def test_a_page_hushes_the_ticket_that_says_the_same() -> None:
    assert inhibited(drift(), drift(alertname="DriftbellModelAlertTicket"))
    assert not inhibited(drift(), drift(alertname="DriftbellModelAlertTicket", cause="concept_drift"))


@pytest.mark.parametrize(
    "hushed",
    ["DriftbellWindowsStale", "DriftbellLabelsSilent", "DriftbellCollectorStalled", "DriftbellConsumerLag"],
)
def test_a_process_that_is_down_hushes_what_is_late_because_of_it(hushed: str) -> None:
    assert inhibited(down(), {"alertname": hushed, "model": "churn"})
    assert inhibited(down(), silence())


def test_a_process_that_is_down_hushes_nothing_that_driftbell_itself_found() -> None:
    assert not inhibited(down(), silence(version="7"))
    assert not inhibited(down(), drift())


def test_a_collector_that_stands_still_hushes_its_lag() -> None:
    stalled = {"alertname": "DriftbellCollectorStalled", "job": "driftbell-collect", "instance": "a"}
    assert inhibited(stalled, {"alertname": "DriftbellConsumerLag", "job": "driftbell-collect"})
    assert not inhibited(stalled, {"alertname": "DriftbellConsumerLag", "job": "driftbell-serve"})


def test_messages_of_models_are_grouped_by_model_and_cause() -> None:
    assert read_yaml(ALERTMANAGER)["route"]["group_by"] == ["model", "cause"]
