"""What goes wrong in the demo, and when.

The seconds are the script's own: at speed 2 it is played in half the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from service.demo.faults import SILENT_MARKET, Fault
from service.demo.models import BIKE_RENTALS, POWER_PRICE


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the script, noticed when an alert of its model names one of `columns`, or `segment`."""

    at_seconds: float
    sentence: str
    model: str = ""
    fault: Fault | None = None
    columns: tuple[str, ...] = ()
    segment: str = ""


class Begun(NamedTuple):
    """A step and the second since the start at which it began; in each round of the script it begins anew."""

    step: Step
    at_seconds: float


@dataclass(frozen=True)
class Script:
    """Steps in order, each in force until the one without a fault; after `length_seconds` it begins again."""

    steps: Sequence[Step]
    length_seconds: float

    def faults_at(self, second: float, model: str) -> frozenset[Fault]:
        """What is wrong with a model's traffic in this second since the start."""
        faults: set[Fault] = set()
        for step in self.steps:
            if step.at_seconds > second % self.length_seconds:
                break
            if step.fault is None:
                faults.clear()
            elif step.model == model:
                faults.add(step.fault)
        return frozenset(faults)

    def begun(self, after: float, until: float) -> list[Begun]:
        """The steps that begin after one second and not after another one."""
        rounds = range(max(0, int(after // self.length_seconds)), int(until // self.length_seconds) + 1)
        all_steps = (
            Begun(step, step.at_seconds + n * self.length_seconds) for n in rounds for step in self.steps
        )
        return [one for one in all_steps if after < one.at_seconds <= until]


SCRIPT = Script(
    (
        Step(0, "all is well: both models get what they were fitted on"),
        Step(
            15, "temp of bike-rentals now arrives in Fahrenheit, the model was fitted on Celsius",
            BIKE_RENTALS, Fault.FAHRENHEIT, columns=("temp",),
        ),
        Step(
            40, "a broken join: hum of bike-rentals is now null in 30 % of the events",
            BIKE_RENTALS, Fault.NULL_HUMIDITY, columns=("hum",),
        ),
        Step(
            65, "a front-end release: nswdemand of power-price is now called nsw_demand",
            POWER_PRICE, Fault.RENAMED_DEMAND, columns=("nswdemand", "nsw_demand"),
        ),
        Step(
            90, f"the {SILENT_MARKET} market of power-price falls silent, the other one goes on",
            POWER_PRICE, Fault.SILENT_MARKET, segment=f"market={SILENT_MARKET}",
        ),
        Step(
            115,
            "Victoria joins, as it did in 1997: vicprice, vicdemand and transfer of power-price move",
            POWER_PRICE, Fault.VICTORIA_JOINS, columns=("vicprice", "vicdemand", "transfer"),
        ),
        Step(
            140,
            "the second year, as in 2012: people rent 1.6 times as many bicycles as bike-rentals was taught",
            BIKE_RENTALS, Fault.SECOND_YEAR, columns=("label",),
        ),
        Step(165, "everything is mended; the alerts resolve one after the other"),
    ),
    length_seconds=270,
)  # fmt: skip
