"""A seeded stream of all that a topic may hold: good, repeated, late, early and broken records, labels, tombstones."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random

from service.monitor import Monitor, WindowSpec

T0_MS = 1_795_305_600_000
STEP_MS = 400
MONITOR = Monitor(
    "churn", pane_ms=10_000, windows=(WindowSpec.tumbling(20_000),), allowed_lateness_ms=20_000, disorder_ms=2_000,
    segments=("country",),
)  # fmt: skip


@dataclass(frozen=True)
class Stream:
    """Records in the order of their offsets."""

    values: list[bytes | None]
    ts_ms: list[int]


def stream(records: int, seed: int = 7, models: tuple[str, ...] = ("churn",)) -> Stream:
    """So many records, one about every 400 ms."""
    random = Random(seed)
    values, times = [], []
    for n in range(records):
        now = T0_MS + n * STEP_MS
        values.append(_value(random, n, now, random.choice(models)))
        times.append(now)
    return Stream(values, times)


def _value(random: Random, n: int, now_ms: int, model: str) -> bytes | None:
    kind = random.random()
    if kind < 0.02:
        return None
    if kind < 0.05:
        return random.choice([b"", b"{", b"\xff\xfe", b'{"type":"prediction"}', b"[]", b'{"a":"\\ud800"}'])
    ts = now_ms - random.choice([0, 0, 0, 500, 5_000, 40_000])
    if kind < 0.06:
        ts = now_ms + 3_600_000
    repeated = max(0, n - random.randint(1, 8)) if kind < 0.2 else n
    about = {"model": model, "id": f"p-{repeated}", "ts": ts}
    if kind > 0.85:
        return json.dumps(about | {"type": "label", "label": random.choice(["yes", "no"])}).encode()
    features = {
        "amount": random.choice([1.5, 20, None, "12", ""]),
        "country": random.choice(["DE", "FR", "x\u0000y", None, 7]),
    }
    said = {
        "type": "prediction",
        "version": random.choice(["1", "2", 3]),
        "prediction": {"label": "yes", "score": random.random()},
    }
    return json.dumps(about | said | {"features": features}).encode()
