"""Reads and writes contracts as YAML: below a model in monitors.yaml, or alone in a file."""

from __future__ import annotations

import math
from typing import Any, get_args

from service.errors import ConfigurationError
from service.expressions.parsing import parse_expression
from service.monitor import Monitor, to_document
from service.monitor_yaml import Mistake, Place, read_yaml
from service.parsers import choice, number, shown, truth
from service.place_readers import Reader, one, part, several, values_of
from service.promises import ColumnType, Contract, Promise, RowRule
from service.yaml_text import yaml_of

MAX_RULES = 50
MAX_CATEGORIES = 1_000
LONGEST_CATEGORY = 200
_LARGEST = 1e300
_ADVICE = "write 'contract:' and below it features or rules"


def read_contract(place: Place) -> Contract:
    """The contract of a place; what is wrong is noted there."""
    return _contract(place)


def parse_contract(text: str, source: str) -> Contract:
    """The contract of a file of its own; raises ConfigurationError with one sentence for each mistake."""
    mistakes: list[Mistake] = []
    top = read_yaml(text, mistakes, _ADVICE)
    contract = Contract()
    if top is not None:
        keys = top.fields(("contract",))
        if "contract" in keys:
            contract = read_contract(keys["contract"])
        elif not mistakes:
            top.wrong(f"has no contract; {_ADVICE}")
    if mistakes:
        in_order = sorted(mistakes, key=lambda mistake: mistake.line)
        raise ConfigurationError(*(f"{source}:{line}: {sentence}" for line, sentence in in_order))
    return contract


def dump_contract(contract: Contract) -> str:
    """YAML that `parse_contract` reads back as an equal value, and that fits below a model, too."""
    document = {"contract": to_document(Monitor("", contract=contract))["contract"]}
    return yaml_of(document, default_flow_style=None)


# ---------------------------------------------------------------- promises
def _promises(place: Place) -> dict[str, Promise]:
    return {feature: _promise(below) for feature, below in place.members().items()}


def _promise(place: Place) -> Promise:
    promise = part(Promise, _PROMISE)(place)
    for sentence in _contradictions(promise):
        place.wrong(sentence)
    return promise


def _contradictions(promise: Promise) -> list[str]:
    low, high = promise.low, promise.high
    numeric = [key for key, says in _NUMERIC_ONLY if says(promise)]
    values = promise.categories or (() if promise.constant is None else (promise.constant,))
    found = [
        (
            low is not None and high is not None and low > high,
            f"goes from {low} down to {high}; exchange them",
        ),
        (
            promise.type == "category" and bool(numeric),
            f"is a category with {' and '.join(numeric)}; leave that out, or write type: number",
        ),
        (
            promise.kind == "number" and not all(map(is_number, values)),
            "is a number, but not all its values are numbers; write numbers, or type: category",
        ),
        (
            promise.constant is not None and promise.categories is not None,
            "has a constant and categories; keep one",
        ),
        (bool(promise.outside) and low is None and high is None, "has outside, but neither low nor high"),
        (bool(promise.fractional) and not promise.integer, "has fractional, but not integer: true"),
        (bool(promise.other) and not values, "has other, but neither categories nor a constant"),
    ]
    return [sentence for is_wrong, sentence in found if is_wrong]


def is_number(text: str) -> bool:
    """Whether the text of a category is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


_NUMERIC_ONLY = (
    ("low", lambda p: p.low is not None),
    ("high", lambda p: p.high is not None),
    ("integer", lambda p: p.integer),
)


def _category(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_CATEGORY:
        raise ValueError(f"write a text of 1 to {LONGEST_CATEGORY} characters")
    return text


# ---------------------------------------------------------------- rules
def _rules(place: Place) -> tuple[RowRule, ...]:
    rules: list[RowRule] = []
    for item in place.items(0, MAX_RULES, "[{name: paid, check: balance >= 0}]"):
        rule = _rule(item)
        if rule is not None and rule.name in {known.name for known in rules}:
            item.wrong(f"repeats the name {shown(rule.name)}; give each rule its own")
        elif rule is not None:
            rules.append(rule)
    return tuple(rules)


def _rule(item: Place) -> RowRule | None:
    keys = item.fields(("name", "check", "at_most"))
    values = values_of(keys, _RULE)
    lacking = [key for key in ("name", "check") if key not in keys]
    for key in lacking:
        item.wrong(f"has no {key}; write one such as {{name: paid, check: balance >= 0}}")
    return RowRule(**values) if {"name", "check"} <= values.keys() else None


def _check(text: str) -> str:
    return parse_expression(text).text


# ---------------------------------------------------------------- what may be written, by attribute
_share = one(number(0, 1))
_bound = one(number(-_LARGEST, _LARGEST))

_PROMISE: dict[str, Reader[Any]] = {
    "type": one(choice(*get_args(ColumnType))),
    **dict.fromkeys(("present", "null", "absent", "nan", "infinite", "empty", "wrong_type"), _share),
    "low": _bound,
    "high": _bound,
    "outside": _share,
    "integer": one(truth),
    "fractional": _share,
    "categories": several(one(_category), 1, MAX_CATEGORIES, "[DE, FR]"),
    "constant": one(_category),
    "other": _share,
    "unique": _share,
}

_RULE: dict[str, Reader[Any]] = {"name": Place.name, "check": one(_check), "at_most": _share}

_contract = part(Contract, {"features": _promises, "rules": _rules, "unknown_features": _share})
