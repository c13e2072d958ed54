"""A real Prometheus with a configuration of ours."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.deploy.binaries import binary
from tests.flow.stack import free_port

READY_SECONDS = 60


@contextmanager
def prometheus(config: Path, folder: Path) -> Iterator[str]:
    """A Prometheus with this configuration, once it answers; gives its address."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        binary("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}",
    ]  # fmt: skip
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_ready(f"http://{address}")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(url: str) -> None:
    """It listens before it answers queries."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/-/ready", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"Prometheus is not ready after {READY_SECONDS} s")
