"""What one detector says of one window of many columns: arrays, and scores where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.cells import Cells
from detectors.pair import FloatArray
from detectors.score import Score, too_little_data


@dataclass(frozen=True, slots=True)
class ColumnScores:
    """The scores of C columns by one method.

    Parameters
    ----------
    method : str
        The detector's name in the catalogue.
    value, p_value, limit, resolution : (C,) float array
        As in `Score`; where there is too little data they are 0, 1, 0 and 0.
    n, m : (C,) float array
        Sizes of the current and of the reference samples, whole numbers.
    is_enough : (C,) bool array
        False where there is too little data.

    Examples
    --------
    >>> one = np.ones(1)
    >>> scores = ColumnScores("tv", 0.1 * one, 0.2 * one, 0.3 * one, 0 * one, 50 * one, 60 * one, one > 0)
    >>> scores.score(0)
    Score(method='tv', value=0.1, p_value=0.2, limit=0.3, n=50, m=60, resolution=0.0, reason=None)
    """

    method: str
    value: FloatArray
    p_value: FloatArray
    limit: FloatArray
    resolution: FloatArray
    n: FloatArray
    m: FloatArray
    is_enough: NDArray[np.bool_]

    @classmethod
    def exact(
        cls, method: str, cells: Cells, value: FloatArray, p_value: FloatArray, limit: FloatArray
    ) -> ColumnScores:
        """Return the scores of grouped columns, whose values are exact and which all have enough data.

        Parameters
        ----------
        method : str
            The detector's name.
        cells : Cells
            Groups of C columns.
        value, p_value, limit : (C,) float array
            As in `Score`.

        Returns
        -------
        ColumnScores
            Of C columns.
        """
        columns = cells.columns
        enough = np.ones(value.size, np.bool_)
        return cls(method, value, p_value, limit, np.zeros(value.size), columns.n, columns.m, enough)

    @classmethod
    def joined(cls, parts: Sequence[ColumnScores]) -> ColumnScores:
        """Return the scores of some columns and others behind them.

        Parameters
        ----------
        parts : sequence of ColumnScores
            At least one, all by one method.

        Returns
        -------
        ColumnScores
            Of all columns.
        """
        if len(parts) == 1:
            return parts[0]
        return cls(
            parts[0].method,
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.p_value for part in parts]),
            np.concatenate([part.limit for part in parts]),
            np.concatenate([part.resolution for part in parts]),
            np.concatenate([part.n for part in parts]),
            np.concatenate([part.m for part in parts]),
            np.concatenate([part.is_enough for part in parts]),
        )

    @classmethod
    def too_little(cls, method: str, n: FloatArray, m: FloatArray) -> ColumnScores:
        """Return the scores of columns that are all too small to judge.

        Parameters
        ----------
        method : str
            The detector's name.
        n, m : (C,) float array
            Sizes of the current and of the reference samples.

        Returns
        -------
        ColumnScores
            Of C columns.
        """
        nothing = np.zeros(n.size)
        return cls(method, nothing, nothing + 1, nothing, nothing, n, m, np.zeros(n.size, np.bool_))

    def spread(self, among: NDArray[np.bool_], n: FloatArray, m: FloatArray) -> ColumnScores:
        """Return these scores among columns of which the others have too little data.

        Parameters
        ----------
        among : (D,) bool array
            True for the C columns that these scores are of.
        n, m : (D,) float array
            Sizes of all columns.

        Returns
        -------
        ColumnScores
            Of D columns.
        """
        if among.all():
            return self
        value, p_value, limit, resolution = (
            _spread(each, among, usual)
            for each, usual in (
                (self.value, 0.0),
                (self.p_value, 1.0),
                (self.limit, 0.0),
                (self.resolution, 0.0),
            )
        )
        return ColumnScores(self.method, value, p_value, limit, resolution, n, m, among)

    def score(self, column: int) -> Score:
        """Return one column's score.

        Parameters
        ----------
        column : int
            In 0 .. C-1.

        Returns
        -------
        Score
            Without value where there is too little data.
        """
        n, m = int(self.n[column]), int(self.m[column])
        if not self.is_enough[column]:
            return too_little_data(self.method, n, m)
        return Score(
            self.method,
            float(self.value[column]),
            float(self.p_value[column]),
            float(self.limit[column]),
            n,
            m,
            float(self.resolution[column]),
        )

    def scores(self) -> list[Score]:
        """Return every column's score, in their order, at a fraction of what one after the other costs.

        Returns
        -------
        list of Score
            C of them, each as `score` gives it.
        """
        columns = zip(
            self.value.tolist(), self.p_value.tolist(), self.limit.tolist(), self.n.tolist(), self.m.tolist(),
            self.resolution.tolist(), self.is_enough.tolist(), strict=True,
        )  # fmt: skip
        return [
            Score(self.method, value, p_value, limit, int(n), int(m), resolution)
            if is_enough
            else too_little_data(self.method, int(n), int(m))
            for value, p_value, limit, n, m, resolution, is_enough in columns
        ]


def _spread(each: FloatArray, among: NDArray[np.bool_], usual: float) -> FloatArray:
    spread = np.full(among.size, usual)
    spread[among] = each
    return spread
