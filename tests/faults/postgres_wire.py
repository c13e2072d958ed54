"""Reads PostgreSQL's protocol as it passes by: tells of a COMMIT under way, loses the reply to one that was done."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event

from tests.faults.proxy import Verdict

NOT_YET_STARTUP = {80877103, 80877104}  # asks for TLS or GSS, answered with one byte
READY = b"Z\x00\x00\x00\x05I"
TYPED_HEADER, UNTYPED_HEADER = 5, 8


@dataclass
class Commits:
    """Watches the COMMITs of transactions in which `marker` was said, and takes away the reply to the next `to_lose`.

    `under_way` is set when one goes to the server.
    """

    marker: bytes
    to_lose: int = 0
    lost: int = 0
    under_way: Event = field(default_factory=Event)

    def watcher(self) -> Conversation:
        """For a new connection."""
        return Conversation(self)


@dataclass
class Conversation:
    """One connection: what was said in the open transaction, and whether its COMMIT's reply is to be lost."""

    plan: Commits
    _unread: bytes = b""
    _started: bool = False
    _texts: dict[bytes, bytes] = field(default_factory=dict)
    """SQL by the name it was prepared under: a second execution sends the name only."""
    _said: list[bytes] = field(default_factory=list)
    _doomed: bool = False

    def asked(self, data: bytes) -> None:
        for kind, body in self._messages(data):
            if kind == b"P":
                name, text, *_ = body.split(b"\0", 2)
                self._texts[name] = text
            elif kind == b"B":
                _, name, *_ = body.split(b"\0", 2)
                self._said.append(self._texts.get(name, b""))
            elif kind == b"Q":
                self._say(body.rstrip(b"\0"))

    def answered(self, data: bytes) -> Verdict:
        if not self._doomed:
            return Verdict.PASS
        if not data.endswith(READY):
            return Verdict.DROP
        self.plan.lost += 1
        return Verdict.CUT

    def _say(self, text: bytes) -> None:
        if text.startswith(b"BEGIN"):
            self._said.clear()
        elif text == b"COMMIT":
            if any(self.plan.marker in said for said in self._said):
                self._pass_commit()
        else:
            self._said.append(text)

    def _pass_commit(self) -> None:
        self.plan.under_way.set()
        if self.plan.to_lose > 0:
            self.plan.to_lose -= 1
            self._doomed = True

    def _messages(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Whole messages: a kind of one byte, then what it says. Those before the first SQL have no kind."""
        self._unread += data
        while True:
            header = TYPED_HEADER if self._started else UNTYPED_HEADER
            if len(self._unread) < header:
                return
            (length,) = struct.unpack_from(">i", self._unread, 1 if self._started else 0)
            end = length + 1 if self._started else length
            if len(self._unread) < end:
                return
            message, self._unread = self._unread[:end], self._unread[end:]
            if self._started:
                yield message[:1], message[5:]
            else:
                (code,) = struct.unpack_from(">i", message, 4)
                self._started = code not in NOT_YET_STARTUP
