"""The ML Test Score of a model over the API: seven tests of its monitoring, with what each rests on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from service.readiness.grading import score_of
from service.readiness.notification import notification_of
from service.readiness.readiness import Score
from service.store.engine import transaction
from service.store.readiness import known_of, outbox_of
from service.web.api.parameters import NameInPath
from service.web.api.unknown_model import no_model
from service.web.dependencies import Dependencies


def score(web: Dependencies, model: NameInPath) -> Score:
    """How one model is monitored, by the seven tests of the ML Test Score's section on monitoring.

    Each test has `points` of 0, 0.5 or 1, the `most` that driftbell can show, what it rests on, what is `missing`, and
    what of it no event shows (`unseen`). Whether somebody is told is known of this process's webhook and of the
    Alertmanagers that incidents are pushed to.
    """
    with transaction(web.engine) as connection:
        known = known_of(connection, model, web.clock_ms())
        outbox = outbox_of(connection)
    if known is None:
        raise no_model(web, model)
    return score_of(known, notification_of(outbox, webhook=web.webhook))


SCORE_ENDPOINTS: dict[str, Callable[..., Any]] = {"/models/{model:path}/score": score}
