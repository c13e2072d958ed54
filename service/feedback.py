"""Predictions chosen for a person to label, window by window, by whoever holds the model's lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.labelling.feedback import allowances, choose, day_of, pace, possible_kinds
from service.labelling.surprise import Usual
from service.store.engine import transaction
from service.store.feedback_candidates import (
    chosen_until,
    first_candidate_ms,
    forget_candidates,
    keep_chosen,
    pool,
    spent,
)
from service.store.profiles import stored_profiles
from service.store.results import hold

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from service.configuration import Configuration, ModelVersion
    from service.store.results import Lease

MOST_COMPARED = 5_000
"""So many candidates of a window are compared: those with the smallest hashes."""


def choose_feedback(
    engine: Engine, held: Lease, configuration: Configuration, position_ms: int | None
) -> bool:
    """Choose rows of the first window that ended by `position_ms` and has any; whether there may be more to do.

    What is left of windows before is forgotten first.

    Raises LeaseLost when another evaluator has taken the model, and writes nothing then.
    """
    versions = configuration.models.get(held.model, ())
    if position_ms is None or not any(version.monitor.feedback.per_day for version in versions):
        return False
    if not versions[-1].monitor.feedback.per_day:  # what was put aside before is not kept
        return _forget(engine, held)
    spec = pace(versions[-1].monitor.windows)
    with transaction(engine) as connection:
        since_ms = chosen_until(connection, held.model)
    if since_ms is not None and _forget(engine, held, since_ms):
        return True
    with transaction(engine) as connection:
        first_ms = first_candidate_ms(connection, held.model, since_ms)
    if first_ms is None:
        return False
    end_ms = first_ms - first_ms % spec.every_ms + spec.every_ms
    if end_ms > position_ms:
        return False
    in_force = configuration.at(held.model, end_ms - 1) or versions[-1]
    usual = _usual(engine, in_force)
    with transaction(engine) as connection:
        hold(connection, held)
        _choose(connection, versions[-1], in_force, usual, (first_ms, end_ms))
    return True


def _forget(engine: Engine, held: Lease, before_ms: int | None = None) -> bool:
    """Some thousands at a time; whether there may be more."""
    with transaction(engine) as connection:
        hold(connection, held)
        return forget_candidates(connection, held.model, before_ms)


def _usual(engine: Engine, version: ModelVersion) -> Usual | None:
    profile = stored_profiles(engine)(version.reference_name) if version.reference_name else None
    return None if profile is None else Usual(profile)


def _choose(
    connection: Connection,
    latest: ModelVersion,
    in_force: ModelVersion,
    usual: Usual | None,
    span_ms: tuple[int, int],
) -> None:
    monitor, task, end_ms = latest.monitor, in_force.monitor.task, span_ms[1]
    before = spent(connection, latest.model, day_of(end_ms), end_ms)
    allowed = allowances(monitor.feedback, possible_kinds(task, usual), end_ms, before)
    candidates = pool(connection, latest.model, span_ms, MOST_COMPARED)
    keep_chosen(
        connection, latest.model, pace(monitor.windows).name, end_ms, choose(candidates, allowed, task, usual)
    )
