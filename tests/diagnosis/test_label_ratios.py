"""Labels that grow by a ratio tell of another world; the same of a feature is another unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from service.diagnosis.label_ratios import of_labels
from service.diagnosis.numbers import diagnose_number
from service.messages import LABEL, Cause
from tests.diagnosis.number_views import real_column, split, views

RATIOS = (1.6, 1.609344, 2.2046226)


def of_rentals(ratio):
    """Rentals an hour, and what diagnosis says once they are so many times as many."""
    reference, before, since = split(real_column("cnt"), 2_000)
    made = views(reference, before, np.round(since * ratio))
    return made, diagnose_number(*made)


@pytest.mark.parametrize("ratio", RATIOS)
def test_labels_that_grow_have_changed_and_no_other_unit(ratio):
    (reference, _, now), found = of_rentals(ratio)
    assert {one.cause for one in found} == {Cause.UNIT_CHANGE}
    told = of_labels(LABEL, found, replace(now, column=LABEL), reference)
    assert {one.cause for one in told} == {Cause.DATA_DRIFT}
    first = told[0]
    assert first.sentence.startswith("the label is on average ")
    assert first.sentence.endswith("what happens has changed, or how labels are made")
    assert first.evidence["mean"] / first.evidence["usual mean"] == pytest.approx(ratio, rel=0.05)
    assert first.alternatives[0].startswith("another unit (")
    assert first.confidence == found[0].confidence


def test_features_are_told_as_ever():
    (reference, _, now), found = of_rentals(1.609344)
    assert of_labels(now.column, found, now, reference) == list(found)
