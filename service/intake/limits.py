"""How large one event may be; what is larger is a dead letter, or is cut where that loses nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one event: bytes of its value, its features, and its nesting."""

    event_bytes: int = 2**20
    features: int = 2_000
    depth: int = 32


KEPT_KEY_BYTES = 1_024
KEPT_VALUE_BYTES = 4_096
