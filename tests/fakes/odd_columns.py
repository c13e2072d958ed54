"""A model with columns of every odd sort, counted by a collector: before and after a reference was learned of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Engine

from service.learning import learn
from service.monitor import MINUTE_MS, Monitor, WindowSpec
from service.store.configuration import apply_monitors, store_reference
from service.store.profiles import to_be_stored
from tests.fakes.collecting import Bench

MODEL = "odd/model?a=b&c"
T = 1_795_305_600_000  # 2026-11-22T00:00:00Z
LENGTH_MS = 5 * MINUTE_MS
NOW_MS = T + 4 * LENGTH_MS
ROWS = 400
REFERENCE = "odd-learned"


def monitor(reference: str | None) -> Monitor:
    return Monitor(MODEL, windows=(WindowSpec.tumbling(LENGTH_MS),), reference=reference, nonfinite="missing")


def usual(random: np.random.Generator, hostile: Sequence[str]) -> dict[str, list[object]]:
    """Columns by their names; the hostile ones are numbers like any others."""
    return {
        "amount": random.normal(50, 10, ROWS).round(2).tolist(),
        "constant": [7] * ROWS,
        "email": random.normal(3, 1, ROWS).tolist(),
        "gone": random.uniform(0, 1, ROWS).tolist(),
        "country": random.choice(["DE", "FR", "<b>PL</b>"], ROWS).tolist(),
        **{name: random.exponential(2, ROWS).tolist() for name in hostile},
    }


def changed(random: np.random.Generator, hostile: Sequence[str]) -> dict[str, list[object]]:
    """The same after a bad release: one renamed, one always null, one in another unit, one with strange values."""
    now = usual(random, hostile)
    now["user_email"] = now.pop("email")
    now["gone"] = [None] * ROWS
    now["amount"] = [100 * value for value in now["amount"]]  # type: ignore[operator]
    now["country"][:40] = ["<img src=x onerror=alert(1)>"] * 40
    return now


def play(engine: Engine, hostile: Sequence[str] = ()) -> None:
    """Five minutes as usual, a reference of them, and five minutes of trouble ten minutes later."""
    random = np.random.default_rng(20_261_122)
    apply_monitors(engine, [monitor(None)], [], 0)
    bench = Bench(engine)
    bench.clock.seconds = T / 1000
    _send(bench, usual(random, hostile), T)
    bench.collector().read_all()
    store_reference(engine, to_be_stored(learn(engine, MODEL, REFERENCE, T, T + LENGTH_MS)))
    apply_monitors(engine, [monitor(REFERENCE)], [], T + LENGTH_MS)
    bench.clock.seconds = (T + 3 * LENGTH_MS) / 1000
    _send(bench, changed(random, hostile), T + 3 * LENGTH_MS)
    bench.collector().read_all()


def _send(bench: Bench, columns: Mapping[str, Sequence[object]], start_ms: int) -> None:
    step_ms = LENGTH_MS // ROWS
    events = [
        {
            "type": "prediction", "model": MODEL, "version": "<i>7</i>", "id": f"{start_ms}-{i}",
            "ts": start_ms + i * step_ms, "features": {name: values[i] for name, values in columns.items()},
        }
        for i in range(ROWS)
    ]  # fmt: skip
    bench.log.append([json.dumps(event).encode() for event in events], [-1] * ROWS)
