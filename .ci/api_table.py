"""Writes the table of endpoints in docs/api.md out of the OpenAPI document: what each answers, and a call to try."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from service.web.api.openapi import operations
from service.web.app import described_api

DOCUMENT = Path(__file__).parent.parent / "docs" / "api.md"
BEGINS, ENDS = "<!-- written by `make api` -->\n", "<!-- to here -->\n"
EXAMPLES = {
    "yaml": "models: {churn: {}}", "since": "2026-11-21T00:00:00Z", "until": "2026-11-22T00:00:00Z",
    "model": "churn", "name": "churn-2026-10", "incident_id": "i-5c0e8f1a2b3c4d5e", "alert_id": "a-1", "by": "reason",
    "topic": "inference-log", "partition": "0", "offset": "1041", "feature": "amount", "role": "feature",
    "window": "5m", "reason": "bad_json", "verdict": "false_alarm", "why": "a planned price change",
}  # fmt: skip
"""What stands for a parameter in the calls."""


def main() -> None:
    """Rewrite the table in place."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    DOCUMENT.write_text(before + BEGINS + table(described_api()) + ENDS + after, encoding="utf-8")


def table(openapi: dict[str, Any]) -> str:
    """A row for each operation."""
    rows = ["| endpoint | answers | a call |", "|---|---|---|"]
    for method, path, one in operations(openapi):
        if path.startswith("/api/"):
            call = example(openapi, method, path, one)
            rows.append(f"| `{method.upper()} {path}` | {cell(first_sentence(one))} | `{cell(call)}` |")
    return "\n" + "\n".join(rows) + "\n\n"


def first_sentence(operation: dict[str, Any]) -> str:
    """What it does, in short."""
    paragraph = " ".join(operation["description"].split("\n\n")[0].split())
    return re.split(r"(?<=[.?])\s", paragraph)[0]


def cell(text: str) -> str:
    """The text as a cell of a table."""
    return text.replace("|", "\\|")


def example(openapi: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    """A call as the words `get` and `send` of the document make it."""
    address = path.removeprefix("/api/v1/")
    asked = {}
    listed = any(one["name"] == "cursor" for one in operation.get("parameters", []))
    for parameter in operation.get("parameters", []):
        name = parameter["name"]
        if parameter["in"] == "path":
            address = address.replace(f"{{{name}}}", quote(EXAMPLES.get(name, "1"), safe=""))
        elif parameter.get("required") or name == ("model" if listed else "feature"):
            asked[name] = EXAMPLES.get(name, "1")
    address += f"?{urlencode(asked)}" if asked else ""
    if method == "get":
        return f"get '{address}'"
    return f"send {method.upper()} '{address}'{body(openapi, operation)}"


def body(openapi: dict[str, Any], operation: dict[str, Any]) -> str:
    """What is sent: what an order must have, or a file."""
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return ""
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" not in schema:
        return f" @training.csv '{next(iter(content))}'"
    found = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return f" '{json.dumps({name: EXAMPLES.get(name, '...') for name in found.get('required', [])})}'"


if __name__ == "__main__":
    main()
