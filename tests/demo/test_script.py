"""The script says what is wrong at each second, and begins anew.

round    |0s  15s 40s ...      165s      270s|0s  15s ...
temp     |    |---Fahrenheit---|             |    |---
"""

from __future__ import annotations

from itertools import pairwise

from service.demo.faults import Fault
from service.demo.models import BIKE_RENTALS, POWER_PRICE
from service.demo.script import SCRIPT


def test_all_is_well_until_the_first_fault_begins_at_its_second():
    assert SCRIPT.faults_at(14.99, BIKE_RENTALS) == frozenset()
    assert SCRIPT.faults_at(15.0, BIKE_RENTALS) == {Fault.FAHRENHEIT}


def test_faults_add_up_until_everything_is_mended():
    assert SCRIPT.faults_at(164.9, BIKE_RENTALS) == {Fault.FAHRENHEIT, Fault.NULL_HUMIDITY, Fault.SECOND_YEAR}
    assert SCRIPT.faults_at(165.0, BIKE_RENTALS) == frozenset()


def test_a_fault_of_one_model_leaves_the_other_alone():
    assert SCRIPT.faults_at(60.0, POWER_PRICE) == frozenset()


def test_the_script_begins_anew_after_its_end():
    assert SCRIPT.faults_at(SCRIPT.length_seconds + 15.0, BIKE_RENTALS) == {Fault.FAHRENHEIT}


def test_each_step_begins_once_however_often_one_looks():
    looks = [0.7 * i - 1.0 for i in range(800)]
    begun = [one for after, until in pairwise(looks) for one in SCRIPT.begun(after, until)]
    assert [one.at_seconds for one in begun[:9]] == [0, 15, 40, 65, 90, 115, 140, 165, 270]
    assert len(set(begun)) == len(begun)


def test_every_fault_is_played_and_can_be_noticed():
    steps = [step for step in SCRIPT.steps if step.fault is not None]
    assert {step.fault for step in steps} == set(Fault)
    assert all(step.model and (step.columns or step.segment) for step in steps)
