"""What is installed is known: by name and version in the bill of materials, and by hash where files are vendored."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.ci_scripts import ci_script

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "service" / "web" / "static"


def normal(name: str) -> str:
    """A package's name as all spellings of it are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The bill of materials that `make sbom` writes."""
    path = tmp_path_factory.mktemp("sbom") / "driftbell.cdx.json"
    recipe = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "cyclonedx-py" in line)
    written = recipe.strip().replace("$(BIN)/cyclonedx-py", "cyclonedx_py")
    options = written.replace("dist/driftbell.cdx.json", str(path)).replace("$(BIN)/python", sys.executable)
    subprocess.run([sys.executable, "-m", *options.split()], cwd=ROOT, check=True, capture_output=True)
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def test_the_bill_of_materials_names_what_is_installed_and_nothing_else(bill: dict[str, Any]) -> None:
    listed = {(normal(one["name"]), one["version"]) for one in bill["components"]}
    listed.add((normal(bill["metadata"]["component"]["name"]), ""))
    installed = {(normal(one.metadata["Name"]), one.version) for one in distributions()}
    ours = {one for one in installed if one[0] == "driftbell"}
    assert listed - {("driftbell", "")} - ours == installed - ours


def test_the_bill_of_materials_is_cyclonedx_about_driftbell(bill: dict[str, Any]) -> None:
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "driftbell"
    direct = next(
        one for one in bill["dependencies"] if one["ref"] == bill["metadata"]["component"]["bom-ref"]
    )
    assert len(direct["dependsOn"]) >= 20


def test_scripts_are_ours_or_written_down_with_their_digest() -> None:
    """Files of others stand in `vendor`, whose digests `tests/web/test_vendored.py` checks."""
    files = [path.relative_to(STATIC) for path in STATIC.rglob("*") if path.is_file()]
    assert {path.suffix for path in files if path.parts[0] != "vendor"} <= {".css", ".svg", ".js"}
    assert {path.parts[0] for path in files if path.suffix == ".js"} <= {"js", "vendor"}
    assert not [path for path in files if ".min." in path.name and path.parts[0] != "vendor"]


# ---------------------------------------------------------------- the audit's verdict
@pytest.fixture(scope="module")
def audit() -> ModuleType:
    """The script that `make audit` runs."""
    return ci_script("audit")


def package(name: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "version": "1", "vulns": []} | facts


def test_packages_without_known_vulnerabilities_pass(audit: ModuleType) -> None:
    assert audit.verdict([package("a"), package("driftbell", skip_reason="not on PyPI")])[0] == 0


def test_a_vulnerability_fails_the_audit_and_is_named(audit: ModuleType) -> None:
    found = [{"id": "PYSEC-1", "fix_versions": ["2"]}]
    code, said = audit.verdict([package("a", vulns=found), package("b", skip_reason="unknown")])
    assert code == audit.VULNERABLE
    assert said == ["a 1 has PYSEC-1; mended in ['2']"]


@pytest.mark.parametrize("packages", [None, [], [{"name": "a", "skip_reason": "not found"}]])
def test_a_service_that_knows_nothing_is_no_pass(audit: ModuleType, packages: Any) -> None:
    assert audit.verdict(packages)[0] == audit.UNREACHED


def test_that_nobody_could_be_asked_is_told_apart_from_a_finding(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit, "answer_of", lambda _: None)
    assert audit.audit(unreached_is_warning=False) == audit.UNREACHED
    assert audit.audit(unreached_is_warning=True) == 0
    assert "NO ADVISORY SERVICE COULD BE ASKED" in capsys.readouterr().out


def test_the_second_service_is_asked_when_the_first_does_not_answer(
    audit: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"pypi": None, "osv": [package("a", vulns=[{"id": "X", "fix_versions": []}])]}
    monkeypatch.setattr(audit, "answer_of", answers.get)
    assert audit.audit(unreached_is_warning=True) == audit.VULNERABLE
