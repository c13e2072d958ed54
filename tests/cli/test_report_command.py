"""`driftbell report` tells an incident, a window and a day that a collector and an evaluator made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from service.cli.main import main
from service.messages import iso
from service.monitor import MINUTE_MS
from service.store.engine import transaction
from tests.fakes.fixtures import migrated
from tests.fakes.collecting import empty
from tests.reports.broken import BREAK_MS, MODEL, NOW_MS, break_it

__all__ = ["migrated"]
pytestmark = pytest.mark.postgres
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def incident(migrated: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    empty(migrated)
    yield break_it(migrated, tmp_path_factory.mktemp("broken"))


@pytest.fixture(autouse=True)
def _configured(migrated: Engine, incident: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTBELL_DATABASE_URL", migrated.url.render_as_string(hide_password=False))
    monkeypatch.setattr("service.cli.report.now_ms", lambda: NOW_MS)


def told(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["report", *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def test_show(incident: str) -> None:
    Path("/tmp/t8/inc.md").write_text(told("incident", incident).output)
    Path("/tmp/t8/inc.html").write_text(told("incident", incident, "--format", "html").output)
    Path("/tmp/t8/win.md").write_text(told("window", MODEL, "--end", iso(BREAK_MS + 5 * MINUTE_MS)).output)
    Path("/tmp/t8/win.html").write_text(
        told("window", MODEL, "--end", iso(BREAK_MS + 5 * MINUTE_MS), "--format", "html").output
    )
    Path("/tmp/t8/day.md").write_text(told("day", MODEL, "--day", "2026-11-22").output)
    Path("/tmp/t8/day.html").write_text(told("day", MODEL, "--format", "html").output)
