"""How a collector behaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.intake.limits import Limits
    from service.messages import UnknownModels


@dataclass(frozen=True, slots=True)
class CollectorOptions:
    """How a collector behaves. Times in seconds unless the name says otherwise."""

    owner: str
    unknown_models: UnknownModels
    limits: Limits
    commit_interval_seconds: float = 1.0
    commit_records: int = 50_000
    poll_records: int = 10_000
    look_seconds: float = 5.0
    idle_after_ms: int = 1_000
    most_dead_share: float = 0.5
