"""How the false-alarm budget is shared: each test of each window gets the same small probability of ringing on nothing.

At most `false_pages` in `per` by the union bound, whatever the dependence between tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.monitor import Monitor, WindowSpec

_SMALLEST = 1e-12


def alpha_for(monitor: Monitor, spec: WindowSpec, tests: int) -> float:
    """The false-alarm probability of one test, when a window of this kind has so many tests in all its slices."""
    windows = monitor.budget.per_ms / spec.every_ms
    share = monitor.budget.false_pages / (len(monitor.windows) * windows * max(1, tests))
    return min(0.05, max(_SMALLEST, share))
