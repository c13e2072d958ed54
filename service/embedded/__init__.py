"""Real servers out of wheels, for the demo and the tests; never for production."""

from __future__ import annotations

from service.embedded.broker import EmbeddedBroker
from service.embedded.postgres import EmbeddedPostgres

__all__ = ["EmbeddedBroker", "EmbeddedPostgres"]
