"""The grid in force for a monitor: its reference's, plus what its contract must be able to count exactly."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from service.messages import Column, Role
from service.sketches.grids import (
    CategoryGrid,
    Grid,
    NumberGrid,
    default_number_grid,
    exact_edges,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.monitor import Monitor
    from service.promises import Contract, Promise

MOST_INTEGERS = 128


def grid_for(monitor: Monitor, base: Grid) -> Grid:
    """The base's columns with the contract's bounds as edges, its own columns, and one of 0 and 1 for each rule.

    Every edge and category of `base` stays, so that a sketch can be counted down to it again without loss.
    Without a contract it is `base` itself.
    """
    contract = monitor.contract
    if contract is None:
        return base
    numbers = [_numbers(grid, contract) for grid in base.numbers if grid.column.role is not Role.RULE]
    texts = [_texts(grid, contract) for grid in base.texts]
    columns = [*(grid.column for grid in numbers), *(grid.column for grid in texts)]
    known = {column.name for column in columns if column.role is Role.FEATURE}
    for name in sorted(contract.features.keys() - known):
        column, promise = Column(Role.FEATURE, name), contract.features[name]
        if promise.kind == "number":
            numbers.append(_numbers(default_number_grid(column), contract))
        elif promise.kind == "category":
            texts.append(_texts(CategoryGrid(column, ()), contract))
    rules = [rule_grid(rule.name) for rule in contract.rules]
    return Grid((*numbers, *rules), tuple(texts))


def rule_column(name: str) -> Column:
    """The derived column of a rule: 0 where a row keeps it, 1 where it breaks it."""
    return Column(Role.RULE, name)


def rule_grid(name: str) -> NumberGrid:
    """The bins of a rule's column."""
    return NumberGrid(rule_column(name), exact_edges(np.array([0.0, 1.0])), 0.0, 1.0)


def _numbers(grid: NumberGrid, contract: Contract) -> NumberGrid:
    promise = _promise(contract, grid.column)
    added = edges_of(promise) if promise is not None else np.empty(0)
    missing = np.setdiff1d(added, grid.edges)
    return replace(grid, edges=np.union1d(grid.edges, missing)) if len(missing) else grid


def _texts(grid: CategoryGrid, contract: Contract) -> CategoryGrid:
    promise = _promise(contract, grid.column)
    promised = set(categories_of(promise)) if promise is not None else set()
    if promised <= set(grid.categories):
        return grid
    return CategoryGrid(grid.column, tuple(sorted(promised.union(grid.categories))))


def _promise(contract: Contract, column: Column) -> Promise | None:
    return contract.features.get(column.name) if column.role is Role.FEATURE else None


def categories_of(promise: Promise) -> tuple[str, ...]:
    """The values that are promised one by one."""
    if promise.categories is not None:
        return promise.categories
    return () if promise.constant is None else (promise.constant,)


def numbers_of(promise: Promise) -> NDArray[np.float64]:
    """Those of them that are numbers, ascending."""
    found = []
    for text in categories_of(promise):
        try:
            found.append(float(text))
        except ValueError:
            continue
    values = np.array(found, np.float64)
    return np.unique(values[np.isfinite(values)]) + 0.0


def edges_of(promise: Promise) -> NDArray[np.float64]:
    """The edges by which a promise about numbers is counted exactly: what is below `low`, what is above `high`, each
    promised value, and each integer between narrow bounds.
    """
    parts = [exact_edges(numbers_of(promise))]
    if promise.low is not None:
        parts.append(np.array([promise.low + 0.0]))
    if promise.high is not None:
        parts.append(np.nextafter(np.array([promise.high + 0.0]), np.inf))
    if promise.integer and promise.low is not None and promise.high is not None:
        first, last = np.ceil(promise.low), np.floor(promise.high)
        if 0 <= last - first < MOST_INTEGERS:
            parts.append(exact_edges(np.arange(first, last + 1)))
    edges = np.unique(np.concatenate(parts))
    return edges[np.isfinite(edges)]
