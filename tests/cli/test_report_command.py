"""`driftbell report` tells an incident, a window and a day that a collector and an evaluator made."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from service.cli.main import main
from service.messages import iso
from service.monitor import MINUTE_MS
from service.store.engine import transaction
from tests.fakes.collecting import empty
from tests.fakes.fixtures import migrated
from tests.reports.broken import BREAK_MS, MODEL, NOW_MS, break_it

__all__ = ["migrated"]
pytestmark = pytest.mark.postgres
MOST_BYTES = 150_000
END_MS = BREAK_MS + 5 * MINUTE_MS


@pytest.fixture(scope="module")
def incident(migrated: Engine, tmp_path_factory: pytest.TempPathFactory) -> str:
    empty(migrated)
    return break_it(migrated, tmp_path_factory.mktemp("broken"))


@pytest.fixture(autouse=True)
def _configured(migrated: Engine, incident: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", migrated.url.render_as_string(hide_password=False))
    monkeypatch.setattr("service.cli.report.now_ms", lambda: NOW_MS)


def shown(*arguments: str) -> str:
    result: Result = CliRunner().invoke(main, ["report", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def section(markdown: str, title: str) -> str:
    return markdown.split(f"\n## {title}\n")[1].split("\n## ", maxsplit=1)[0]


# ---------------------------------------------------------------- an incident
def test_an_incident_is_told_with_cause_time_evidence_offsets_and_effect(incident: str) -> None:
    told = shown("incident", incident)
    sentence = told.splitlines()[2]
    assert re.search(r"feature amount is x100.*Confidence 0\.\d\d of 1\.\*\*$", sentence)
    assert "- cause: unit_change, page, resolved" in told
    assert "- since: 2026-11-22 00:15:00 UTC" in told
    assert re.search(r"- first bad event: 2026-11-22 00:15:0\d UTC", told)
    assert "- reference: churn-ref" in told
    evidence = section(told, "Evidence")
    assert "| about | method | value | limit | by its limit | n | reference rows |" in evidence
    assert re.search(r"\| amount \| psi \| 8\.\d+ \| 0\.\d+ \| \d\d\.\d\d \| 500 \| 3,000 \|", evidence)
    assert re.search(
        r"\| events \| 0 \| [\d,]+ \| 0 to \d+ \| 0 \| 0 \|", section(told, "Where to look in Kafka")
    )
    performance = section(told, "Performance")
    assert "A window is ripe 2h5m after its end" in performance
    assert re.search(
        r"\| realized \| accuracy \| .* \(0\.\d+ to 0\.\d+\) \| [\d,]+ in 3 windows \|", performance
    )
    assert "roll back or repair the producer" in section(told, "What usually helps")


def test_an_incident_shows_its_column_beside_the_reference_and_over_time(incident: str) -> None:
    told = shown("incident", incident)
    rows = [
        line.split(" | ")
        for line in section(told, "Values beside the reference").splitlines()
        if " % |" in line
    ]
    shares = [
        [float(cell.strip(" |%").replace("&lt; ", "")) for cell in row[1:]] for row in rows if len(row) == 3
    ]
    assert sum(before for before, _ in shares[:7]) > 95
    assert sum(now for _, now in shares[7:]) > 90
    (strip,) = [x for x in section(told, "Scores over time").splitlines() if x.startswith("| amount ")]
    assert re.search(r"[▁▂▃▄]{3}█{3}··", strip)


def test_the_page_of_an_incident_is_one_small_file(incident: str, tmp_path: Path) -> None:
    out = tmp_path / "incident.html"
    said = shown("incident", incident, "--format", "html", "--out", str(out))
    page = out.read_text()
    assert said == f"wrote {out}, {len(page.encode()):,} bytes\n"
    assert page.startswith("<!doctype html>")
    assert len(page.encode()) < MOST_BYTES
    assert not re.search(r"https?://|src=|href=", page)


def test_programs_get_one_object(incident: str) -> None:
    found = json.loads(shown("incident", incident, "--json"))
    assert found["title"] == f"Incident {incident}: model churn"
    assert {"Evidence", "Performance", "Marks"} <= {one["title"] for one in found["sections"]}


def test_marks_and_losses_are_told(migrated: Engine, incident: str) -> None:
    marked = ["incidents", "mark", incident, "--true-alarm", "--why", "the shop sent cents", "--who", "anna"]
    assert CliRunner().invoke(main, marked).exit_code == 0
    with transaction(migrated) as connection:
        connection.execute(
            text("UPDATE window_result SET incomplete = true WHERE end_ms = :end"), {"end": END_MS}
        )
    told = shown("incident", incident)
    assert "UTC: a true alarm, says anna: the shop sent cents" in section(told, "Marks")
    assert "1 of them are incomplete" in section(told, "Volume")


def test_panes_that_are_gone_or_cannot_be_read_cost_only_what_rests_on_them(
    migrated: Engine, incident: str
) -> None:
    changes = ("UPDATE pane SET sketch = 'x'", "DELETE FROM pane_ids", "DELETE FROM pane")
    said = ("what is stored cannot be read", "not known any more", "no pane of that time is stored any more")
    with transaction(migrated) as connection:
        connection.execute(text("CREATE TABLE kept AS TABLE pane"))
        connection.execute(text("CREATE TABLE kept_ids AS TABLE pane_ids"))
    try:
        for change, sentence in zip(changes, said, strict=True):
            with transaction(migrated) as connection:
                connection.execute(text(change))
            told = shown("incident", incident)
            assert sentence in told
            assert "| amount | psi |" in told
    finally:
        with transaction(migrated) as connection:
            for name, kept in (("pane", "kept"), ("pane_ids", "kept_ids")):
                connection.execute(text(f"DELETE FROM {name}"))
                connection.execute(text(f"INSERT INTO {name} SELECT * FROM {kept}"))
                connection.execute(text(f"DROP TABLE {kept}"))


# ---------------------------------------------------------------- a window, a day
def test_a_window_is_told_with_its_incidents_worst_scores_and_volume() -> None:
    told = shown("window", MODEL, "--end", iso(END_MS))
    assert told.startswith("# Model churn: window until 2026-11-22 00:20 UTC\n")
    assert "1 of its columns rang, the worst amount by evidence_range" in told.splitlines()[2]
    assert "| unit_change |" in section(told, "Incidents")
    assert "500 predictions and 0 labels arrived in 1 window of 5m" in section(told, "Volume")
    assert "### amount" in section(told, "Values beside the reference")


def test_a_window_of_a_segment_counts_only_its_rows_and_without_an_end_it_is_the_newest() -> None:
    german = shown("window", MODEL, "--end", iso(END_MS), "--segment", "country=DE")
    assert german.startswith("# Model churn, country=DE: window")
    assert "165 predictions and 0 labels" in german
    newest = shown("window", MODEL)
    assert newest.startswith("# Model churn: window until 2026-11-22 00:30 UTC\n")


def test_a_day_is_told_beside_the_day_before() -> None:
    told = shown("day", MODEL, "--day", "2026-11-22")
    assert told.startswith("# Model churn: day until 2026-11-23 00:00 UTC\n")
    assert "- compared with: the 1d before" in told
    assert "3,000 predictions" in section(told, "Volume")
    assert "| silence |" in section(told, "Incidents")
    assert "### amount" in section(told, "Values beside the reference")
    quiet = shown("day", MODEL, "--day", "2026-11-21")
    assert "0 incidents were open in the day; no score was over its limit." in quiet
    assert "No window of that time is stored." in section(quiet, "Volume")


# ---------------------------------------------------------------- mistakes and help
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["incident", "i-9"], "there is no incident 'i-9'; `driftbell incidents list` shows those there are"),
        (
            ["window", "nobody"],
            "there is no model 'nobody'; `driftbell export` shows the monitors that there are",
        ),
        (["window", MODEL, "--window", "7h"], "churn has no windows of 7h, but of 5m"),
        (
            ["window", MODEL, "--end", "2026-11-22T00:18:00Z"],
            "no window of 5m of model churn ends at 2026-11-22T00:18:00Z; the last one before ends at 2026-11-22T00:15",
        ),
        (
            ["window", MODEL, "--end", "2020-01-01"],
            "no window of 5m of model churn is stored up to 2020-01-01",
        ),
        (["window", MODEL, "--end", "now"], "--end 'now' is no time; write ISO 8601"),
        (["day", MODEL, "--day", "yesterday"], "--day 'yesterday' is no day; write one such as 2026-11-21"),
        (["day", MODEL, "--out", "/nowhere/x.md"], "cannot write /nowhere/x.md: No such file or directory"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str) -> None:
    failed = CliRunner().invoke(main, ["report", *arguments])
    assert failed.exit_code == 2
    assert failed.stderr.startswith(f"driftbell: {sentence}"), failed.stderr
    assert failed.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["incident", "window", "day"])
def test_the_help_teaches_by_example(command: str) -> None:
    helped = shown(command, "--help").split("Options:")[0]
    assert f"driftbell report {command}" in helped.split("\n", 2)[2]
