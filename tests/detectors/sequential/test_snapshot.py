from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np
import pytest

from detectors.sequential.ddm import Ddm
from detectors.sequential.kswin import Kswin
from detectors.sequential.rate_evidence import RateEvidence
from detectors.sequential.snapshot import VERSION, state_from_bytes, state_to_bytes


class Held(NamedTuple):
    n: float
    values: np.ndarray


def test_numbers_come_back_to_the_last_bit():
    held = Held(1 / 3, np.array([np.inf, -0.0, 5e-324, 2.0**60 + 1]))
    back = state_from_bytes(state_to_bytes(held, "x"), Held(0.0, np.zeros(0)), "x")
    assert isinstance(back, Held)
    assert back.n == held.n
    assert back.values.tobytes() == held.values.tobytes()


def test_an_empty_array_and_one_of_one_number_are_not_taken_for_a_number():
    for size in (0, 1):
        back = state_from_bytes(state_to_bytes(Held(2.0, np.ones(size)), "x"), Held(0.0, np.zeros(0)), "x")
        assert back.values.shape == (size,)


def test_what_came_back_can_be_changed_without_the_bytes():
    data = state_to_bytes(Held(2.0, np.ones(3)), "x")
    state_from_bytes(data, Held(0.0, np.zeros(0)), "x").values[0] = 7.0
    assert state_from_bytes(data, Held(0.0, np.zeros(0)), "x").values[0] == 1.0


def test_another_detector_and_other_parameters_are_refused():
    data = Ddm().to_bytes(Ddm().begin())
    for other in (Ddm(warm_start=31), Kswin()):
        with pytest.raises(ValueError, match="another detector"):
            other.from_bytes(data)


def test_equal_parameters_of_other_types_are_the_same_detector():
    data = RateEvidence(50, 1_000).to_bytes(RateEvidence(50, 1_000).begin())
    again = RateEvidence(np.float64(50.0), np.int64(1_000))
    assert again.from_bytes(data).n == 0


def test_every_damaged_byte_and_every_cut_is_noticed():
    detector = Kswin(window_size=4, stat_size=2)
    data = detector.to_bytes(detector.run([1.0, 2.0, 3.0])[0])
    for place in range(len(data)):
        with pytest.raises(ValueError, match="state"):
            detector.from_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        with pytest.raises(ValueError, match="state"):
            detector.from_bytes(data[:place])


def _sealed(payload: bytes) -> bytes:
    head = struct.pack("<4sHII", b"DBsq", VERSION, zlib.crc32(b"x"), zlib.crc32(payload))
    return head + payload


@pytest.mark.parametrize(
    "payload",
    [
        struct.pack("<I", 4_000_000_000),
        struct.pack("<I", 2) + bytes(8),
        struct.pack("<I", 0xFFFFFFFF) + bytes(8) + b"\x01",
        struct.pack("<I", 0xFFFFFFFF) + bytes(8),
        (struct.pack("<I", 0xFFFFFFFF) + bytes(8)) * 2,
    ],
)
def test_bytes_with_a_right_checksum_and_a_wrong_form_are_refused(payload):
    with pytest.raises(ValueError, match="state"):
        state_from_bytes(_sealed(payload), Held(0.0, np.zeros(0)), "x")


def test_a_later_version_is_refused_by_its_number():
    data = state_to_bytes(Held(0.0, np.zeros(0)), "x")
    with pytest.raises(ValueError, match="version 2"):
        state_from_bytes(data[:4] + struct.pack("<H", 2) + data[6:], Held(0.0, np.zeros(0)), "x")
