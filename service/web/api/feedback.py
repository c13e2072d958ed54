"""What a person should label, and when to train again, as JSON."""

from __future__ import annotations

from service.store.engine import transaction
from service.store.feedback import (
    FeedbackFilter,
    FeedbackRow,
    RetrainingRow,
    list_feedback,
    list_retraining,
)
from service.web.api.parameters import FeedbackQuery, Listing, RetrainingQuery, listing
from service.web.dependencies import Dependencies


def feedback(web: Dependencies, asked: FeedbackQuery) -> Listing[FeedbackRow]:
    """Predictions that a person should label, the newest first; of models whose monitor asks for them."""
    wanted = FeedbackFilter(**asked.filters)
    with transaction(web.engine) as connection:
        return listing(list_feedback(connection, wanted, asked.paging))


def retraining(web: Dependencies, asked: RetrainingQuery) -> Listing[RetrainingRow]:
    """Advice to train a model again, the newest first, with the spans of data that are good for it."""
    with transaction(web.engine) as connection:
        return listing(list_retraining(connection, asked.model, asked.paging))
