"""`driftbell demo` as a person starts it: the first alert in a minute, a clean end, nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from threading import Thread

import psutil
import pytest

from service.embedded.broker import free_port

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]

FIRING = r'^driftbell_alert_firing\{[^}]*feature="temp"[^}]*\} 1(\.0)?$'


class Running:
    """The command under way: its lines with the second at which they came."""

    def __init__(self, process):
        self.process = process
        self.began = time.monotonic()
        self.lines: list[tuple[float, str]] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic() - self.began, line.rstrip("\n")))

    def wait_for(self, word, seconds=60.0):
        """The second and text of the first line with this word."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = next((one for one in list(self.lines) if word in one[1]), None)
            if found is not None:
                return found
            assert self.process.poll() is None, self.text
            time.sleep(0.1)
        raise AssertionError(f"no line with {word!r} in {self.text}")

    def end(self, seconds):
        code = self.process.wait(seconds)
        self._reader.join(5)
        return code

    @property
    def text(self):
        return "\n".join(text for _, text in self.lines)


@contextmanager
def demo(*options):
    """Start `driftbell demo` as a program of its own."""
    command = [sys.executable, "-c", "from service.cli import main; main()", "demo", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DRIFTBELL_")}
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        encoding="utf-8",
    )
    try:
        yield Running(process)
    finally:
        process.kill()  # only if the test failed: its servers end with it
        process.wait()
        process.stdout.close()


def servers_of(pid):
    """Postgres, the broker and their keepers."""
    return psutil.Process(pid).children(recursive=True)


def all_gone(servers):
    return bool(servers) and not psutil.wait_procs(servers, timeout=5)[1]


def test_the_first_alert_fires_within_a_minute_and_the_demo_ends_by_itself():
    port = free_port()
    with demo("--minutes", "0.95", "--speed", "2", "--port", str(port)) as running:
        second, sentence = running.wait_for("ALERT")
        servers = servers_of(running.process.pid)
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
        assert running.end(90) == 0
        assert second < 60
        assert "feature temp" in sentence
        assert "bike-rentals" in sentence
        assert re.search(FIRING, metrics, re.MULTILINE)
        assert "not noticed" not in running.text
        assert "\x1b" not in running.text
        assert all_gone(servers)


def test_ctrl_c_ends_it_with_everything_that_it_started():
    with demo("--port", str(free_port())) as running:
        running.wait_for("the script:")
        assert "\nexport DRIFTBELL_DATABASE_URL=" in running.text
        servers = servers_of(running.process.pid)
        running.process.send_signal(signal.SIGINT)
        assert running.end(20) == 0
        assert "nothing runs any more" in running.text
        assert all_gone(servers)


def test_ctrl_c_while_it_starts_ends_it_too():
    with demo("--port", str(free_port())) as running:
        running.wait_for("PostgreSQL runs")
        servers = servers_of(running.process.pid)
        running.process.send_signal(signal.SIGTERM)
        assert running.end(30) == 0
        assert all_gone(servers)


def test_a_taken_port_is_said_and_another_one_used():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with demo("--port", str(taken.getsockname()[1])) as running:
            running.wait_for("is taken")
            running.wait_for("Metrics")
            running.process.send_signal(signal.SIGINT)
            assert running.end(20) == 0
