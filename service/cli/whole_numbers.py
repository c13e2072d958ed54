"""Whole numbers that people type."""

from __future__ import annotations

from typing import Any

import click

_LONGEST = 2**31 - 1
"""What may be as large, or larger, is bounded by how it is stored, and of no interest to whoever typed a letter."""


class WholeNumber(click.IntRange):
    """A whole number within bounds, which a mistake is told of."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            int(value)
        except ValueError:
            self.fail(f"{value!r} is not a whole number{self._bounds()}", param, ctx)
        return super().convert(value, param, ctx)

    def _bounds(self) -> str:
        if self.max is None or self.max >= _LONGEST:
            return f" of {self.min} or more"
        return f" from {self.min} to {self.max:,}"
