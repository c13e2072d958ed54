"""Asks a Prometheus whether it would tell anybody of a model's alerts."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from http.client import HTTPException
from typing import Any

from service.errors import ConfigurationError
from service.readiness.notification import Prometheus
from service.web.series import label_value

RULES = ("DriftbellModelAlert", "DriftbellModelAlertTicket", "DriftbellModelSilent")
_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 16 * 2**20


def ask_prometheus(url: str, model: str) -> Prometheus:
    """Its rules, its Alertmanagers, and whether it has series of this model. Raises ConfigurationError."""
    if re.fullmatch(r"https?://[!-~]+", url) is None:
        raise ConfigurationError(f"--prometheus is {url!r}; write a URL such as http://prometheus:9090")
    try:
        return _asked(url, json.dumps(label_value(model), ensure_ascii=False))
    except (OSError, HTTPException) as why:
        raise ConfigurationError(f"--prometheus {url} cannot be asked: {why}") from why
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ConfigurationError(f"--prometheus {url} does not answer as Prometheus does") from None


def _asked(url: str, model: str) -> Prometheus:
    groups = _ask(url, "rules", type="alert")["groups"]
    well = {rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "ok"}
    series = _ask(url, "query", query=f"driftbell_last_event_timestamp_seconds{{model={model}}}")["result"]
    receivers = _ask(url, "alertmanagers")["activeAlertmanagers"]
    return Prometheus(tuple(name for name in RULES if name not in well), len(receivers), bool(series))


def _ask(url: str, what: str, **parameters: str) -> Any:
    address = f"{url.rstrip('/')}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
    with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - http(s) only, see above
        return json.loads(answer.read(_MOST_BYTES))["data"]
