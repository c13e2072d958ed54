"""The evaluator's loop: for each model, under its lease, evaluate what event time allows; then send what is in the outbox."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Event
from typing import TYPE_CHECKING

from service.configuration import Configuration
from service.errors import ConfigurationError, FormatError, Unavailable
from service.evaluation import Evaluation
from service.reference.profile import profile_from_bytes
from service.sketches.codec import grid_from_bytes
from service.store.configuration import current_revision, load_configuration, load_grid, load_reference
from service.store.results import LeaseLost, PostgresResults, lease
from service.store.retention import Retention, apply_retention
from service.store.watermarks import load_progress, watermark_ms

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.alerting.delivery import Delivery
    from service.metrics import PipelineMetrics
    from service.sketches.grids import Grid
    from service.sketches.pane import PaneSketch

log = logging.getLogger(__name__)


@dataclass
class Evaluator:
    """Turns stored panes into results and alerts until it is told to stop."""

    engine: Engine
    owner: str
    metrics: PipelineMetrics
    clock_ms: Callable[[], int]
    delivery: Delivery
    retention: Retention
    interval_seconds: float = 1.0
    ticked_at_ms: int = 0
    stored_at_ms: int = 0
    _evaluation: Evaluation | None = None
    _swept_at_ms: int = field(default=0)

    def run(self, stop: Event) -> None:
        """Work until `stop` is set. Raises ConfigurationError on start only."""
        load_configuration(self.engine)
        away = False
        while not stop.wait(self.interval_seconds):
            self.ticked_at_ms = self.clock_ms()
            try:
                self.step()
            except Unavailable as why:
                if not away:
                    log.warning("%s; waiting for it", why)
                away = True
            else:
                away = False

    def step(self) -> None:
        """One turn: every model once, the outbox, and from time to time retention."""
        evaluation = self._current()
        partitions = load_progress(self.engine)
        for model, versions in evaluation.configuration.models.items():
            watermark = watermark_ms(partitions, versions[-1].monitor.disorder_ms, self.clock_ms())
            if watermark is not None:
                self._evaluate(evaluation, model, watermark)
        self.stored_at_ms = self.clock_ms()
        self.delivery.deliver()
        self._sweep()

    def _current(self) -> Evaluation:
        revision = current_revision(self.engine)
        if self._evaluation is None or self._evaluation.configuration.revision != revision:
            self._evaluation = _evaluation(self.engine, load_configuration(self.engine))
        return self._evaluation

    def _evaluate(self, evaluation: Evaluation, model: str, watermark: int) -> None:
        """One model. What goes wrong with it stops neither the others nor the loop."""
        try:
            with lease(self.engine, model, self.owner) as held:
                if held is None:
                    return
                results = PostgresResults(self.engine, held)
                with self.metrics.evaluation_seconds.time():
                    made = evaluation.advance(model, results, watermark)
                if made is not None:
                    results.save(made)
                    self.metrics.windows.inc(len({(r.key.window, r.key.end_ms) for r in made.results}))
        except LeaseLost:
            log.warning("model %s: another evaluator took over; leaving it to that one", model)
        except (FormatError, ConfigurationError) as why:
            log.error("model %s is not evaluated: %s", model, why)  # noqa: TRY400 - the sentence says all

    def _sweep(self) -> None:
        now = self.clock_ms()
        if now - self._swept_at_ms >= self.retention.every_ms:
            self._swept_at_ms = now
            apply_retention(self.engine, self.retention, now)


def _evaluation(engine: Engine, configuration: Configuration) -> Evaluation:
    @lru_cache(maxsize=64)
    def profile(name: str) -> PaneSketch | None:
        stored = load_reference(engine, name)
        return None if stored is None else profile_from_bytes(stored).sketch

    @lru_cache(maxsize=256)
    def grid(grid_id: str) -> Grid:
        stored = load_grid(engine, grid_id)
        if stored is None:
            raise FormatError(f"grid {grid_id} is not stored any more")
        return grid_from_bytes(stored)

    return Evaluation(configuration, profile, grid)
