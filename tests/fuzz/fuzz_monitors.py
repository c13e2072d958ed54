"""Any text as monitors.yaml: monitors that come back from their own YAML, or a ConfigurationError; no bomb works."""

from __future__ import annotations

from service.errors import ConfigurationError
from service.monitor_file import dump_monitors, parse_monitors


def one_input(data: bytes) -> None:
    """Read it as a file is read."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        monitors = parse_monitors(text, "monitors.yaml")
    except ConfigurationError as refused:
        check(refused)
        return
    again = parse_monitors(dump_monitors(monitors), "dumped")
    assert sorted(again, key=lambda m: m.model) == sorted(monitors, key=lambda m: m.model)


def check(refused: ConfigurationError) -> None:
    """Each problem says where it is."""
    assert refused.problems
    assert all(problem.startswith("monitors.yaml:") for problem in refused.problems)
