"""What usually helps is said in the words of the runbooks."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.reports.advice import ADVICE, Advice

RUNBOOKS = Path(__file__).parents[2] / "deploy" / "runbooks"


@pytest.mark.parametrize("advice", ADVICE, ids=lambda one: one.runbook)
def test_advice_is_the_runbooks_own(advice: Advice) -> None:
    text = (RUNBOOKS / f"{advice.runbook}.md").read_text(encoding="utf-8")
    said = text.split("## What usually helps\n")[1].split("\n## ")[0].strip()
    assert said.splitlines() == [f"- {line}" for line in advice.lines]
