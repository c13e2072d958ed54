"""The advice to train a model again, once its concept has drifted: told by whoever holds the model's lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.labelling.retraining import advise, kind_to_train_on
from service.monitor import DAY_MS, Task
from service.store.engine import transaction
from service.store.results import hold
from service.store.retraining import confirmed, evidence_since, keep_advice, last_advice_ms

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.configuration import Configuration
    from service.store.results import Lease


def advise_retraining(
    engine: Engine, held: Lease, configuration: Configuration, position_ms: int | None
) -> bool:
    """Advise at most once a day of event time, when an alert asks for it; returns whether there may be more: never.

    An alert for which there are no data yet is told of at once, and once more when there are.
    Raises LeaseLost when another evaluator has taken the model, and writes nothing then.
    """
    latest = configuration.latest(held.model)
    if latest is None or position_ms is None or latest.monitor.task is Task.NONE:
        return False
    with transaction(engine) as connection:
        found = confirmed(connection, held.model)
        if found is None:
            return False
        why, is_told = found
        last_ms = last_advice_ms(connection, held.model)
        if last_ms is not None and position_ms - last_ms < DAY_MS:
            return False
        spec = kind_to_train_on(latest.monitor.windows)
        evidence = evidence_since(connection, held.model, spec.name, why.since_ms, position_ms)
        advice = advise(why, spec, evidence, position_ms)
        if advice.spans or not is_told:
            hold(connection, held)
            keep_advice(connection, advice)
    return False
