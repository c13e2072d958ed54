"""Sampled rows of stored panes, joined by inference id with the labels that have come for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sqlalchemy import ARRAY, BigInteger, any_, literal, select

from service.configuration import ModelVersion
from service.inspection.weak_slices_rows import Answers, LabelledRows, groups_of, losses_of
from service.messages import Role
from service.performance.counting import BinaryCounting, counting_of
from service.sketches.codec import pane_from_bytes
from service.store.chosen_panes import choose_panes
from service.store.engine import transaction
from service.store.label_join import names_of
from service.store.profiles import grids_of_panes
from service.store.tables import pane, waiting_prediction

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Engine

    from service.messages import Column

_IDS_AT_ONCE = 20_000
_KINDS = {"id": "i8", "start_ms": "i8", "slices": "i4", "class": "i4", "label": "i4"}
_FLOATS = ("score", "value", "label_value")


class _Sampled(NamedTuple):
    """Rows of samples: their hashes, the starts of their panes, and the numbers of features, (features, n)."""

    ids: NDArray[np.uint64]
    starts_ms: NDArray[np.int64]
    numbers: NDArray[np.float64]
    panes: int
    of_panes: int


def labelled_rows(engine: Engine, version: ModelVersion, from_ms: int, until_ms: int) -> LabelledRows:
    """The rows of panes that start in [from_ms, until_ms) and have a label, whenever it came.

    Rows are of the columns of this version's grid; panes of grids that lack one of its number features are left out.
    A prediction waits for its label, and so can be found, for the monitor's `labels.wait`.
    """
    columns = [one.column for one in version.grid.numbers if one.column.role is Role.FEATURE]
    names = tuple(column.name for column in columns)
    with transaction(engine) as connection:
        sampled = _sampled(connection, version.model, columns, (from_ms, until_ms))
        at, found = _answered(connection, version.model, sampled)
        named = names_of(connection, version.model)
    answers = Answers(*(found[name] for name in ("class", "score", "value", "label", "label_value")))
    losses, kind = losses_of(answers, version.monitor.task, _positive(version, named))
    groups = groups_of(found["slices"].astype(np.int32), named, version.monitor.segments)
    return LabelledRows(
        names, sampled.numbers[:, at], groups, losses, kind, sampled.ids[at], len(sampled.ids), sampled.panes,
        sampled.of_panes,
    )  # fmt: skip


def _positive(version: ModelVersion, named: Mapping[int, str]) -> frozenset[int]:
    counting = counting_of(version)
    if not isinstance(counting, BinaryCounting):
        return frozenset()
    return frozenset(number for number, name in named.items() if counting.is_positive(name))


# ---------------------------------------------------------------- sampled rows
def _sampled(
    connection: Connection, model: str, columns: Sequence[Column], span: tuple[int, int]
) -> _Sampled:
    ids, starts, numbers = [], [], []
    chosen = choose_panes(connection, (pane.c.model == model, pane.c.segment == ""), *span, len(columns))
    grid_of = grids_of_panes(connection, *chosen.where)
    query = select(pane.c.start_ms, pane.c.grid_id, pane.c.sketch).where(*chosen.where)
    panes = 0
    with connection.execute(query.execution_options(yield_per=200)) as rows:
        for row in rows:
            grid = grid_of(row.grid_id)
            places = [grid.number_at.get(column) for column in columns]
            if None in places:
                continue
            sample = pane_from_bytes(bytes(row.sketch), grid).sample
            panes += 1
            ids.append(sample.priorities)
            starts.append(np.full(len(sample.priorities), row.start_ms))
            numbers.append(sample.values[np.array(places, np.intp)])
    return _Sampled(
        np.concatenate([np.empty(0, np.uint64), *ids]), np.concatenate([np.empty(0, np.int64), *starts]),
        np.concatenate([np.empty((len(columns), 0)), *numbers], axis=1), panes, chosen.of_panes,
    )  # fmt: skip


# ---------------------------------------------------------------- their labels
def _answered(
    connection: Connection, model: str, sampled: _Sampled
) -> tuple[NDArray[np.intp], dict[str, NDArray[Any]]]:
    """Which of the sampled rows are predictions with a label, and their answers in that order."""
    places = _places(sampled.ids.view(np.int64), sampled.starts_ms)
    distinct, first, times = np.unique(places, return_index=True, return_counts=True)
    once = times == 1  # which row is meant by an id that comes twice in a pane, nobody knows
    found = _labelled(connection, model, distinct["id"][once])
    told = _places(found["id"], found["start_ms"])
    _, mine, theirs = np.intersect1d(distinct[once], told, assume_unique=True, return_indices=True)
    return first[once][mine], {name: values[theirs] for name, values in found.items()}


def _places(ids: NDArray[np.int64], starts_ms: NDArray[np.int64]) -> NDArray[Any]:
    """Which prediction a row is: by its id, and the start of its pane."""
    made = np.empty(len(ids), [("id", np.int64), ("start_ms", np.int64)])
    made["id"], made["start_ms"] = ids, starts_ms
    return made


def _labelled(connection: Connection, model: str, ids: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """The predictions of these ids whose label has come."""
    c = waiting_prediction.c
    query = select(*(c[name] for name in (*_KINDS, *_FLOATS))).where(
        c.model == model, c.label_ms.is_not(None)
    )
    rows: list[Any] = []
    for first in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[first : first + _IDS_AT_ONCE].tolist()
        rows += connection.execute(query.where(c.id == any_(literal(some, ARRAY(BigInteger))))).all()
    kinds = [(name, _KINDS.get(name, "f8")) for name in (*_KINDS, *_FLOATS)]
    table = np.array([tuple(row) for row in rows], np.dtype(kinds))
    return {name: np.ascontiguousarray(table[name]) for name, _ in kinds}
