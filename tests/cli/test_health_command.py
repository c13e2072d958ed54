"""`driftbell health` shows answers beside the reference's, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.messages import iso
from service.monitor import MINUTE_MS
from tests.fakes.answered import MINUTES, MODEL, T, Traffic, run
from tests.fakes.fixtures import engine, migrated

__all__ = ["engine", "migrated"]
pytestmark = pytest.mark.postgres
SPAN = ("--since", iso(T), "--until", iso(T + MINUTES * MINUTE_MS))


@pytest.fixture(autouse=True)
def configured(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", engine.url.render_as_string(hide_password=False))


def told(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["health", *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_each_measure_is_a_line_with_what_is_usual_beside_it_and_a_word(
    engine: Engine, tmp_path: Path
) -> None:
    live = Traffic(np.random.default_rng(2))
    live.score[:] = np.where(np.arange(live.n) % 2 == 0, 1.0, live.score)
    run(engine, Traffic(np.random.default_rng(1)), live, tmp_path)
    lines = told(MODEL, *SPAN).output.splitlines()
    saturated = next(line for line in lines if line.startswith("scores within 0.001 of 0 or 1"))
    assert saturated.split()[7:10] == ["50", "%", "48.2"]
    assert saturated.rstrip().endswith("higher than usual")
    assert any(line.startswith("equal inputs") and "country not compared" in line for line in lines)
    assert any(line.startswith("latency p99") and "the reference does not have it" in line for line in lines)
    assert lines[-1].startswith("3,000 predictions; inputs are compared among 1,920")
    report = json.loads(told(MODEL, *SPAN, "--json").output)
    by_name = {line["name"]: line for line in report["lines"]}
    assert by_name["saturated_scores"]["value"] == pytest.approx(np.mean(live.score == 1), abs=0.002)
    german = json.loads(told(MODEL, *SPAN, "--segment", "country=DE", "--json").output)
    assert german["inferences"] == (live.country == "DE").sum()
    assert json.loads(told(MODEL, *SPAN, "--version", "8", "--json").output)["inferences"] == 0


def test_without_predictions_or_a_model_it_says_what_to_do(engine: Engine, tmp_path: Path) -> None:
    traffic = Traffic(np.random.default_rng(1), 300)
    run(engine, traffic, traffic, tmp_path)
    assert "no predictions are stored of that time" in told(MODEL, "--until", iso(T)).output
    assert "there is no model 'nobody'" in told("nobody", code=2).output
