"""Brings the demo's models into the store: references built from training tables, and monitors."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from service.monitor import Task
from service.reference.builder import build_reference
from service.reference.specification import ReferenceSpec
from service.store.configuration import apply_monitors
from service.store.profiles import to_be_stored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from service.demo.models import DemoModel
    from service.reference.profile import ReferenceProfile


def build_profile(model: DemoModel) -> ReferenceProfile:
    """The reference of what a model was fitted on, as `driftbell reference build` makes it of a CSV file."""
    score = "score" if model.task is Task.BINARY else None
    spec = ReferenceSpec(
        model.name, model.name, label="label", prediction="prediction", score=score, task=model.task
    )
    with TemporaryDirectory(prefix="driftbell-demo-") as folder:
        table = Path(folder) / f"{model.name}.csv"
        model.write_training_table(table)
        return build_reference(table, spec)


def set_up(engine: Engine, models: Sequence[DemoModel], now_ms: int) -> bool:
    """Store references and monitors; says whether anything is new."""
    profiles = [build_profile(model) for model in models]
    references = [to_be_stored(profile) for profile in profiles]
    applied = apply_monitors(engine, [model.monitor() for model in models], references, now_ms)
    return any(one.action != "unchanged" for one in applied)
