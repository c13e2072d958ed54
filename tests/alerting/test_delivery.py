"""Alerts leave at least once and in order, and a webhook that is away holds nothing up for ever."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.alerting.delivery import Delivery, webhook


@dataclass(frozen=True)
class Letter:
    """A waiting message."""

    message: Mapping[str, Any]


@dataclass
class Box:
    """An outbox in memory."""

    letters: list[Letter]
    attempts: list[Letter] = field(default_factory=list)

    def waiting(self, most: int = 100) -> list[Letter]:
        return self.letters[:most]

    def hold_what_is_silent(self) -> list[Letter]:
        return []

    def delivered(self, message: Letter) -> None:
        self.letters.remove(message)

    def failed(self, message: Letter) -> None:
        self.attempts.append(message)


def letter(summary: str, state: str = "firing") -> Letter:
    """An alert's message."""
    return Letter({"state": state, "severity": "page", "cause": "silence", "summary": summary})


def test_without_a_webhook_alerts_go_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    box, counted = Box([letter("a"), letter("b", "resolved")]), []
    with caplog.at_level(logging.INFO):
        Delivery(box, count=counted.append).deliver()
    assert box.letters == []
    assert counted == ["delivered", "delivered"]
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("WARNING", "FIRING page silence: a"), ("INFO", "RESOLVED page silence: b"),
    ]  # fmt: skip


def test_a_webhook_that_fails_keeps_the_order_and_is_complained_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away, sent = [True], []

    def send(message: Mapping[str, Any]) -> None:
        if away[0]:
            raise OSError("connection refused")
        sent.append(message["summary"])

    box = Box([letter("a"), letter("b")])
    delivery = Delivery(box, send)
    for _ in range(3):
        delivery.deliver()
    assert [x.message["summary"] for x in box.attempts] == ["a", "a", "a"]
    assert [r.getMessage() for r in caplog.records] == [
        "the alert webhook does not take alerts: connection refused; trying again"
    ]
    away[0] = False
    delivery.deliver()
    assert sent == ["a", "b"]
    assert box.letters == []


def answering(answers: list[bytes]) -> tuple[str, list[bytes], Callable[[], None]]:
    """A web server of one connection an answer; its address, what it was sent, and how it is ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []

    def serve() -> None:
        for answer in answers:
            with listener.accept()[0] as connection:
                heard.append(connection.recv(65_536))
                connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def end() -> None:
        listener.close()
        thread.join(5)

    return f"http://127.0.0.1:{listener.getsockname()[1]}/hook", heard, end


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_whatever_a_webhook_answers_the_alert_waits_and_goes_nowhere_else(
    answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    url, heard, end = answering([answer])
    box = Box([letter("a")])
    Delivery(box, webhook(url)).deliver()
    end()
    assert [x.message["summary"] for x in box.attempts] == ["a"]
    assert len(heard) == 1
    assert "does not take alerts" in caplog.text
