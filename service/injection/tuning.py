"""Tries a monitor's settings on history: what each would have rung, and the smallest fault that it still finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.injection.drills import Drill
from service.injection.gameday import GameDay, as_it_is
from service.injection.gaps import Missing
from service.injection.injector import Injector
from service.injection.numbers import Shift, Unit
from service.injection.output import write_file
from service.injection.verdict import Clean, Outcome, judge, ringing
from service.messages import Severity
from service.monitor import DAY_MS, Budget, FeatureOverride, Monitor
from service.parsers import suggestion
from service.scoring.usual import TOLERANCE

if TYPE_CHECKING:
    from pathlib import Path

    from service.messages import Alert

PER_MS = 30 * DAY_MS
BUDGETS = (0.1, 0.3, 1.0, 3.0, 10.0)
TOLERANCES = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Family:
    """One fault in several strengths. `usual`: the one that should be found when nobody says more."""

    make: Callable[[str, float], Drill]
    strengths: tuple[float, ...]
    usual: float
    is_share: bool

    def shown(self, strength: float) -> str:
        """As people write it."""
        return f"{100 * strength:g} %" if self.is_share else f"{strength:g} sigma"


FAMILIES: Mapping[str, Family] = {
    "missing": Family(
        lambda name, share: Drill(Missing(name), share), (0.005, 0.02, 0.1), 0.02, is_share=True
    ),
    "shift": Family(lambda name, sigma: Drill(Shift(name, sigma)), (0.1, 0.25, 0.5), 0.25, is_share=False),
    "unit": Family(
        lambda name, share: Drill(Unit(name, "kg:lb"), share), (0.05, 0.2, 1.0), 0.2, is_share=True
    ),
}


@dataclass(frozen=True)
class Setting:
    """False pages in 30 days, and what every feature's tolerance is multiplied by. Without both: as it is."""

    false_pages: float | None = None
    tolerance: float = 1.0

    def applied(self, monitor: Monitor, features: Sequence[str]) -> Monitor:
        """The monitor under this setting."""
        budget = monitor.budget if self.false_pages is None else Budget(self.false_pages, PER_MS)
        overrides = dict(monitor.features)
        for name in features if self.tolerance != 1.0 else ():
            old = overrides.get(name, FeatureOverride())
            usual = TOLERANCE if old.tolerance is None else old.tolerance
            overrides[name] = replace(old, tolerance=round(usual * self.tolerance, 6))
        return replace(monitor, budget=budget, features=overrides)


@dataclass
class Trial:
    """What one setting did. `smallest` is the weakest strength found, with its delay in windows, by family."""

    setting: Setting
    monitor: Monitor
    clean: Clean = field(default_factory=lambda: Clean(()))
    smallest: dict[str, tuple[float, float]] = field(default_factory=dict)

    def count(self, severity: Severity) -> int:
        """Incidents on the clean log."""
        return sum(alert.severity is severity for alert in self.clean.incidents)

    def finds(self, goals: Mapping[str, float]) -> bool:
        """Whether every goal is found, taking it that what finds a weak fault finds a stronger one."""
        return all(name in self.smallest and self.smallest[name][0] <= goal for name, goal in goals.items())


@dataclass(frozen=True)
class Tuning:
    """A history and the settings to try on it. `rings` replays a file under a monitor. One copy is kept at a time.

    Only the families of the goals are tried.
    """

    day: GameDay
    feature: str
    settings: Sequence[Setting]
    goals: Mapping[str, float]
    rings: Callable[[Monitor, Path], Sequence[Alert]]
    progress: Callable[[str], None] = lambda _: None

    @property
    def most_replays(self) -> int:
        """How many there can be."""
        return len(self.settings) * (1 + sum(len(self.ladder(name)).bit_length() for name in self.goals))

    def ladder(self, family: str) -> Sequence[float]:
        """The strengths to try, weakest first."""
        return sorted({*FAMILIES[family].strengths, self.goals[family]})

    def run(self) -> list[Trial]:
        """Try all settings."""
        features = list(self.day.survey.features)
        trials = [Trial(one, one.applied(self.day.monitor, features)) for one in self.settings]
        path = self._written(None)
        for trial in trials:
            self.progress("the clean log")
            trial.clean = Clean(ringing(self.rings(trial.monitor, path)))
        for name in self.goals:
            self._try_ladder(name, self.ladder(name), trials)
        return trials

    def _try_ladder(self, family: str, strengths: Sequence[float], trials: Sequence[Trial]) -> None:
        """The middle strength first; then, for each setting, the weaker ones if it was found and else the stronger."""
        if not strengths or not trials:
            return
        middle = len(strengths) // 2
        found = list(self._found(family, strengths[middle], trials))
        missed = [trial for trial in trials if trial not in found]
        self._try_ladder(family, strengths[:middle], found)
        self._try_ladder(family, strengths[middle + 1 :], missed)

    def _found(self, family: str, strength: float, trials: Sequence[Trial]) -> Iterator[Trial]:
        drill = FAMILIES[family].make(self.feature, strength)
        path = self._written(drill)
        for trial in trials:
            self.progress(f"{family} {FAMILIES[family].shown(strength)}")
            fired = self.rings(trial.monitor, path)
            expected = drill.fault.expects()
            verdict = judge(trial.clean, fired, expected, self.day.from_ms, self.day.window_ms)
            if verdict.outcome is Outcome.FOUND and verdict.delay_windows is not None:
                trial.smallest[family] = strength, verdict.delay_windows
                yield trial

    def _written(self, drill: Drill | None) -> Path:
        path, day = self.day.folder / "events.jsonl", self.day
        if drill is None:
            write_file(path, as_it_is(day.log))
        else:
            write_file(path, Injector(drill.fault, day.scope(drill), day.survey, day.seed).run(day.log()))
        return path


def proposed(trials: Sequence[Trial], goals: Mapping[str, float]) -> Trial:
    """Of those that find every goal, the one that rings least on history; of equal ones, that which promises least.

    When none does, the one that finds most of them.
    """

    def cost(trial: Trial) -> tuple[float, ...]:
        missed = sum(not trial.finds({name: goal}) for name, goal in goals.items())
        setting = trial.setting
        promised = trial.monitor.budget.false_pages / trial.monitor.budget.per_ms
        calm = abs(setting.tolerance - 1.0)
        return missed, trial.count(Severity.PAGE), trial.count(Severity.TICKET), promised, calm

    return min(trials, key=cost)


def settings_for(monitor: Monitor, *, quick: bool) -> list[Setting]:
    """The ladder, after the monitor as it is unless that is on it."""
    budgets, tolerances = (BUDGETS[1:4], (1.0,)) if quick else (BUDGETS, TOLERANCES)
    known = monitor.budget.per_ms == PER_MS and monitor.budget.false_pages in budgets
    return [*([] if known else [Setting()]), *(Setting(b, t) for b in budgets for t in tolerances)]


def goal_in(text: str) -> tuple[str, float]:
    """A goal as people write it: missing:1%, shift:0.25 or unit:20%. Raises ConfigurationError."""
    name, _, strength = text.partition(":")
    if name not in FAMILIES:
        raise ConfigurationError(
            f"--find {text!r}: there is no such fault; {suggestion(name, FAMILIES)}, as in missing:1%"
        )
    try:
        value = float(strength.removesuffix("%")) / (100.0 if strength.endswith("%") else 1.0)
    except ValueError:
        value = -1.0
    if not 0.0 < value <= (1.0 if FAMILIES[name].is_share else 100.0):
        raise ConfigurationError(
            f"--find {text!r} has no strength; write such as missing:1%, shift:0.25 or unit:20%"
        )
    return name, value
