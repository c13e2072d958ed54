"""The OpenAPI document, in which every parameter that says nothing of itself is described by the glossary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

GLOSSARY = {
    "against": "the other version",
    "alert_id": "an alert's id, as alerts are listed",
    "basis": "realized, from labels; or estimated, before they come",
    "by": "what is counted by",
    "cause": "what the diagnosis names",
    "feature": "a column's name",
    "format": "the form of the answer",
    "halted": "whether it is not read any more until a person decides",
    "incident": "an incident's id",
    "incident_id": "an incident's id, as incidents are listed",
    "job_id": "what was answered when it was begun",
    "kind": "why it was chosen",
    "method": "a detector's or a rule's name",
    "metric": "a performance metric's name, such as accuracy",
    "model": "a model's name",
    "name": "a reference's name",
    "offset": "where the record is in its partition",
    "partition": "a partition's number",
    "reason": "why it is a dead letter",
    "role": "what a column holds: a feature, the prediction, its score, the latency, a rule or the label",
    "segment": "a slice of the model's traffic, such as country=DE; empty is the whole model",
    "severity": "what the alert asks for: page wakes somebody",
    "silence_id": "a silence's id, as silences are listed",
    "state": "how far it has come",
    "topic": "a topic's name",
    "verdict": "what was found",
    "version": "a build of the model",
    "why": "the reason, in a sentence",
    "window": "a kind of window, as the monitor names it, such as 5m",
}
"""What parameters mean that have one meaning wherever they stand."""
_WITH_SLASHES = frozenset({"model", "name"})


class DescribedApi(FastAPI):
    """An application whose document leaves no parameter unexplained."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            for _, _, operation in operations(super().openapi()):
                for parameter in operation.get("parameters", []):
                    _describe(parameter)
        return super().openapi()


def _describe(parameter: dict[str, Any]) -> None:
    name = parameter["name"]
    if name in GLOSSARY:
        slashes = "; slashes are written %2F" if parameter["in"] == "path" and name in _WITH_SLASHES else ""
        parameter.setdefault("description", GLOSSARY[name] + slashes)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation with its method and path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation
