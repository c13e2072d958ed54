"""Alerts leave at least once and in order, and a webhook that is away holds nothing up for ever."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from service.alerting.delivery import Delivery


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
