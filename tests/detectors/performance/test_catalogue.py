from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.performance.catalogue import OF_A_CLASS, OF_ALL_CLASSES, OF_SCORES
from detectors.performance.estimated_regression import ESTIMATED
from detectors.performance.realized_binary import realized_binary
from detectors.performance.realized_multiclass import realized_multiclass
from detectors.performance.realized_regression import OF_ERRORS, realized_regression
from tests.detectors.performance.draws import binary, multiclass, regression

PAGE = Path(__file__).parents[3] / "docs" / "performance-metrics.md"
EVERY = [*OF_A_CLASS, *OF_ALL_CLASSES, *OF_SCORES, *OF_ERRORS]


@pytest.mark.parametrize("name", EVERY)
def test_every_metric_stands_in_the_docs(name):
    assert f"| `{name}` |" in PAGE.read_text(encoding="utf-8")


def test_names_are_their_own():
    assert len(set(EVERY)) == len(EVERY)
    assert set(ESTIMATED) <= set(OF_ERRORS)


def test_a_metric_is_named_as_in_its_table_and_is_better_the_same_way_everywhere():
    random = np.random.default_rng(1)
    better = {
        **{
            name: metric.higher_is_better for name, metric in {**OF_A_CLASS, **OF_SCORES, **OF_ERRORS}.items()
        },
        **dict.fromkeys(OF_ALL_CLASSES, True),
    }
    for found in (
        realized_binary(binary(random, 300)),
        realized_multiclass(multiclass(random, 300)),
        realized_regression(regression(random, 300)),
    ):
        for name, one in found.items():
            assert (one.name, one.higher_is_better) == (name, better[name])
