"""Pairs rows with columns at the least total cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def cheapest_pairs(costs: FloatArray) -> list[tuple[int, int]]:
    """The assignment of least total cost: min(rows, columns) pairs (row, column), by row.

    Shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987, doi:10.1007/BF02278710), in
    O(rows^2 columns). Costs must be finite.
    """
    if costs.size == 0:
        return []
    if costs.shape[0] > costs.shape[1]:
        return sorted((row, column) for column, row in cheapest_pairs(costs.T))
    rows, columns = costs.shape
    of_row, of_column = np.zeros(rows), np.zeros(columns)
    owner = np.full(columns, -1)
    for start in range(rows):
        _augment(costs, of_row, of_column, owner, start)
    return sorted((int(row), column) for column, row in enumerate(owner.tolist()) if row >= 0)


def _augment(
    costs: FloatArray, of_row: FloatArray, of_column: FloatArray, owner: NDArray[np.int64], start: int
) -> None:
    """Give `start` a column, moving the owners along the shortest path of reduced costs."""
    columns = len(of_column)
    distance, came_from = np.full(columns, np.inf), np.full(columns, -1)
    done = np.zeros(columns, np.bool_)
    row, column, reached = start, -1, 0.0
    while row >= 0:
        through = reached + costs[row] - of_row[row] - of_column
        nearer = ~done & (through < distance)
        distance[nearer], came_from[nearer] = through[nearer], column
        column = int(np.argmin(np.where(done, np.inf, distance)))
        reached, row = float(distance[column]), int(owner[column])
        done[column] = True
    settled = np.flatnonzero(done & (distance < reached))
    of_row[start] += reached
    of_row[owner[settled]] += reached - distance[settled]
    of_column[settled] -= reached - distance[settled]
    while column >= 0:
        before = int(came_from[column])
        owner[column] = start if before < 0 else owner[before]
        column = before
