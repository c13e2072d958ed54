"""Starts a command under the keeper, so that nothing is left behind when this process is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEEPER = Path(__file__).with_name("keeper.py")
LOG_TAIL_LINES = 5


class KeptProcess:
    """One server process with a log file; ends with `stop`, or with the process that started it."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        stop_signal: int,
        grace_seconds: float,
        refuses_root: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._log = log
        user = "nobody" if refuses_root else "same"
        how = [str(int(stop_signal)), str(grace_seconds), user]
        with log.open("ab") as output:
            self._keeper = subprocess.Popen(  # noqa: S603 - the command is our own
                [sys.executable, "-I", "-S", str(KEEPER), *how, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=log.parent,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the program, which stops its servers in its order
            )

    def running(self) -> bool:
        """Whether the server is still there."""
        return self._keeper.poll() is None

    def wait(self) -> int:
        """Wait until the command ends by itself; give its exit code."""
        code = self._keeper.wait()
        self.stop()
        return code

    def wait_until(self, ready: Callable[[], bool], timeout_seconds: float, what: str) -> None:
        """Wait until `ready` says so; if the server ends or is too slow, stop it and tell its log's end."""
        deadline = time.monotonic() + timeout_seconds
        while not ready():
            if not self.running() or time.monotonic() > deadline:
                why = "does not answer" if self.running() else "ended at once"
                self.stop()
                message = f"{what} {why}; its log {self._log} ends with: {log_tail(self._log)}"
                raise ConfigurationError(message)
            time.sleep(0.02)

    def stop(self) -> None:
        """End the server and wait for it; safe to call twice."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._keeper.wait()


def log_tail(log: Path) -> str:
    """The last lines of a log file, on one line."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return " | ".join(line.strip() for line in lines[-LOG_TAIL_LINES:] if line.strip())
