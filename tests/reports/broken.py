"""An incident that a collector and an evaluator made: in the second half of half an hour, amounts are in cents."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sqlalchemy import Engine, select

from service.monitor import MINUTE_MS
from service.store.engine import transaction
from service.store.tables import alert
from tests.fakes.answered import MINUTES, MODEL, T, Traffic, run
from tests.test_evaluator import Evaluating

BREAK_MS = T + MINUTES * MINUTE_MS // 2
NOW_MS = T + 24 * 60 * MINUTE_MS


class Cents(Traffic):
    """The same amounts, a hundred times as large from the middle on; what is true stays so."""

    @property
    def weak(self) -> np.ndarray:
        return (self.amount % 7 >= 3.5) & (self.country == self.weak_country)


def break_it(engine: Engine, folder: Path) -> str:
    """Runs all of it; gives the incident's id."""
    live = Cents(np.random.default_rng(2))
    live.amount[live.n // 2 :] = np.round(live.amount[live.n // 2 :] * 100, 0)
    run(engine, Traffic(np.random.default_rng(1)), live, folder)
    Evaluating(engine, now_ms=NOW_MS).turn(20)
    with transaction(engine) as connection:
        rows = connection.execute(select(alert.c.incident).where(alert.c.feature == "amount"))
        (incident,) = set(rows.scalars())
    return str(incident)


__all__ = ["BREAK_MS", "MODEL", "NOW_MS", "break_it"]
