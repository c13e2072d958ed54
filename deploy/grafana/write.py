"""Writes driftbell's Grafana dashboards, at the top of the repository and with nothing but Python.

python -m deploy.grafana.write            writes deploy/grafana/dashboards/*.json
python -m deploy.grafana.write --check    only says whether the written files are up to date
"""

from __future__ import annotations

import sys
from pathlib import Path

from deploy.grafana import feature, fleet, model, pipeline
from deploy.grafana.rendering import text_of

DASHBOARDS = (fleet.DASHBOARD, model.DASHBOARD, feature.DASHBOARD, pipeline.DASHBOARD)
FOLDER = Path(__file__).parent / "dashboards"


def stale() -> list[str]:
    """The files that are not what the code makes of them, left-over ones included."""
    wanted = {f"{one.name}.json": text_of(one) for one in DASHBOARDS}
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main(arguments: list[str]) -> int:
    """Write the dashboards, or with ``--check`` return 1 when a written one is not up to date."""
    if "--check" in arguments:
        return int(bool(stale()))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for one in DASHBOARDS:
        (FOLDER / f"{one.name}.json").write_text(text_of(one), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
