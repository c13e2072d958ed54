"""Debian's Prometheus binaries: run one, or skip the test that needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL = "apt-get install prometheus prometheus-alertmanager"


def binary(name: str) -> str:
    """Return the path of a binary; without it skip, or fail where DRIFTBELL_TEST_REQUIRE_ALL=1."""
    found = shutil.which(name)
    if found:
        return found
    reason = f"{name} is not installed: {INSTALL}"
    if os.environ.get("DRIFTBELL_TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a binary to its end and return what it said, the exit code included."""
    command = [binary(name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def said(done: subprocess.CompletedProcess[str]) -> str:
    return f"exit {done.returncode}\n{done.stdout}{done.stderr}"
