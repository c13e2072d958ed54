"""How labels come in, and what they say of a model, as JSON."""

from __future__ import annotations

from service.performance.maturity import Maturity
from service.store.engine import transaction
from service.store.maturity import JudgedFilter, JudgedRow, labels_of, list_judged
from service.web.api.parameters import JudgedQuery, LabelQuery, Listing, listing
from service.web.api.unknown_model import no_model
from service.web.dependencies import Dependencies


def labels(web: Dependencies, asked: LabelQuery) -> Maturity:
    """How long the labels of a model take, and how many of those of its newest windows have come.

    `coverage` is the share of predictions with a label; `usual_share` the share of the labels that ever come that has
    usually come to windows of this age.
    """
    with transaction(web.engine) as connection:
        found = labels_of(connection, asked.model, asked.window, asked.segment, asked.limit, web.clock_ms())
    if found is None:
        raise no_model(web, asked.model)
    return found


def performance_findings(web: Dependencies, asked: JudgedQuery) -> Listing[JudgedRow]:
    """What was found in windows whose labels have come, those of the latest window first."""
    wanted = JudgedFilter(**asked.filters)
    with transaction(web.engine) as connection:
        return listing(list_judged(connection, wanted, asked.paging))
