"""A file gets plain lines without control codes, a terminal gets a living line."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from service.demo.terminal import Terminal


@pytest.fixture
def output():
    return io.StringIO()


def test_a_file_gets_no_control_codes(output):
    terminal = Terminal(Console(file=output, force_terminal=False))
    with terminal.step("starting", "a server runs"):
        pass
    terminal.say("[bold]not markup[/bold]", "bold")
    terminal.status("going on")
    terminal.close()
    assert "\x1b" not in output.getvalue()
    assert "[bold]not markup[/bold]" in output.getvalue()


def test_a_file_gets_the_status_every_ten_seconds_only(output):
    seconds = iter([0.0, 5.0, 11.0, 11.0, 12.0])
    terminal = Terminal(Console(file=output, force_terminal=False), lambda: next(seconds))
    for text in ("first", "second", "third"):
        terminal.status(text)
    assert output.getvalue().split() == ["second"]


def test_a_terminal_shows_a_status_that_goes_away(output):
    terminal = Terminal(Console(file=output, force_terminal=True, width=60))
    terminal.status("1,000 events sent [and more] " + "x" * 100)
    terminal.close()
    assert "1,000 events sent [and more]" in output.getvalue()
