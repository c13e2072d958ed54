"""The fitted models, once for all tests of the demo."""

from __future__ import annotations

import pytest

from service.demo.models import DemoModel, fit_models


@pytest.fixture(scope="session")
def models() -> tuple[DemoModel, DemoModel]:
    """bike-rentals and power-price."""
    return fit_models()
