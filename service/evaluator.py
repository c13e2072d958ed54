"""The evaluator's loop: for each model, under its lease, what event time allows; then what is in the outbox.

A model is looked at when its watermark has passed the next possible end of a window, and every few seconds for late
rows. What goes wrong with one model stops no other: an error that nobody foresaw is logged once with its traceback, and
the model tried again every minute. A stuck model is heard of by its missing windows. An error outside any model ends
the process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

from service.errors import ConfigurationError, TooSlow, Unavailable
from service.estimated import Estimator, Learner
from service.evaluation.evaluation import Evaluation
from service.feedback import choose_feedback
from service.judged import PerformanceJudge
from service.realized import realize
from service.retraining import advise_retraining
from service.store.configuration import current_revision, load_configuration
from service.store.profiles import stored_grids, stored_profiles
from service.store.results import Lease, LeaseLost, PostgresResults, keep_lease, lease
from service.store.retention import Retention, apply_retention
from service.store.watermarks import Progress, holding_back, load_progress, watermark_ms

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.alerting.delivery import Delivery
    from service.configuration import Configuration
    from service.messages import Partition
    from service.metrics import PipelineMetrics
    from service.monitor import Monitor

log = logging.getLogger(__name__)

_LOOK_MS = 10_000
"""So long late rows may wait until their windows are restated."""
_TRY_AGAIN_MS = 60_000
_MEASURE_MS = 3_000
"""So long at a time a model's labels are joined and its windows measured, while others wait."""
_OUTBOX = ""
"""No model's name: the lease under which one evaluator at a time sends alerts, so that they go once and in order."""


def _is_of_all(why: Exception) -> bool:
    """Whether it is no trouble of one model alone."""
    if isinstance(why, TooSlow):
        return False
    return isinstance(why, Unavailable | ConfigurationError | MemoryError | LeaseLost)


@dataclass(slots=True)
class _Looked:
    """A model's last look: up to which end of a window, when by our clock to look again, its trouble, and whether
    something was left to do.
    """

    border_ms: int
    again_at_ms: int
    trouble: str = ""
    owes: bool = True


class _Done(NamedTuple):
    """Whether a step did anything, and whether there may be more."""

    worked: bool
    more: bool


@dataclass(frozen=True, slots=True)
class _Work:
    """One revision of the configuration, and what works by it."""

    evaluation: Evaluation
    estimator: Estimator
    judge: PerformanceJudge


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
    _work: _Work | None = None
    _learner: Learner = field(default_factory=Learner)
    _swept_at_ms: int = field(default=0)
    _looked: dict[str, _Looked] = field(default_factory=dict)
    _held_back_by: Partition | None = None
    _stop: Event = field(default_factory=Event)

    def run(self, stop: Event) -> None:
        """Work until `stop` is set. Raises ConfigurationError."""
        self._stop = stop
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
        """One turn: every model that may have news, the outbox, and from time to time retention."""
        work = self._current()
        partitions = load_progress(self.engine)
        self._say_what_holds_back(partitions)
        for versions in work.evaluation.configuration.models.values():
            if self._stop.is_set():
                return
            monitor = versions[-1].monitor
            watermark = watermark_ms(partitions, monitor.disorder_ms, self.clock_ms(), monitor.idle_after_ms)
            if watermark is not None:
                self._look_at(work, monitor, watermark)
        self._reached()
        with lease(self.engine, _OUTBOX, self.owner) as held:
            if held is not None:
                self._deliver(held)
        self._sweep()

    def _deliver(self, held: Lease) -> None:
        def keep() -> None:
            keep_lease(self.engine, held)
            self._reached()  # receivers that do not answer may take long together, and are no silence

        try:
            self.delivery.deliver(keep)
        except LeaseLost:
            log.warning("another evaluator sends alerts now; leaving it to that one")

    def _reached(self) -> None:
        self.ticked_at_ms = self.stored_at_ms = self.clock_ms()

    def _current(self) -> _Work:
        revision = current_revision(self.engine)
        if self._work is None or self._work.evaluation.configuration.revision != revision:
            self._work = self._work_by(load_configuration(self.engine))
            self._looked.clear()
        return self._work

    def _work_by(self, configuration: Configuration) -> _Work:
        engine, learner = self.engine, self._learner
        profiles, grids = stored_profiles(engine), stored_grids(engine)

        def errors(name: str) -> Mapping[str, tuple[int, int]]:
            profile = profiles(name)
            return {} if profile is None else profile.errors

        return _Work(
            Evaluation(configuration, profiles, grids),
            Estimator(engine, configuration, profiles, grids, learner),
            PerformanceJudge(engine, configuration, errors, learner.expectations),
        )

    def _look_at(self, work: _Work, monitor: Monitor, watermark: int) -> None:
        """One model, if it may have news. What goes wrong with it stops neither the others nor the loop."""
        model, now = monitor.model, self.clock_ms()
        looked = self._looked.get(model)
        every = min((spec.every_ms for spec in monitor.windows), default=monitor.pane_ms)
        border = watermark - watermark % every
        if looked is not None and now < looked.again_at_ms and (looked.trouble or border == looked.border_ms):
            return
        owes = looked is None or looked.owes
        try:
            more = self._evaluate(work, model, watermark, owes=owes)
        except Exception as why:
            if _is_of_all(why):
                raise
            trouble = f"{type(why).__name__}: {why}"
            if looked is None or looked.trouble != trouble:
                log.exception("model %s is not evaluated, and tried again every minute: %s", model, trouble)
            self._looked[model] = _Looked(border, now + _TRY_AGAIN_MS, trouble)
        else:
            if looked is not None and looked.trouble:
                log.warning("model %s is evaluated again", model)
            self._looked[model] = _Looked(border, now if more else now + _LOOK_MS, owes=more)
            self._reached()

    def _evaluate(self, work: _Work, model: str, watermark: int, *, owes: bool) -> bool:
        """Returns whether to look again at the next turn: there may be more, or it is in another evaluator's hands.

        `owes`: not all was done at the last look, or there was none.
        """
        with lease(self.engine, model, self.owner) as held:
            if held is None:
                return True
            self._reached()  # a lease is written: one model after the other may take long, and is no silence
            results = PostgresResults(self.engine, held)
            with self.metrics.evaluation_seconds.time():
                made = work.evaluation.advance(model, results, watermark)
            try:
                if made is not None:
                    results.save(made)
                self._reached()
                more = self._measure(work, held, results.position_ms(), news=owes or made is not None)
            except LeaseLost:
                log.warning("model %s: another evaluator took over; leaving it to that one", model)
                return True
        if made is not None:
            self.metrics.windows.inc(len({(r.key.window, r.key.end_ms) for r in made.results}))
        return more or made is not None

    def _measure(self, work: _Work, held: Lease, position_ms: int | None, *, news: bool) -> bool:
        """What follows from the answers, and from the labels that came; returns whether there may be more of any.

        Without a label and without `news` of windows there is nothing to do but to look for labels.
        """
        engine, configuration = self.engine, work.evaluation.configuration
        until_ms = self.clock_ms() + _MEASURE_MS
        joined = self._repeat(partial(realize, engine, held, configuration, position_ms), until_ms)
        if not (news or joined.worked):
            return joined.more
        steps = (
            partial(work.estimator.estimate, held, position_ms),
            partial(work.judge.judge, held, position_ms),
            partial(choose_feedback, engine, held, configuration, position_ms),
            partial(advise_retraining, engine, held, configuration, position_ms),
        )
        more, troubles = joined.more, []
        for step in steps:  # each has its turn, whatever goes wrong with another
            try:
                more |= self._repeat(step, until_ms).more
            except Exception as why:
                if _is_of_all(why):
                    raise
                troubles.append(why)
        if troubles:
            raise troubles[0]
        return more

    def _repeat(self, step: Callable[[], bool], until_ms: int) -> _Done:
        """Once, and until the step says that there is no more or the time is over."""
        done = _Done(worked=False, more=True)
        while done.more and not self._stop.is_set():
            more = step()
            done = _Done(done.worked or more, more)
            self._reached()
            if self.clock_ms() > until_ms:
                break
        return done

    def _say_what_holds_back(self, partitions: tuple[Progress, ...]) -> None:
        """Once for each partition that nobody reads and every model waits for."""
        found = holding_back(partitions)
        if found is None or found.partition is None:
            self._held_back_by = None
        elif found.partition != self._held_back_by:
            self._held_back_by = found.partition
            log.error(
                "no window is finished: partition %s %d, last held by %s, has not been read for %d s; "
                "start a collector for it, or forget it with `driftbell partitions reset`",
                *found.partition, found.owner or "nobody", found.silent_ms // 1000,
            )  # fmt: skip

    def _sweep(self) -> None:
        now = self.clock_ms()
        if now - self._swept_at_ms >= self.retention.every_ms:
            self._swept_at_ms = now
            apply_retention(self.engine, self.retention, now)
