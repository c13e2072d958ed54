"""The shape of all sequential detectors: a frozen configuration, a small state, pure functions between them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.pair import FloatArray
from detectors.sequential.snapshot import state_from_bytes, state_to_bytes
from detectors.sequential.step import Step, Steps, blank_steps

_FIRST_BLOCK: Final = 256
_LARGEST_BLOCK: Final = 4096
_LEAST_ROWS: Final = 1e-6
_MOST_ROWS: Final = 1e15
ANY: Final = (-1e100, 1e100)
"""Values whose squares still add up."""
SHARES: Final = (0.0, 1.0)
"""Hits over rows."""

S = TypeVar("S", bound=tuple[Any, ...])


class Trace(NamedTuple):
    """What a method finds in a block of n values, as if it never began anew.

    Parameters
    ----------
    statistic : (n,) float array
        Larger is always more drift; NaN where there is too little data.
    limit, warning_limit : (n,) float array or float
        What the statistic must exceed for drift and for a warning; inf for methods that do not warn.
    n : (n,) float array
        Observations so far.

    Examples
    --------
    >>> Trace(np.array([0.5]), 1.0, np.inf, np.array([1.0])).limit
    1.0
    """

    statistic: FloatArray
    limit: FloatArray | float
    warning_limit: FloatArray | float
    n: FloatArray


class Sequential(ABC, Generic[S]):
    """A detector of drift in an ordered stream; a subclass is a frozen dataclass of its parameters.

    Notes
    -----
    A value is a single observation (weight 1) or the mean of a pane, with the pane's rows as its weight; an error rate
    is hits / rows. A NaN, and a value of weight 0, is no observation: it is skipped, and its step has no statistic.
    After a drift the detector begins anew with the next value, knowing nothing of what was before.
    Nothing depends on how a stream is cut into calls: `run` over an array gives, to the last bit, the steps and the
    state of `update` value by value, and of a state that was kept as bytes in between.

    Examples
    --------
    >>> from detectors.sequential.ddm import Ddm
    >>> ddm = Ddm()
    >>> state, steps = ddm.run([0, 1] * 500 + [1] * 200)
    >>> steps.drifts.tolist()
    [1067]
    """

    name: ClassVar[str]

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value that the method takes."""
        return ANY

    @abstractmethod
    def begin(self) -> S:
        """Return the state of a detector that has seen nothing; its first field is n, the observations so far."""

    @abstractmethod
    def trace(self, state: S, values: FloatArray, weights: FloatArray) -> tuple[S, Trace]:
        """Judge a block of values as if the detector never began anew; called by `run`, which does that.

        Parameters
        ----------
        state : named tuple
            Of `begin` or of an earlier call; it is not changed.
        values, weights : (n,) float array
            Finite values in the method's range, and weights above 0.

        Returns
        -------
        state : named tuple
            After the last value, when none of them is drift.
        trace : Trace
            Each entry a function of the values up to it only.
        """

    def update(self, state: S, value: float, weight: float = 1.0) -> tuple[S, Step]:
        """Take one value.

        Parameters
        ----------
        state : named tuple
            Of `begin` or of an earlier update; it is not changed.
        value : float
            A single observation, or the mean of a pane; NaN is skipped.
        weight : float
            Rows that the value is the mean of; 0 is skipped.

        Returns
        -------
        state : named tuple
            To go on with.
        step : Step
            What is said of the value.

        Raises
        ------
        ValueError
            When the value is outside `bounds`, or the weight neither 0 nor from 1e-6 to 1e15.
        """
        x, w = self._observations(value, weight)
        if np.isnan(x[0]) or w[0] == 0:
            return state, Step(drift=False, warning=False, statistic=None, limit=None, n=state[0])
        after, trace = self.trace(state, x, w)
        step = _step(trace)
        return (self.begin() if step.drift else after), step

    def run(
        self, values: ArrayLike, weights: ArrayLike | None = None, state: S | None = None
    ) -> tuple[S, Steps]:
        """Take an array of values, as `update` takes one.

        Parameters
        ----------
        values : (n,) array of float
            In the order of time.
        weights : (n,) array of float, optional
            Rows of each; 1 when absent.
        state : named tuple, optional
            To go on from; that of `begin` when absent.

        Returns
        -------
        state : named tuple
            After the last value.
        steps : Steps
            One a value.

        Raises
        ------
        ValueError
            When shapes differ, a value is outside `bounds`, or a weight neither 0 nor from 1e-6 to 1e15.
        """
        x, w = self._observations(values, weights)
        state = self.begin() if state is None else state
        steps, began = blank_steps(len(x)), float(state[0])
        there = np.flatnonzero(~np.isnan(x) & (w > 0))
        place, size = 0, _FIRST_BLOCK
        while place < len(there):
            block = there[place : place + size]
            state, taken, drifted = self._take(state, block, (x[block], w[block]), steps)
            place += taken
            size = _FIRST_BLOCK if drifted else min(2 * size, _LARGEST_BLOCK)
        _count_skipped(steps, there, began)
        return state, steps

    def _take(
        self, state: S, block: NDArray[np.intp], of: tuple[FloatArray, FloatArray], steps: Steps
    ) -> tuple[S, int, bool]:
        """Take values up to the first drift; how many were taken, and whether it was for a drift."""
        after, trace = self.trace(state, *of)
        drift = trace.statistic > trace.limit
        drifted = bool(drift.any())
        taken = int(drift.argmax()) + 1 if drifted else len(block)
        _write(steps, block[:taken], trace, drifted=drifted)
        return (self.begin() if drifted else after), taken, drifted

    def _observations(self, values: ArrayLike, weights: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
        x = np.array(values, dtype=np.float64, ndmin=1)
        w = np.ones_like(x) if weights is None else np.array(weights, dtype=np.float64, ndmin=1)
        if x.ndim != 1 or x.shape != w.shape:
            raise ValueError(f"values and weights must be one column each, got {x.shape} and {w.shape}")
        if not ((w == 0) | ((w >= _LEAST_ROWS) & (w <= _MOST_ROWS))).all():
            raise ValueError(f"a weight must be 0, or from {_LEAST_ROWS:g} to {_MOST_ROWS:g}")
        low, high = self.bounds
        if ((x < low) | (x > high)).any():
            raise ValueError(f"{self.name} takes values from {low:g} to {high:g}")
        return x, w

    def _configuration(self) -> str:
        """Name and parameters, alike for 1, 1.0 and numpy's 1.0."""
        parameters = (p if isinstance(p, str) else repr(float(p)) for p in vars(self).values())
        return f"{self.name}({', '.join(parameters)})"

    def to_bytes(self, state: S) -> bytes:
        """Return a state as bytes, to be kept between processes.

        Parameters
        ----------
        state : named tuple
            Of this detector.

        Returns
        -------
        bytes
            Versioned, with a checksum and a fingerprint of the method and its parameters.
        """
        return state_to_bytes(state, self._configuration())

    def from_bytes(self, data: bytes) -> S:
        """Return the state that `to_bytes` made bytes of.

        Parameters
        ----------
        data : bytes
            Of a detector of the same method and parameters.

        Returns
        -------
        named tuple
            To go on with.

        Raises
        ------
        ValueError
            When the bytes are damaged, of another version, or of another detector.
        """
        return state_from_bytes(data, self.begin(), self._configuration())


def _step(trace: Trace) -> Step:
    """The step of the only value of a trace."""
    statistic, n = float(trace.statistic[0]), float(trace.n[0])
    if np.isnan(statistic):
        return Step(drift=False, warning=False, statistic=None, limit=None, n=n)
    limit, warns = (float(bound if isinstance(bound, float) else bound[0]) for bound in trace[1:3])
    drift = statistic > limit
    return Step(drift, not drift and statistic > warns, statistic, limit, n)


def _write(steps: Steps, places: NDArray[np.intp], trace: Trace, *, drifted: bool) -> None:
    """Put the first entries of a trace where they belong; the last of them is drift, or none is."""
    statistic = trace.statistic[: len(places)]
    limit = np.broadcast_to(trace.limit, trace.statistic.shape)[: len(places)]
    warns = np.broadcast_to(trace.warning_limit, trace.statistic.shape)[: len(places)]
    judged = ~np.isnan(statistic)
    steps.judged[places] = judged
    steps.statistic[places] = np.where(judged, statistic, 0.0)
    steps.limit[places] = np.where(judged, limit, 0.0)
    steps.warning[places] = statistic > warns
    steps.n[places] = trace.n[: len(places)]
    if drifted:
        steps.drift[places[-1]] = True
        steps.warning[places[-1]] = False


def _count_skipped(steps: Steps, there: NDArray[np.intp], began: float) -> None:
    """Values that were skipped have seen as many observations as the value before them."""
    if len(there) == len(steps.n):
        return
    taken = np.zeros(len(steps.n), np.intp)
    taken[there] = there + 1
    latest = np.maximum.accumulate(taken)
    after = np.concatenate([[began], np.where(steps.drift, 0.0, steps.n)])
    steps.n[taken == 0] = after[latest][taken == 0]
