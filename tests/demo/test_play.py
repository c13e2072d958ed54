"""What the demo says before its traffic begins can be pasted into a second terminal."""

from __future__ import annotations

import io
import shlex

from rich.console import Console

from service.demo.play import _say_where, _settings
from service.demo.terminal import Terminal
from service.settings import load_settings

URL = "postgresql://postgres:@/postgres?host=/tmp/a%20b&user=$me"


def test_a_second_terminal_is_told_how_to_ask_the_demo():
    shown = io.StringIO()
    _say_where(Terminal(Console(file=shown, width=40)), 8765, _settings(URL, "127.0.0.1:9092"))
    lines = shown.getvalue().splitlines()
    words = [shlex.split(line) for line in lines if line.startswith("export ")]
    told = load_settings(dict(word.split("=", 1) for _, word in words))
    assert (told.database.url, told.kafka.bootstrap_servers, told.kafka.topics) == (
        URL, ("127.0.0.1:9092",), ("inference",),
    )  # fmt: skip
    assert "`driftbell top` or `driftbell incidents list`" in shown.getvalue()
