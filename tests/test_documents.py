"""Documents are tested: what exists appears where a reader looks for it, and nothing that does not."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from detectors.catalogue import NUMERIC
from service.cli.main import main
from service.metrics import PipelineMetrics
from service.settings import SETTINGS

ROOT = Path(__file__).parent.parent
FAMILY = re.compile(r'"(driftbell_[a-z_]+)"')


def text_of(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def test_every_setting_stands_in_the_docs_with_its_default_and_meaning() -> None:
    listed = text_of("docs", "settings.md")
    expected = [f"| `{s.name}` | {f'`{s.default}`' if s.default else ''} | {s.help} |" for s in SETTINGS]

    assert [line for line in expected if line not in listed] == []
    assert listed.count("| `DRIFTBELL_") == len(SETTINGS)


def test_every_metric_stands_in_the_docs() -> None:
    ours = {family.name for family in PipelineMetrics(CollectorRegistry()).registry.collect()}
    models = set(
        FAMILY.findall(
            "".join(p.read_text(encoding="utf-8") for p in (ROOT / "service" / "web").glob("*.py"))
        )
    )
    listed = set(re.findall(r"`(driftbell_[a-z_]+)`", text_of("docs", "metrics.md")))

    assert {name for name in ours | models if not {name, f"{name}_total", f"{name}_info"} & listed} == set()


def test_every_command_stands_in_the_docs_and_in_help() -> None:
    commands = main.list_commands(None)  # type: ignore[arg-type]
    listed = re.findall(r"`driftbell ([a-z-]+)`", text_of("docs", "commands.md"))

    assert sorted(listed) == sorted(commands)


@pytest.mark.parametrize("method", [*NUMERIC, "rate", "volume"])
def test_every_detector_stands_in_the_docs(method: str) -> None:
    assert f"| `{method}` |" in text_of("docs", "detectors.md")


def test_every_folder_of_the_service_stands_in_the_readme() -> None:
    readme = text_of("README.md")
    folders = [p.parent.name for p in (ROOT / "service").glob("*/__init__.py")]

    assert [name for name in folders if f"`service/{name}/`" not in readme] == []


def test_links_in_the_documents_lead_somewhere() -> None:
    broken = []
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text(encoding="utf-8"))
        broken += [f"{document.name}: {t}" for t in targets if not (document.parent / t).exists()]
    assert broken == []


def test_every_promise_is_kept_by_tests_that_are_there() -> None:
    promises = text_of("README.md").split("## What is promised")[1].split("\n## ")[0]
    named = re.findall(r"`(tests/[^`]+)`", promises)
    assert len(named) > 25
    for path in named:
        assert "def test_" in text_of(path), path


def test_make_lists_its_words_in_one_column() -> None:
    asked = ["make", "--no-print-directory", "help"]  # below another make it would say where it is
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()

    starts = {re.match(r"[a-z-]+ +", line).end() for line in listed}  # type: ignore[union-attr]
    assert len(starts) == 1
