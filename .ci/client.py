"""Writes the second half of service/client.py: a TypedDict for each answer, a method for each operation of the API."""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.web.api.openapi import operations
from service.web.app import described_api

CLIENT = Path(__file__).parent.parent / "service" / "client.py"
LINE = "# ---------------------------------------------------------------- written by `make api`\n"
JSON = "application/json"
STREAM = "text/event-stream"
PAGE = "text/html"
TIME = "ISO 8601, or milliseconds since 1970"
NAMES = {
    "accept": "accept_incident",
    "acknowledge": "acknowledge_incident",
    "cancel": "cancel_backtest",
    "counts": "dead_letter_counts",
    "diff": "diff_monitors",
    "expect": "expect_incident",
    "find": "backtest",
    "incident_report_of": "incident_report",
    "mark": "mark_incident",
    "release": "release_incident",
    "replay": "replay_dead_letters",
    "save": "save_monitors",
    "silence": "silence_incident",
    "sniff": "sniff_topic",
    "start": "start_backtest",
    "upload": "upload_reference",
    "validate": "validate_monitors",
}
"""What operations are called where the name of their function does not say enough."""
SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
HEAD = '''class Client(_EventReader):
    """driftbell's API: a method for each of its endpoints."""'''
NOT_ASKED = frozenset({"cursor", "format"})
"""The client follows cursors by itself, and reads JSON."""


def main() -> None:
    """Rewrite the file in place."""
    written = CLIENT.read_text(encoding="utf-8").partition(LINE)[0] + LINE + generated(described_api())
    CLIENT.write_text(written, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "format", "--quiet", str(CLIENT)]
    subprocess.run(ruff, check=True)  # noqa: S603 - our own words


def generated(openapi: dict[str, Any]) -> str:
    """All that follows the line."""
    methods = list(named(openapi))
    schemas = openapi["components"]["schemas"]
    orders = reachable(schemas, (one.body for one in methods))
    answers = reachable(schemas, (one.answer for one in methods)) - {
        name for name in schemas if name.startswith("Listing_")
    }
    asked = reachable(schemas, (p["schema"] for one in methods for p in one.in_path + one.query))
    kept = sorted(orders | answers | asked, key=identifier)
    types = [alias(name, schemas[name]) for name in kept if "properties" not in schemas[name]]
    types += [
        typed_dict(identifier(name), schemas[name], all_there=name not in orders)
        for name in kept
        if "properties" in schemas[name]
    ]
    queries = query_types(methods)
    written = "\n\n".join(method(one, queries) for one in methods)
    return "\n\n".join([*types, *query_dicts(queries), HEAD, written, ""])


# ---------------------------------------------------------------- operations
Fields = frozenset[tuple[str, str, str]]
"""Of a query: name, type and description of each."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    name: str
    verb: str
    path: str
    about: str
    in_path: tuple[dict[str, Any], ...]
    query: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None
    body_kinds: tuple[str, ...]
    answer: dict[str, Any] | None
    kinds: tuple[str, ...]

    @property
    def asked(self) -> Fields:
        """The fields of its query, each with its type and what is said of it."""
        return frozenset(field_of(parameter) for parameter in self.query)


def named(openapi: dict[str, Any]) -> Iterator[Operation]:
    """Every operation by the name of its method, which no two share; streams are read by `events`."""
    seen: set[str] = set()
    for verb, path, one in operations(openapi):
        found = operation(path, verb, one)
        if STREAM in found.kinds or not path.startswith("/api/"):
            continue
        if found.name in seen:
            raise SystemExit(
                f"two operations are called {found.name}; name one of them in NAMES of {__file__}"
            )
        seen.add(found.name)
        yield found


def operation(path: str, verb: str, one: dict[str, Any]) -> Operation:
    """What is documented of it."""
    function = one["operationId"].removesuffix(re.sub(r"\W", "_", path) + f"_{verb}")
    success = next(answer for status, answer in sorted(one["responses"].items()) if status.startswith("2"))
    content = success.get("content", {})
    parameters = one.get("parameters", [])
    bodies = one.get("requestBody", {}).get("content", {})
    body = next(iter(bodies.values()), None)
    return Operation(
        NAMES.get(function, function), verb, path, one.get("description", ""),
        tuple(p for p in parameters if p["in"] == "path"),
        tuple(p for p in parameters if p["in"] == "query" and p["name"] not in NOT_ASKED),
        body["schema"] if body else None, tuple(bodies),
        None if PAGE in content else content.get(JSON, {}).get("schema"), tuple(sorted(content, reverse=True)),
    )  # fmt: skip


def reachable(schemas: dict[str, Any], roots: Iterator[Any]) -> set[str]:
    """The names of all schemas that these refer to."""
    found: set[str] = set()
    todo = list(roots)
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        if isinstance(one, dict):
            name = one.get("$ref", "").rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                todo.append(schemas[name])
            todo += [value for key, value in one.items() if key != "$ref"]
    return found


# ---------------------------------------------------------------- types
def identifier(name: str) -> str:
    """A schema's name as Python writes it."""
    if "__" in name:  # FastAPI names the modules of two classes that share a name
        raise SystemExit(f"another class of the API is called as {name} is: rename one of them")
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", name))


def type_of(schema: dict[str, Any], *, in_query: bool = False) -> str:
    """A schema as a type."""
    if "$ref" in schema:
        return identifier(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(type_of(one, in_query=in_query) for one in schema["anyOf"]))
    if in_query and schema.get("description") == TIME:
        return "Time"
    if "enum" in schema or "const" in schema:
        return f"Literal[{', '.join(map(repr, schema.get('enum', [schema.get('const')])))}]"
    return composed(schema) or SIMPLE.get(str(schema.get("type")), "Any")


def composed(schema: dict[str, Any]) -> str:
    """A list or a mapping as a type; empty for what is neither."""
    if schema.get("type") == "array":
        return f"list[{type_of(schema.get('items', {'anyOf': schema.get('prefixItems', [{}])}))}]"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {type_of(values) if isinstance(values, dict) else 'Any'}]"
    return ""


def alias(name: str, schema: dict[str, Any]) -> str:
    """A closed set of words, or a row of values."""
    return f"{identifier(name)}: TypeAlias = {type_of(schema)}\n"


def typed_dict(name: str, schema: dict[str, Any], *, all_there: bool) -> str:
    """An object; an answer has all of its fields, an order those that are required."""
    fields = {
        key: type_of(one)
        if all_there or key in schema.get("required", ())
        else f"NotRequired[{type_of(one)}]"
        for key, one in schema.get("properties", {}).items()
    }
    if any(not key.isidentifier() or keyword.iskeyword(key) for key in fields):
        return f"{name} = TypedDict({name!r}, {{{', '.join(f'{key!r}: {one!r}' for key, one in fields.items())}}})\n"
    lines = [f"    {key}: {one}" for key, one in fields.items()]
    about = schema.get("description") or name
    return f"class {name}(TypedDict):\n{docstring(about)}\n\n" + "\n".join(lines) + "\n"


def query_types(methods: Sequence[Operation]) -> dict[Fields, str]:
    """The name of each set of fields: that of the first method that asks for it."""
    found: dict[Fields, str] = {}
    for one in methods:
        if one.query:
            found.setdefault(one.asked, one.name.title().replace("_", "") + "Query")
    return found


def query_dicts(queries: Mapping[Fields, str]) -> Iterator[str]:
    """Each as a type that has all of the largest one within it, the small ones first."""
    for fields, name in sorted(queries.items(), key=lambda one: (len(one[0]), one[1])):
        within = max((one for one in queries if one < fields), key=len, default=frozenset())
        lines = [
            line
            for field, kind, said in sorted(fields - within)
            for line in [*(f"    # {part}" for part in textwrap.wrap(said, 100)), f"    {field}: {kind}"]
        ]
        yield f"class {name}({queries.get(within, 'TypedDict')}):\n" + "\n".join(lines) + "\n"


def field_of(parameter: dict[str, Any]) -> tuple[str, str, str]:
    """Name, type and description of a part of a query."""
    kind = type_of(parameter["schema"], in_query=True)
    said = parameter.get("description") or parameter["schema"].get("description") or ""
    return parameter["name"], kind if parameter.get("required") else f"NotRequired[{kind}]", said


def docstring(text: str, indent: str = "    ") -> str:
    """The text between quotes, each line as long as this house has them."""
    parts = [textwrap.wrap(part, 114 - len(indent)) for part in text.strip().split("\n\n")]
    lines = [line for part in parts for line in ["", *part]][1:]
    body = "\n".join(indent * bool(line) + line.replace("\\", "\\\\") for line in lines).removeprefix(indent)
    return f'{indent}"""{body}{chr(10) + indent if len(lines) > 1 else ""}"""'


# ---------------------------------------------------------------- methods
def method(one: Operation, queries: Mapping[Fields, str]) -> str:
    """A method with the operation's description."""
    takes = [f"{p['name']}: {type_of(p['schema'])}" for p in one.in_path]
    order = one.body is not None and "$ref" in one.body
    if one.body is not None and not order:
        takes += [
            "body: str | bytes",
            f"kind: Literal[{', '.join(map(repr, one.body_kinds))}] = {one.body_kinds[0]!r}",
        ]
    if one.answer is None and one.kinds and one.verb == "get":
        takes.append(f"accept: str = {one.kinds[0]!r}")
    if takes:
        takes.append("/")
    if one.query:
        takes.append(f"**asked: Unpack[{queries[one.asked]}]")
    elif order:
        takes.append(f"**order: Unpack[{type_of(one.body or {})}]")
    returns, line = call(one, order=order)
    head = f"    def {one.name}({', '.join(['self', *takes])}) -> {returns}:"
    return f"{head}\n{docstring(one.about, ' ' * 8)}\n        {line}"


def call(one: Operation, *, order: bool) -> tuple[str, str]:
    """What the method returns, and the line that gets it."""
    path = "f" * bool(one.in_path) + repr(re.sub(r"\{(\w+)\}", r"{_place(\1)}", one.path))
    query = ", asked" if one.query else ""
    if one.verb != "get":
        body = "order" if order else "body" if one.body is not None else "{}"
        kind = ", kind" if body == "body" else ""
        sent = f"self._sent({one.verb.upper()!r}, {path}, {body}{kind}{', query=asked' if query else ''})"
        returns = type_of(one.answer or {})
        return returns, f"return cast({returns!r}, {sent})"
    if one.answer is None:
        return "str", f"return self.wire.get({path}{query or ', None'}, accept).decode()"
    listed = one.answer.get("$ref", "").rpartition("/")[2]
    if listed.startswith("Listing_"):
        returns = f"Iterator[{identifier(listed.removeprefix('Listing_'))}]"
        return returns, f"return self._pages({path}{query or ', {}'})"
    returns = type_of(one.answer)
    return returns, f"return cast({returns!r}, self._json({path}{query}))"


if __name__ == "__main__":
    main()
