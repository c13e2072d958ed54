"""Records of a topic, as a reader hands them over."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from service.intake.limits import Limits
from service.intake.source import Records
from service.messages import Partition
from service.sniffing.found import ModelFound, TopicFound
from service.sniffing.sniffer import Sniffer

T0_MS = 1_795_305_600_000
TOPIC = "inference-log"


def records_of(values: Sequence[Any], partition: int = 0, every_ms: int = 1_000) -> Records:
    """One record after another; what is no bytes is written as JSON."""
    encoded = [one if isinstance(one, bytes | None) else json.dumps(one).encode() for one in values]
    times = T0_MS + every_ms * np.arange(len(encoded), dtype=np.int64)
    return Records(
        Partition(TOPIC, partition),
        np.arange(len(encoded), dtype=np.int64),
        times,
        encoded,
        [None] * len(encoded),
    )


def prediction(n: int = 0, prediction: Any = None, **features: Any) -> dict[str, Any]:
    """One prediction a second."""
    event = {
        "type": "prediction",
        "model": "churn",
        "id": f"p{n}",
        "ts": T0_MS + 1_000 * n,
        "features": features,
    }
    return event if prediction is None else event | {"prediction": prediction}


def label(n: int, said: Any, late_ms: int = 60_000) -> dict[str, Any]:
    """The label of a prediction."""
    return {
        "type": "label",
        "model": "churn",
        "id": f"p{n}",
        "ts": T0_MS + 1_000 * n + late_ms,
        "label": said,
    }


def found_in(*values: Any, every_ms: int = 1_000) -> TopicFound:
    """What these records hold."""
    return sniffed([records_of(values, every_ms=every_ms)])


def sniffed(records: Iterable[Records], partitions: int = 1, limits: Limits | None = None) -> TopicFound:
    """What is found in all partitions of a topic."""
    sniffer = Sniffer(TOPIC, partitions, limits or Limits())
    for some in records:
        sniffer.add(some)
    return sniffer.found(partitions)


def model_in(*values: Any) -> ModelFound:
    """The only model that they hold."""
    (model,) = found_in(*values).models
    return model
