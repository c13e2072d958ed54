"""The HTTP of one Alertmanager (v2): alerts pushed, silences made, ended and listed. What goes wrong is an OSError."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from service.alerting.delivery import NoRedirects
from service.alerting.incident_alerts import ALERT_NAME
from service.alerting.shared_silences import TheirSilence

_TIMEOUT_SECONDS = 3.0
_LARGEST_ANSWER = 20_000_000
_LONGEST_TROUBLE = 200


class Alertmanager:
    """One of them. `name` tells it from others and holds no secret: its host and port, and a digest of its path."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        path = parts.path.rstrip("/")
        self.name = f"{host} ({sha256(path.encode()).hexdigest()[:8]})" if path else host
        self._base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._headers = {
            "Content-Type": "application/json",
            **_authorization(parts.username, parts.password, token),
        }
        self._opener = urllib.request.build_opener(NoRedirects)

    def push(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Tell it of alerts, firing or over."""
        self._ask("POST", "alerts", list(alerts))

    def silences(self) -> dict[str, TheirSilence | None]:
        """All that it knows, by their ids; None for one that is not understood."""
        return {one["id"]: _silence(one) for one in self._ask("GET", "silences") if "id" in one}

    def silent_by(self) -> dict[str, list[str]]:
        """The ids of the silences that each of our incidents is silent by."""
        named = quote(f'alertname="{ALERT_NAME}"')
        found = self._ask("GET", f"alerts?filter={named}&silenced=true&inhibited=true")
        return {
            str(one["labels"].get("incident")): [str(silence) for silence in one["status"]["silencedBy"]]
            for one in found
            if one["status"]["silencedBy"]
        }

    def make_silence(self, silence: Mapping[str, Any]) -> str:
        """Make a silence; its id."""
        return str(self._ask("POST", "silences", silence)["silenceID"])

    def end_silence(self, silence: str) -> None:
        """End it now."""
        self._ask("DELETE", f"silence/{quote(silence, safe='')}")

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        address = f"{self._base}/api/v2/{path}"
        request = urllib.request.Request(address, data, self._headers, method=method)  # noqa: S310 - settings allow http(s) only
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                text = answer.read(_LARGEST_ANSWER)
            return json.loads(text) if text.strip() else None
        except urllib.error.HTTPError as refused:
            said = refused.read(_LONGEST_TROUBLE).decode("utf-8", "replace")
            message = f"it answers {refused.code}: {said or refused.reason}"
            raise OSError(message) from refused
        except urllib.error.URLError as why:
            raise OSError(str(why.reason)) from why
        except (HTTPException, ValueError) as why:
            message = f"what it answers is not understood ({type(why).__name__})"
            raise OSError(message) from why


def _authorization(user: str | None, password: str | None, token: str | None) -> dict[str, str]:
    if token is not None:
        return {"Authorization": f"Bearer {token}"}
    if user is None:
        return {}
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _silence(found: Mapping[str, Any]) -> TheirSilence | None:
    try:
        equal = {
            one["name"]: one["value"]
            for one in found["matchers"]
            if not one["isRegex"] and one.get("isEqual", True)
        }
        return TheirSilence(
            found["id"], found["status"]["state"], datetime.fromisoformat(found["endsAt"]), str(found["createdBy"]),
            str(found["comment"]), equal.get("incident", ""),
        )  # fmt: skip
    except (LookupError, TypeError, ValueError):
        return None
