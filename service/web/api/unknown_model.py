"""The problem of a model that there is not: it says which one may have been meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from service.parsers import nearest
from service.store.engine import transaction
from service.store.queries import model_names
from service.web.dependencies import WebDependencies
from service.web.problems import not_found

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_COMPARED = 2_000


NO_MODEL = "there is no model of this name"


def no_model(web: WebDependencies, model: str, sentence: str = NO_MODEL) -> HTTPException:
    """There is none; `sentence` says so. Not within a transaction: it begins its own."""
    with transaction(web.engine) as connection:
        return no_model_among(connection, model, sentence)


def no_model_among(connection: Connection, model: str, sentence: str = NO_MODEL) -> HTTPException:
    """The same within a transaction."""
    meant = nearest(model, model_names(connection, MOST_COMPARED))
    return not_found(sentence if meant is None else f"{sentence}; did you mean {meant}?")
