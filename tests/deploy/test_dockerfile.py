from __future__ import annotations

import json
import re

from tests.deploy.files import DEPLOY, REPOSITORY

LINES = [
    line
    for line in (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def last(instruction: str) -> str:
    return next(line for line in reversed(LINES) if line.startswith(f"{instruction} ")).partition(" ")[2]


def test_the_image_runs_driftbell_as_a_numbered_user_who_is_not_root() -> None:
    assert json.loads(last("ENTRYPOINT")) == ["driftbell"]
    assert re.fullmatch(r"10001(:10001)?", last("USER"))


def test_the_last_stage_takes_wheels_and_no_sources() -> None:
    final = LINES[max(place for place, line in enumerate(LINES) if line.startswith("FROM ")) :]
    assert not any(line.startswith(("COPY", "ADD")) for line in final)
    assert any("--no-index" in line for line in final)


def test_only_what_the_wheel_is_built_from_is_sent_to_the_builder() -> None:
    wanted = [
        line for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines() if line
    ]
    assert "*" in wanted
    assert {"!pyproject.toml", "!detectors", "!service", "!migrations"} <= set(wanted)
    assert not any(line.startswith("!.") for line in wanted)
