"""A reference counts how its own rows turned out exactly as live predictions are counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.performance.realized_regression import realized_regression
from detectors.performance.regression_counts import RegressionOutcomes
from service.configuration import ModelVersion
from service.monitor import LabelPolicy, Monitor, Task
from service.performance.counting import MulticlassCounting, RegressionCounting, counting_of
from service.reference.profile import ReferenceProfile, profile_from_bytes, profile_to_bytes
from service.sketches.format import seal, unseal
from tests.reference.tables import OUTPUTS, built, mixed_columns, write_csv

ROWS = 3_000


def outcomes(profile: ReferenceProfile, segment: str = "", **monitor: Any) -> Any:
    """The outcomes as a monitor of this kind counts them."""
    counting = counting_of(ModelVersion(Monitor("bank", **monitor), profile.grid))
    assert counting is not None
    return None if profile.answers is None else profile.answers.of(counting, segment)


def metric(profile: ReferenceProfile, name: str, segment: str = "", **monitor: Any) -> float | None:
    """A metric of the reference's own rows."""
    counting = counting_of(ModelVersion(Monitor("bank", **monitor), profile.grid))
    assert counting is not None
    found = {one.name: one for one in counting.metrics(outcomes(profile, segment, **monitor))}
    return found[name].value


def test_two_classes_are_counted_overall_and_by_segment_for_either_positive_class(tmp_path: Path) -> None:
    columns = mixed_columns(ROWS)
    profile = built(write_csv(tmp_path / "bank.csv", columns), head_rows=700, **OUTPUTS)
    right, housed = columns["y"] == columns["answer"], columns["housing"] == "yes"
    assert metric(profile, "accuracy", task=Task.BINARY) == pytest.approx(right.mean())
    segment = metric(profile, "accuracy", "housing=yes", task=Task.BINARY)
    assert segment == pytest.approx(right[housed].mean())
    brier = np.mean((columns["p"] - columns["y"]) ** 2)
    assert metric(profile, "brier", task=Task.BINARY) == pytest.approx(brier, abs=1e-6)
    for positive in (None, "1", "0"):
        policy = LabelPolicy(positive=positive)
        wanted = columns["y"].mean() if positive != "0" else 1 - columns["y"].mean()
        found = metric(profile, "prevalence", task=Task.BINARY, labels=policy)
        assert found == pytest.approx(wanted)
    assert outcomes(profile, task=Task.BINARY, labels=LabelPolicy(positive="maybe")) is None
    assert outcomes(profile, task=Task.REGRESSION) is None
    assert outcomes(profile, "age=30", task=Task.BINARY) is None


def test_rows_without_a_label_are_no_answers(tmp_path: Path) -> None:
    columns = mixed_columns(ROWS)
    columns["y"] = [None if i % 3 else int(y) for i, y in enumerate(columns["y"])]
    profile = built(write_csv(tmp_path / "bank.csv", columns), **OUTPUTS)
    assert outcomes(profile, task=Task.BINARY)["counts"].sum() == ROWS / 3


@pytest.mark.parametrize("left_out", ["label", "both"])
def test_a_table_without_labels_or_without_answers_has_none(tmp_path: Path, left_out: str) -> None:
    columns = mixed_columns(ROWS)
    path = write_csv(tmp_path / "bank.csv", columns)
    named = {"prediction": "answer", "score": "p"} if left_out == "label" else {"label": "y"}
    assert built(path, **named).answers is None


def test_several_classes_keep_their_confusion_and_how_sure_the_right_and_wrong_ones_were(
    tmp_path: Path,
) -> None:
    random = np.random.default_rng(3)
    truth = random.choice(["a", "b", "c"], ROWS)
    says = np.where(random.random(ROWS) < 0.7, truth, "a")
    score = np.round(random.random(ROWS), 3)
    columns = {"x": random.random(ROWS), "truth": truth, "says": says, "p": score}
    profile = built(write_csv(tmp_path / "c.csv", columns), label="truth", prediction="says", score="p")
    found = outcomes(profile, task=Task.MULTICLASS)
    assert metric(profile, "accuracy", task=Task.MULTICLASS) == pytest.approx((truth == says).mean())
    assert found["top"].sum(axis=1).tolist() == [(truth != says).sum(), (truth == says).sum()]
    counting = counting_of(ModelVersion(Monitor("bank", task=Task.MULTICLASS), profile.grid))
    assert counting == MulticlassCounting(("a", "b", "c"))


def test_numbers_keep_their_errors_by_predicted_value(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    says = random.uniform(0, 100, ROWS)
    truth = says - random.normal(0, 1 + says / 10)
    columns = {"x": random.choice(["u", "v"], ROWS), "truth": truth, "says": says}
    profile = built(write_csv(tmp_path / "n.csv", columns), label="truth", prediction="says")
    counting = counting_of(ModelVersion(Monitor("bank", task=Task.REGRESSION), profile.grid))
    assert isinstance(counting, RegressionCounting)
    kept = RegressionOutcomes.from_arrays(counting.scales, outcomes(profile, task=Task.REGRESSION))
    assert realized_regression(kept)["mae"].value == pytest.approx(np.abs(says - truth).mean(), rel=1e-4)
    assert profile.answers is not None
    cells = profile.answers.cells
    assert cells is not None
    of_all, low = cells.errors[""], says < np.median(says)
    below = cells.edges.searchsorted(np.median(says))
    assert of_all.counts[:below].sum() == pytest.approx(low.sum(), abs=10)
    unit = of_all.scale / 1024
    mean = of_all.absolute[:below].sum() / of_all.counts[:below].sum() * unit
    assert mean == pytest.approx(np.abs(says - truth)[low].mean(), rel=0.02)
    assert set(cells.errors) == {"", "x=u", "x=v"}


def test_a_profile_from_before_there_were_answers_has_none(tmp_path: Path) -> None:
    profile = built(write_csv(tmp_path / "bank.csv", mixed_columns(100)), **OUTPUTS)
    body = unseal(profile_to_bytes(profile), b"DBrf", 1, list)
    before = seal(b"DBrf", 1, body[:-1])
    assert profile_from_bytes(before).answers is None
    assert profile_from_bytes(before).errors == profile.errors
