"""Small models find what was planted, and answer whatever they are given."""

from __future__ import annotations

import numpy as np
import pytest

from service.demo.models import BIKE_RENTALS
from service.demo.small_model import design_for, fit_logistic, fit_ridge, logistic
from service.demo.tables import Features

RANDOM = np.random.default_rng(1)
ROWS = 4_000


@pytest.fixture
def features() -> Features:
    numbers = {"size": RANDOM.normal(50.0, 10.0, ROWS), "fixed": np.full(ROWS, 0.003467)}
    return Features(numbers, {"colour": RANDOM.choice(["red", "green"], ROWS)})


def test_ridge_regression_finds_the_line(features):
    target = 3.0 * features.numbers["size"] + 7.0 * (features.texts["colour"] == "red")
    matrix = design_for(features).matrix(features)
    assert np.abs(matrix @ fit_ridge(matrix, target) - target).max() < 0.1


def test_newton_finds_the_logistic_curve(features):
    standard = (features.numbers["size"] - 50.0) / 10.0
    positive = (RANDOM.random(ROWS) < logistic(2.0 * standard - 0.5)).astype(np.float64)
    matrix = design_for(features).matrix(features)
    shares = logistic(matrix @ fit_logistic(matrix, positive))
    assert np.abs(shares - logistic(2.0 * standard - 0.5)).max() < 0.1


def test_a_constant_column_has_no_weight_when_it_begins_to_move(features):
    design = design_for(features)
    weights = fit_ridge(design.matrix(features), features.numbers["size"])
    moved = Features({**features.numbers, "fixed": np.linspace(0.0, 1.0, ROWS)}, features.texts)
    assert np.allclose(design.matrix(moved) @ weights, design.matrix(features) @ weights)


def test_missing_numbers_and_unknown_categories_get_an_answer(features):
    design = design_for(features)
    odd = Features({"size": np.array([np.nan, 50.0])}, {"colour": np.array(["red", "blue"])})
    assert np.isfinite(design.matrix(odd)).all()


def test_the_models_of_the_demo_are_worth_watching(models):
    """R squared above 0.8 and 80 % right, on what they were fitted on."""
    for model in models:
        table = model.table
        label, answers = table.label[table.first_part], model.answer(table.features.rows(table.first_part))
        if model.name == BIKE_RENTALS:
            residual = np.asarray(label, np.float64) - np.asarray(answers.predictions, np.float64)
            assert 1.0 - residual.var() / np.asarray(label, np.float64).var() > 0.8
        else:
            assert (answers.predictions == label).mean() > 0.8
