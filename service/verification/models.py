"""The windows of all models, evaluated again on recounted panes and held against what is stored of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from service.alerting.state import open_alerts, state_from_bytes
from service.evaluation.evaluation import Evaluation
from service.store.profiles import stored_grids, stored_profiles
from service.verification.discrepancies import Discrepancies
from service.verification.panes import ALWAYS_MS, NEVER_MS, Doubt
from service.verification.spool import PaneSpool, SpooledResults
from service.verification.windows import ModelVerdict, Scope, compare_alerts, compare_windows

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.configuration import Configuration, ModelVersion
    from service.messages import Loss, Partition
    from service.store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Recounted:
    """What of a recounted partition's panes cannot be verified, and which records it lacks."""

    doubt: Doubt
    losses: tuple[Loss, ...]


def verify_models(
    evaluation: Evaluation,
    snapshot: Snapshot,
    spool: PaneSpool,
    recounted: Mapping[Partition, Recounted],
    scope: Scope,
) -> Iterator[ModelVerdict]:
    """One verdict a model, by name."""
    positions = snapshot.positions()
    for model, versions in sorted(evaluation.configuration.models.items()):
        partitions = snapshot.partitions_of(model)
        if foreign := sorted(set(partitions) - recounted.keys()):
            names = ", ".join(f"{number} of {topic}" for topic, number in foreign)
            why = f"it has panes of partition {names}, which was not verified"
            yield ModelVerdict(model, blocked=f"the windows of {model} cannot be verified: {why}")
            continue
        narrowed, notes = _narrow(scope, versions, [one.doubt for one in recounted.values()])
        lost = [loss for partition in partitions for loss in recounted[partition].losses]
        results = SpooledResults(model, spool, lost)
        yield replace(
            _verify(evaluation, snapshot, results, model, positions.get(model), narrowed), notes=notes
        )


def _verify(
    evaluation: Evaluation, snapshot: Snapshot, results: SpooledResults, model: str, position_ms: int | None,
    scope: Scope,
) -> ModelVerdict:  # fmt: skip
    wrong, windows, findings, unverifiable, before = Discrepancies(), 0, 0, 0, NEVER_MS
    until = NEVER_MS if position_ms is None else position_ms
    while True:
        step = evaluation.advance(model, results, until)
        expected = [] if step is None else step.results
        end = None if step is None else step.position_ms
        compared = compare_windows(
            expected, snapshot.windows(model, before, end), snapshot.findings(model, before, end), scope
        )
        wrong.add(*compared.wrong)
        windows += compared.windows
        findings += compared.findings
        unverifiable += compared.unverifiable
        if step is None:
            break
        results.save(step)
        before = step.position_ms
    if scope.with_history and position_ms is not None:
        state = state_from_bytes(results.state_before(ALWAYS_MS))
        wrong.add(*compare_alerts(model, open_alerts(state, model), snapshot.open_alerts(model)))
    return ModelVerdict(model, windows, findings, unverifiable, wrong=wrong)


def _narrow(
    scope: Scope, versions: Sequence[ModelVersion], doubts: Sequence[Doubt]
) -> tuple[Scope, tuple[str, ...]]:
    """What can be verified of a model, and why not more."""
    log_from = max((_certain_from(doubt) for doubt in doubts), default=NEVER_MS)
    kinds_from = _same_windows_since(versions)
    notes = []
    if log_from > NEVER_MS:
        notes.append(
            "the log does not reach back to the first event: volumes, alerts and older windows are left out"
        )
    if kinds_from > NEVER_MS:
        notes.append("its kinds of windows were changed: volumes, alerts and windows of before are left out")
    whole_from = max(log_from, kinds_from)
    return replace(scope, whole_from_ms=whole_from, with_history=whole_from == NEVER_MS), tuple(notes)


def _certain_from(doubt: Doubt) -> int:
    return max(doubt.whole_from_ms, *(end for _, end in doubt.taken_back), NEVER_MS)


def _same_windows_since(versions: Sequence[ModelVersion]) -> int:
    """Since when the model has the kinds of windows that it has now."""
    since = NEVER_MS
    for before, version in pairwise(versions):
        if before.monitor.windows != version.monitor.windows:
            since = version.since_ms
    return since


def load_evaluation(engine: Engine, configuration: Configuration) -> Evaluation:
    """Evaluation against the stored references."""
    return Evaluation(configuration, stored_profiles(engine), stored_grids(engine))
