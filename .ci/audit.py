"""Asks the advisory services about every installed package: `python .ci/audit.py [--unreached=fail|warn]`.

Exits 1 when a package has a known vulnerability, 3 when no service could be asked about all of them.
pip-audit itself ends well when a service knows none of the packages, which is what a bare package mirror answers.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

SERVICES = ("pypi", "osv")
OWN = "driftbell"
VULNERABLE, UNREACHED = 1, 3


def answer_of(service: str) -> list[dict[str, Any]] | None:
    """What the service says of each package; None when it could not be asked."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--local"]
    asked = subprocess.run(  # noqa: S603 - the command is our own
        [*command, "--format", "json", "--progress-spinner", "off", "--timeout", "20"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: list[dict[str, Any]] = json.loads(asked.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None
    return found


def verdict(packages: list[dict[str, Any]] | None) -> tuple[int, list[str]]:
    """The exit code, and what to say."""
    others = [package for package in packages or () if package["name"] != OWN]
    vulnerable = [
        f"{package['name']} {package['version']} has {found['id']}; mended in {found['fix_versions'] or 'none'}"
        for package in others
        for found in package.get("vulns", ())
    ]
    if vulnerable:
        return VULNERABLE, vulnerable
    unknown = [package["name"] for package in others if "skip_reason" in package]
    if not others or unknown:
        return UNREACHED, [f"nothing is known of {len(unknown) or 'all'} packages"]
    return 0, [f"{len(others)} packages, no known vulnerability"]


def audit(*, unreached_is_warning: bool) -> int:
    """Ask one service after the other until one knows; say what it says."""
    for service in SERVICES:
        code, said = verdict(answer_of(service))
        for line in said:
            sys.stdout.write(f"audit by {service}: {line}\n")
        if code != UNREACHED:
            return code
    sys.stdout.write("audit: NO ADVISORY SERVICE COULD BE ASKED; this says nothing about vulnerabilities\n")
    return 0 if unreached_is_warning else UNREACHED


if __name__ == "__main__":
    sys.exit(audit(unreached_is_warning=sys.argv[1:] == ["--unreached=warn"]))
