"""`driftbell slices` names where a model is wrong, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from service.cli.main import main
from service.messages import iso
from service.monitor import MINUTE_MS, Task
from tests.fakes.answered import MINUTES, MODEL, T, Traffic, run
from tests.fakes.fixtures import engine, migrated

__all__ = ["engine", "migrated"]
pytestmark = pytest.mark.postgres
SPAN = ("--since", iso(T), "--until", iso(T + MINUTES * MINUTE_MS))


@pytest.fixture(autouse=True)
def configured(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", engine.url.render_as_string(hide_password=False))


def told(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["slices", *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_it_says_what_was_looked_at_and_each_slice_in_a_sentence(engine: Engine, tmp_path: Path) -> None:
    usual, live = Traffic(np.random.default_rng(1)), Traffic(np.random.default_rng(2))
    for traffic in (usual, live):
        traffic.weak_country = "[red]\\DE"
        traffic.country[traffic.country == "DE"] = traffic.weak_country
    run(engine, usual, live, tmp_path)
    headline, one = told(MODEL, *SPAN).output.splitlines()
    assert "labelled rows of 1,920 sampled: wrong in " in headline
    assert "country=[red]\\DE: wrong in " in one
    assert one.strip().startswith("amount from 4")
    assert one.endswith("by the shrunken bound")
    report = json.loads(told(MODEL, *SPAN, "--json").output)
    assert report["slices"][0]["sentence"] == one.strip()
    assert report["slices"][0]["where"][1]["value"] == live.weak_country


def test_where_nothing_is_known_it_says_what_to_do(engine: Engine, tmp_path: Path) -> None:
    traffic = Traffic(np.random.default_rng(1), 300)
    run(engine, traffic, traffic, tmp_path, task=Task.NONE)
    assert "write `task: binary`" in told(MODEL, *SPAN).output
    assert "there is no model 'nobody'" in told("nobody", code=2).output
    assert "no time" in told(MODEL, "--since", "soon", code=2).output


def test_too_few_labels_are_said_to_be_too_few(engine: Engine, tmp_path: Path) -> None:
    traffic = Traffic(np.random.default_rng(1), 60)
    run(engine, traffic, traffic, tmp_path)
    assert "a slice needs 50 of them" in told(MODEL, *SPAN).output
