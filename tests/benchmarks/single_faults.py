"""Shuffled streams with one fault each, and clean ones: what is found in time, what is named, what rings on nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.injection.answers import StuckPrediction
from service.injection.drills import Drill
from service.injection.elsewhere import Permute, Stuck
from service.injection.fault import Fault
from service.injection.gaps import DefaultFill, Missing
from service.injection.numbers import Clipping, Rounding, Shift, Spread, Unit
from service.injection.shape import Rename, Swap, TypeChange
from service.injection.texts import CategoryCase, CategoryMix, NewCategory
from service.injection.traffic import Duplicates, Late, Silence
from service.injection.truths import ConceptFlip
from service.messages import PREDICTION, SCORE
from tests.benchmarks.cases import BIKES, POWER, Built, Case, Ring, build
from tests.benchmarks.rivals import RULES

DRIFTBELL = "driftbell"
_CONSEQUENT = {PREDICTION.name, SCORE.name, "performance", "label"}
_MILES = 0.6213711922


def _bikes(name: str, fault: Fault, within: int = 1, share: float = 1.0, **more: object) -> Case:
    where = more.pop("where", None)
    drill = Drill(fault, share, where, float(more.pop("lasts", 1.0)))
    return Case(name, BIKES, 200, 42, drill, within, 24, **more)


def _power(name: str, fault: Fault, within: int = 1, share: float = 1.0, **more: object) -> Case:
    drill = Drill(fault, share, None, float(more.pop("lasts", 1.0)))
    return Case(name, POWER, 500, 42, drill, within, 24, **more)


def faulty() -> list[Case]:
    """One fault each; the last two are harmless and should not ring."""
    by_day = ("workingday", "no")
    return [
        _bikes("humidity missing", Missing("hum")),
        _power("2 % of demand missing", Missing("vicdemand"), 3, 0.02),
        _bikes("weather absent in 10 %", Missing("weathersit", "absent"), 2, 0.1),
        _bikes("Celsius to Fahrenheit", Unit("temp", "c:f")),
        _bikes("km/h to mph in 5 %", Unit("windspeed", factor=_MILES), 6, 0.05),
        _bikes(
            "km/h to mph in a segment", Unit("windspeed", factor=_MILES), 3, segments=("workingday",), where=by_day
        ),
        _power("price renamed", Rename("vicprice", "vic_price")),
        _power("two swapped", Swap("nswdemand", "transfer")),
        _bikes("numbers as text", TypeChange("hum")),
        _bikes("unit behind the number in 30 %", TypeChange("temp", "unit"), 1, 0.3),
        _bikes("0 for humidity in 5 %", DefaultFill("hum"), 2, 0.05),
        _power("demand stuck", Stuck("vicdemand")),
        _bikes("new weather in 5 %", NewCategory("weathersit"), 2, 0.05),
        _bikes("season in capitals", CategoryCase("season")),
        _bikes("season mix by 15 %", CategoryMix("season"), 4, 0.15),
        _power("mean + 0.25 sd", Shift("nswdemand", 0.25), 2),
        _power("mean + 0.1 sd", Shift("nswdemand", 0.1), 12),
        _power("mean to + 0.5 sd, slowly", Shift("nswdemand", 0.5, gradual=True), 14),
        _bikes("spread x 1.5", Spread("temp", 1.5), 3),
        _bikes("temperature of other rows", Permute("atemp"), 3),
        _power("clipped at 90 %", Clipping("nswdemand", 0.9), 2),
        _power("rounded to one decimal", Rounding("nswdemand", 1), 2),
        _bikes("prediction stuck", StuckPrediction()),
        _bikes("silence", Silence(), 2, lasts=1 / 3),
        _power("30 % of answers wrong", ConceptFlip(), 6, 0.3, labels=True),
        _power("20 % twice (harmless)", Duplicates(), 0, 0.2),
        _power("10 % late (harmless)", Late("2h"), 0, 0.1),
    ]  # fmt: skip


def clean(windows: int = 240) -> list[Case]:
    """Nothing is wrong."""
    return [Case(f"clean bicycles {i}", BIKES, 100, windows) for i in (1, 2)] + [
        Case(f"clean electricity {i}", POWER, 200, windows) for i in (1, 2)
    ]


@dataclass(frozen=True)
class Score:
    """What one rule made of one case. `quiet` counts windows in which nothing is wrong, `false` those that rang."""

    case: str
    rule: str
    is_fault: bool
    found: bool
    named: bool
    delay: float | None
    quiet: int
    false: int
    said: str


def scores(cases: Sequence[Case], folder: Path) -> Iterator[Score]:
    """Every case, by driftbell and by each rival."""
    for case in cases:
        built = build(case, folder)
        yield _of_driftbell(case, built.rings())
        yield from _of_rivals(built)
        for path in built.folder.iterdir():
            path.unlink()


def _of_driftbell(case: Case, rings: Sequence[Ring]) -> Score:
    quiet = case.quiet_windows
    expected = case.expected
    after = [ring for ring in rings if ring.at > quiet]

    def is_right(ring: Ring) -> bool:
        return expected.features is None or ring.alert.feature in expected.features

    right = [ring for ring in after if is_right(ring)]
    joined = {ring.alert.incident for ring in right}
    follows = [r for r in after if r.alert.incident in joined or r.alert.feature in _CONSEQUENT]
    false = [ring for ring in rings if ring.at <= quiet]
    beside = [ring for ring in after if ring not in right and ring not in follows]
    delay = right[0].at - quiet if right and not expected.is_quiet else None
    settled = [ring for ring in right if ring.at <= quiet + case.within + 2]
    said = (settled or right or false or beside)[:1]
    return Score(
        case.name, DRIFTBELL, not expected.is_quiet, delay is not None and delay <= case.within + 1.001,
        any(ring.alert.cause in expected.causes for ring in settled), delay, quiet,
        len({ring.at for ring in (*false, *beside)}), "".join(ring.alert.summary for ring in said),
    )  # fmt: skip


def _of_rivals(built: Built) -> Iterator[Score]:
    """A rival's false windows are counted in quiet windows only, which spares it what it says beside a fault."""
    case, windows = built.case, list(built.windows())
    quiet = case.quiet_windows
    expected = case.expected
    for name, made in RULES.items():
        rule = made(built.reference, case.rows)
        drifted = [rule(window) for window in windows]
        features = set(built.reference) if expected.features is None else expected.features
        after = [place + 1 for place, some in enumerate(drifted[quiet:]) if some & features]
        delay = float(after[0]) if after and not expected.is_quiet else None
        found = delay is not None and delay <= case.within + 1
        false = sum(bool(some) for some in drifted[:quiet])
        yield Score(case.name, name, not expected.is_quiet, found, False, delay, quiet, false, "")
