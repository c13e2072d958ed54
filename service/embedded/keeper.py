"""Runs one server and ends it when the program that started it ends, however that program ends.

A script of its own (`python keeper.py STOP_SIGNAL GRACE_SECONDS USER COMMAND...`, standard library only).
USER is `nobody` for a server that refuses root, `same` for others.
Its standard input is a pipe from the program: end of file means "stop", also when the program was killed.
Should the keeper itself be killed, Linux sends the stop signal to the server (PDEATHSIG).
"""

from __future__ import annotations

import ctypes
import os
import pwd
import select
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def keep(stop_signal: int, grace_seconds: float, user: str, command: list[str]) -> int:
    """Run the command until it ends or standard input closes; give its exit code."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    keeper = os.getpid()
    server = subprocess.Popen(  # noqa: S603 - the command is our own
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: _enter_server(keeper, stop_signal, user),  # noqa: PLW1509 - it has one thread
    )
    ready: list[int] = []
    while server.poll() is None and sys.stdin.fileno() not in ready:
        ready, _, _ = select.select([sys.stdin.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
    return _stop(server, stop_signal, grace_seconds)


def _stop(server: subprocess.Popen[bytes], stop_signal: int, grace_seconds: float) -> int:
    if server.poll() is None:
        server.send_signal(stop_signal)
        try:
            server.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
    return server.wait()


def _enter_server(keeper: int, stop_signal: int, user: str) -> None:
    """Between fork and exec: leave root behind, then ask to die with the keeper (the order matters)."""
    if os.geteuid() == 0 and user == "nobody":
        _become_nobody()
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != keeper:
            os._exit(1)


def _become_nobody() -> None:
    """Give up root, which Postgres refuses, but keep the right to reach files below a closed home."""
    user = pwd.getpwnam("nobody")
    if sys.platform == "linux":
        _prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if sys.platform == "linux":
        mask = 1 << CAP_DAC_OVERRIDE
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable, twice
        ctypes.CDLL(None).capset(header, sets)
        _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def _prctl(option: int, *arguments: int) -> None:
    values = [*arguments, 0, 0, 0, 0][:4]
    ctypes.CDLL(None).prctl(option, *(ctypes.c_ulong(value) for value in values))


if __name__ == "__main__":
    sys.exit(keep(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4:]) & 0xFF)
