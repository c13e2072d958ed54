"""The demo's own monitors leave nothing to ask for."""

from __future__ import annotations

from service.contract.grids import grid_for
from service.demo.references import build_profile
from service.doctor.check import Condition
from service.doctor.monitors import MonitorSeen, ReferenceSeen, monitor_checks
from service.monitor_file import dump_monitors


def test_the_doctor_has_nothing_to_say_of_the_demos_monitors(models):
    for model in models:
        monitor, profile = model.monitor(), build_profile(model)
        reference = ReferenceSeen(profile.name, profile.rows, 0, profile.grid)
        seen = MonitorSeen(
            model.name, dump_monitors([monitor]), grid_for(monitor, profile.grid).id, profile.name, reference,
            labels=True,
        )  # fmt: skip
        assert {one.condition for one in monitor_checks([seen], 1)} == {Condition.OK}
