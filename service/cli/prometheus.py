"""Asks a Prometheus whether it would tell anybody of a model's alerts."""

from __future__ import annotations

import json
import re
import urllib.parse
from concurrent.futures import Future
from http.client import HTTPException
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.request import HTTPRedirectHandler, build_opener

from service.errors import ConfigurationError
from service.readiness.notification import Prometheus
from service.web.series import label_value

if TYPE_CHECKING:
    from collections.abc import Callable

RULES = ("DriftbellModelAlert", "DriftbellModelAlertTicket", "DriftbellModelSilent")
_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 16 * 2**20


def ask_prometheus(url: str, model: str, within_seconds: float = 3 * _TIMEOUT_SECONDS) -> Prometheus:
    """Its rules, its Alertmanagers, and whether it has series of this model. Raises ConfigurationError."""
    _require_address(url)
    selected = json.dumps(label_value(model), ensure_ascii=False)
    try:
        return _within(within_seconds, lambda: _asked(url, selected))
    except (OSError, HTTPException) as why:
        raise ConfigurationError(f"--prometheus {url} cannot be asked: {why}") from why
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigurationError(f"--prometheus {url} does not answer as Prometheus does") from None


def _require_address(url: str) -> None:
    """A URL that may be shown: whoever needs a password asks through a proxy that knows it."""
    if "@" in url:
        raise ConfigurationError("--prometheus takes no user or password; write http://prometheus:9090")
    if re.fullmatch(r"https?://[!-~]+", url) is None or not _has_host(url):
        raise ConfigurationError(f"--prometheus is {url!r}; write a URL such as http://prometheus:9090")


def _has_host(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bracket that is open, a port that is none
        return False


def _within(seconds: float, ask: Callable[[], Prometheus]) -> Prometheus:
    """Ask in a thread: a socket's own timeout begins anew with every byte."""
    answered: Future[Prometheus] = Future()

    def answer() -> None:
        try:
            answered.set_result(ask())
        except Exception as why:  # noqa: BLE001 - it is raised below
            answered.set_exception(why)

    Thread(target=answer, daemon=True).start()
    try:
        return answered.result(seconds)
    except TimeoutError as why:
        if answered.done():
            raise
        raise TimeoutError(f"it has not answered within {seconds:g} s") from why


def _asked(url: str, model: str) -> Prometheus:
    groups = _ask(url, "rules", type="alert")["groups"]
    well = {rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "ok"}
    series = _ask(url, "query", query=f"driftbell_last_event_timestamp_seconds{{model={model}}}")["result"]
    receivers = _ask(url, "alertmanagers")["activeAlertmanagers"]
    return Prometheus(tuple(name for name in RULES if name not in well), len(receivers), bool(series))


class _NoRedirects(HTTPRedirectHandler):
    """What was named is asked, and nobody whom it names."""

    def redirect_request(self, *_: object) -> None:
        return None


def _ask(url: str, what: str, **parameters: str) -> Any:
    address = f"{url.rstrip('/')}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
    with build_opener(_NoRedirects).open(address, timeout=_TIMEOUT_SECONDS) as answer:
        return json.loads(answer.read(_MOST_BYTES))["data"]
