"""Single values against River 0.26.1: the same drifts at the same indices."""

from __future__ import annotations

import numpy as np
import pytest
from river import drift

from detectors.sequential.catalogue import SELF_TAUGHT
from detectors.sequential.kswin import Kswin, sampled
from tests.detectors.sequential.streams import errors, published

NORMAL = np.random.default_rng(11).normal(size=6_000)
STREAMS = {
    **published(),
    "stationary errors": errors(9, 0.1, size=20_000),
    "errors that come and go": errors(10, 0.05, 0.15, 0.3, 0.1, size=2_000),
    "rare errors": errors(12, 0.01, 0.04, size=4_000),
    "mostly wrong": errors(13, 0.7, 0.9, 0.5, size=1_500),
    "normal values that move": NORMAL + np.repeat([0.0, 0.4, -0.4], 2_000),
    "stationary normal values": NORMAL,
}
OF_ERRORS = ("bits", "signs", "stationary errors", "errors that come and go", "rare errors", "mostly wrong")
BINARY = {
    "ddm": [(drift.binary.DDM, {}), (drift.binary.DDM, {"warm_start": 100, "drift_threshold": 2.5})],
    "eddm": [(drift.binary.EDDM, {}), (drift.binary.EDDM, {"alpha": 0.8, "beta": 0.75})],
    "hddm_a": [(drift.binary.HDDMA, {}), (drift.binary.HDDMA, {"two_sided_test": True})],
    "hddm_w": [(drift.binary.HDDMW, {}), (drift.binary.HDDMW, {"two_sided_test": True, "lambda_val": 0.1})],
}
ANY = {
    "adwin": [
        (drift.ADWIN, {}),
        (drift.ADWIN, {"delta": 0.1, "clock": 7, "max_buckets": 3, "grace_period": 50}),
    ],
    "page_hinkley": [
        (drift.PageHinkley, {}),
        (drift.PageHinkley, {"mode": "down", "threshold": 10.0, "alpha": 1.0}),
    ],
}
CASES = [
    *((name, *case, stream) for name, cases in BINARY.items() for case in cases for stream in OF_ERRORS),
    *((name, *case, stream) for name, cases in ANY.items() for case in cases for stream in STREAMS),
]


def _river(detector, stream):
    drifts, warnings = [], []
    for index, value in enumerate(stream.tolist()):
        detector.update(value)
        if detector.drift_detected:
            drifts.append(index)
        elif getattr(detector, "warning_detected", False):
            warnings.append(index)
    return drifts, warnings


@pytest.mark.parametrize(("name", "theirs", "parameters", "stream"), CASES)
def test_drifts_are_found_where_river_finds_them(name, theirs, parameters, stream):
    drifts, warnings = _river(theirs(**parameters), STREAMS[stream])
    _, steps = SELF_TAUGHT[name](**parameters).run(STREAMS[stream])
    assert steps.drifts.tolist() == drifts
    if name != "eddm":  # River's keeps a warning while the distance is at its longest, where there is none
        assert np.flatnonzero(steps.warning).tolist() == warnings


def test_the_streams_have_drifts_to_find():
    found = {name: len(method().run(STREAMS["bits"])[1].drifts) for name, method in SELF_TAUGHT.items()}
    assert {name: found[name] > 0 for name in [*BINARY, *ANY]} == dict.fromkeys([*BINARY, *ANY], True)


@pytest.mark.parametrize(
    ("name", "parameters", "stream", "drifts"),
    [
        ("adwin", {}, "integers", [1023]),
        ("page_hinkley", {}, "integers", [1020, 1397, 1548, 1988]),
        ("kswin", {"alpha": 1e-4, "window_size": 200, "stat_size": 100}, "integers", [1042]),
        ("ddm", {}, "bits", [1049]),
        ("eddm", {}, "bits", [663, 828, 1007, 1078]),
        ("hddm_a", {}, "bits", [1047]),
        ("hddm_w", {}, "bits", [1018]),
        ("hddm_a", {"two_sided_test": True}, "signs", [531, 1015, 1545]),
        ("hddm_w", {"two_sided_test": True}, "signs", [507, 1032, 1508]),
        ("adwin", {}, "signs", [543, 1023, 1567]),
        ("adwin", {}, "levels", [1023, 2047]),
        ("page_hinkley", {}, "levels", [1136, 2309]),
    ],
)
def test_published_streams_give_the_published_indices(name, parameters, stream, drifts):
    assert SELF_TAUGHT[name](**parameters).run(STREAMS[stream])[1].drifts.tolist() == drifts


class _OurSample:
    """Draws for River's KSWIN what ours draws at the same value."""

    def __init__(self, kswin: Kswin) -> None:
        self.kswin, self.values = kswin, kswin.window_size - 1

    def sample(self, _population, _size):
        self.values += 1
        return sampled(self.kswin, np.array([self.values], dtype=np.uint64))[0].tolist()


class _RiverWithOurSample(drift.KSWIN):
    def _reset(self):
        super()._reset()
        self._rng = _OurSample(Kswin(self.alpha, self.window_size, self.stat_size))


@pytest.mark.parametrize(
    "stream", ["integers", "levels", "signs", "normal values that move", "stationary normal values"]
)
@pytest.mark.parametrize("parameters", [{}, {"alpha": 0.01, "window_size": 80, "stat_size": 40}])
def test_kswin_finds_what_river_finds_in_the_same_samples(stream, parameters):
    values = STREAMS[stream][:3_000]
    drifts, _ = _river(_RiverWithOurSample(**parameters), values)
    assert Kswin(**parameters).run(values)[1].drifts.tolist() == drifts
