"""What evidence about a slice carries from window to window, and its bytes."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from detectors.evidence import DISTANCES
from detectors.evidence import RATES as RAISED
from service.scoring.groups import RATES, FloatArray

if TYPE_CHECKING:
    from service.scoring.usual import Usual

MEMORY_WINDOWS = 28
_FORMAT = b"ev:2"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is carried from window to window of one slice: numbers of 4 bytes (times of 8), as they are stored.

    `training`, `recent` (F, A) and `rates` (F, RATES, 8) are e-CUSUMs, never below 0. `memory` (F, K) and
    `rate_memory` (2, F, RATES) are the recent past, `run` (F, K) the counts since the evidence against it began, at
    `since_ms` (1 + RATES, F). `varies` (F,) is the overdispersion seen live, `suspect` (F,) for how many windows
    nothing was learned, `agreed` (F,) how many agreed with training.
    """

    training: FloatArray
    recent: FloatArray
    rates: FloatArray
    memory: FloatArray
    rate_memory: FloatArray
    run: FloatArray
    varies: FloatArray
    suspect: FloatArray
    agreed: FloatArray
    since_ms: FloatArray

    def arrays(self) -> Mapping[str, FloatArray]:
        """All of it by name, in the order in which it is stored."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def begin(usual: Usual, start_ms: int) -> Evidence:
    """The state before the first window: the recent past is the reference's end, where its order is known."""
    columns, width = usual.proportions.shape
    alternatives = (2 * width + 4) * len(DISTANCES)
    memory, rows, wanted = np.zeros((columns, width)), 0.0, 0.0
    for block in usual.blocks[::-1]:
        wanted = wanted or MEMORY_WINDOWS * float(block.sum(axis=1).max()) / 4
        if rows >= wanted:
            break
        memory, rows = memory + block, rows + float(block.sum(axis=1).max())
    return as_stored(
        Evidence(
            np.zeros((columns, alternatives)), np.zeros((columns, alternatives)),
            np.zeros((columns, RATES, len(RAISED))), memory, np.zeros((2, columns, RATES)),
            np.zeros((columns, width)), np.ones(columns), np.zeros(columns), np.zeros(columns),
            np.full((1 + RATES, columns), float(start_ms)),
        )
    )  # fmt: skip


def as_stored(state: Evidence) -> Evidence:
    """As it will be when it was stored in between."""
    return Evidence(
        **{name: array.astype(_stored_as(name)).astype(float) for name, array in state.arrays().items()}
    )


def _stored_as(name: str) -> str:
    return "<f8" if name == "since_ms" else "<f4"


def evidence_to_bytes(state: Evidence, usual: Usual) -> bytes:
    """The state as it is stored, with what it is evidence against; mostly zeros, so it is compressed."""
    body = b"".join(array.astype(_stored_as(name)).tobytes() for name, array in state.arrays().items())
    return _FORMAT + usual.identity + zlib.compress(body, 1)


def evidence_from_bytes(data: bytes, usual: Usual, start_ms: int) -> Evidence:
    """The state again; a new one when the bytes are evidence against another reference, or of another format."""
    fresh = begin(usual, start_ms)
    head = _FORMAT + usual.identity
    if not data.startswith(head):
        return fresh
    body, at, made = zlib.decompress(data[len(head) :]), 0, {}
    for name, like in fresh.arrays().items():
        kind = np.dtype(_stored_as(name))
        made[name] = np.frombuffer(body, kind, like.size, at).reshape(like.shape).astype(float)
        at += like.size * kind.itemsize
    return Evidence(**made)
