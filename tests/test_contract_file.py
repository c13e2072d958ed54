"""A contract is read whole, or every mistake in it is told with its line, below a model as in a file of its own."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.contract_file import MAX_RULES, dump_contract, parse_contract
from service.errors import ConfigurationError
from service.monitor import Monitor
from service.monitor_file import dump_monitors, parse_monitors
from service.names import clean_name
from service.promises import ColumnType, Contract, Promise, RowRule


def mistakes_of(text: str) -> list[str]:
    """The sentences that refuse this file."""
    with pytest.raises(ConfigurationError) as caught:
        parse_contract(dedent(text), "c.yaml")
    return list(caught.value.problems)


def mistake_in(promise: str) -> str:
    """The only sentence about a contract with this one promise of feature x."""
    (sentence,) = mistakes_of(f"contract:\n  features:\n    x: {promise}\n")
    return sentence.removeprefix("c.yaml:3: contract.features.")


EXAMPLE = """\
contract:
  features:
    amount: {type: number, present: 0.99, null: 0.01, low: 0, high: 10000, integer: true}
    country: {type: category, categories: [DE, FR, no, 007], other: 0.001}
    customer: {unique: 0.9}
    version: {constant: "v1"}
    there:
  rules:
    - {name: debt_needs_loan, check: "loan == 'yes' or balance >= 0", at_most: 0.001}
  unknown_features: 0.01
"""
READ = Contract(
    {
        "amount": Promise("number", 0.99, null=0.01, low=0.0, high=10_000.0, integer=True),
        "country": Promise("category", categories=("DE", "FR", "no", "007"), other=0.001),
        "customer": Promise(unique=0.9),
        "version": Promise(constant="v1"),
        "there": Promise(),
    },
    (RowRule("debt_needs_loan", "loan == 'yes' or balance >= 0", 0.001),),
    0.01,
)


def test_the_example_is_read_alone_and_below_a_model() -> None:
    assert parse_contract(EXAMPLE, "c.yaml") == READ
    (monitor,) = parse_monitors("models:\n  m:\n" + indent(EXAMPLE, "    "), "monitors.yaml")
    assert monitor == Monitor("m", contract=READ)


def test_null_is_a_kind_of_missing_however_it_is_written() -> None:
    for key in ("null", "'null'", '"null"'):
        assert parse_contract(f"contract: {{features: {{x: {{{key}: 0.5}}}}}}", "f").features["x"].null == 0.5


def test_an_empty_contract_is_one() -> None:
    assert parse_contract("contract:", "f") == Contract()


# ---------------------------------------------------------------- what is wrong
def test_all_mistakes_come_at_once_with_their_lines() -> None:
    assert mistakes_of("""\
        contract:
          features:
            amount: {typ: number, present: 99 %}
            country: {categories: []}
          rules:
            - {name: debt, check: "balance ** 2 >= 0"}
            - {check: "a > 1"}
            - {name: debt, check: "a > 1", at_most: 2}
            - {name: debt, check: "a > 1"}
            - {name: debt, check: "a > 2"}
          unknown: 1
        """) == [
        "c.yaml:3: contract.features.amount.typ is not a known key; did you mean 'type'?",
        "c.yaml:3: contract.features.amount.present is '99 %'; write a number from 0 to 1",
        "c.yaml:4: contract.features.country.categories has 0 items; write 1 to 1000",
        (
            "c.yaml:6: contract.rules[0].check is 'balance ** 2 >= 0'; powers (**) are not allowed: "
            "write and, or, not, comparisons, + - * /, in [...], abs, min, max, missing or feature('name')"
        ),
        "c.yaml:7: contract.rules[1] has no name; write one such as {name: paid, check: balance >= 0}",
        "c.yaml:8: contract.rules[2].at_most is '2'; write a number from 0 to 1",
        "c.yaml:9: contract.rules[3] repeats the name 'debt'; give each rule its own",
        "c.yaml:10: contract.rules[4] repeats the name 'debt'; give each rule its own",
        "c.yaml:11: contract.unknown is not a known key; did you mean 'unknown_features'?",
    ]


@pytest.mark.parametrize(
    ("promise", "sentence"),
    [
        ("{low: 5, high: 3}", "x goes from 5.0 down to 3.0; exchange them"),
        ("{low: .inf}", "x.low is '.inf'; write a number from -1e+300 to 1e+300"),
        ("{type: text}", "x.type is 'text'; write number or category"),
        (
            "{type: category, low: 0, integer: true}",
            "x is a category with low and integer; leave that out, or write type: number",
        ),
        (
            "{type: number, categories: [a, 1]}",
            "x is a number, but not all its values are numbers; write numbers, or type: category",
        ),
        (
            "{low: 0, constant: a}",
            "x is a number, but not all its values are numbers; write numbers, or type: category",
        ),
        ("{constant: a, categories: [a]}", "x has a constant and categories; keep one"),
        ("{outside: 0.1}", "x has outside, but neither low nor high"),
        ("{fractional: 0.1}", "x has fractional, but not integer: true"),
        ("{other: 0.1}", "x has other, but neither categories nor a constant"),
        ("{integer: 1}", "x.integer is '1'; write true or false"),
        ("{constant: ''}", "x.constant is ''; write a text of 1 to 200 characters"),
        ("{categories: [a, a]}", "x.categories[1] repeats 'a'; write each name once"),
        ("{categories: DE}", "x.categories is a single value; write a list such as [DE, FR]"),
        ("{~: 1}", "x.~ is empty; write a value or leave the key out"),
        ("5", "x is a single value; write a mapping of keys to values"),
    ],
)
def test_each_mistake_says_what_to_write_instead(promise: str, sentence: str) -> None:
    assert mistake_in(promise) == sentence


@pytest.mark.parametrize(
    ("check", "advice"),
    [
        ("__import__('os').system('true') == 0", "attributes (a dot after a name) are not allowed"),
        ("9 ** 9 ** 9 > a", "powers (**) are not allowed"),
        ("(" * 10_000 + "a > 1" + ")" * 10_000, "it has 20005 characters: write at most 500"),
    ],
)
def test_a_hostile_rule_is_one_short_mistake_with_its_line(check: str, advice: str) -> None:
    (sentence,) = mistakes_of(f'contract:\n  rules:\n    - name: r\n      check: "{check}"\n')
    assert sentence.startswith("c.yaml:4: contract.rules[0].check is ")
    assert advice in sentence
    assert len(sentence) < 300


def test_there_are_only_so_many_rules() -> None:
    rules = [f"{{name: r{i}, check: a > {i}}}" for i in range(MAX_RULES + 1)]
    (sentence,) = mistakes_of(f"contract: {{rules: [{', '.join(rules)}]}}")
    assert sentence == "c.yaml:1: contract.rules has 51 items; write 0 to 50"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "c.yaml:1: the file is empty; write 'contract:' and below it features or rules"),
        ("{}", "c.yaml:1: the file has no contract; write 'contract:' and below it features or rules"),
        ("models: {m: {}}", "c.yaml:1: models is not a known key; write contract"),
    ],
)
def test_a_file_without_a_contract_says_so(text: str, sentence: str) -> None:
    assert mistakes_of(text) == [sentence]


# ---------------------------------------------------------------- round trip
shares = st.floats(0, 1)
names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).map(clean_name).filter(bool)
categories = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@st.composite
def promises(draw: st.DrawFn) -> Promise:
    """Any promise that can be written."""
    kind = draw(st.none() | st.sampled_from(get_args(ColumnType)))
    said = {name: draw(st.none() | shares) for name in ("present", "null", "nan", "wrong_type", "unique")}
    if kind == "category":
        values = draw(st.none() | st.lists(categories, unique=True, min_size=1, max_size=3).map(tuple))
        return Promise(kind, **said, categories=values, other=draw(shares) if values else 0.0)
    bounds = sorted(draw(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=2)))
    integer = draw(st.booleans())
    return Promise(
        "number", **said, low=bounds[0], high=bounds[1], outside=draw(shares), integer=integer,
        fractional=draw(shares) if integer else 0.0,
    )  # fmt: skip


rules = st.lists(
    st.builds(
        RowRule, name=names, check=st.sampled_from(["a > 1", "b in ['x', 2]", "missing(c)"]), at_most=shares
    ),
    max_size=3,
    unique_by=lambda rule: rule.name,
).map(tuple)
contracts = st.builds(
    Contract,
    features=st.dictionaries(names, promises(), max_size=3),
    rules=rules,
    unknown_features=st.none() | shares,
)


@settings(deadline=None)  # how fast is no matter here
@example(Contract(features={"a": Promise("category", categories=("\x85", "b\u2028", "\u2029c"), other=0.0)}))
@given(contracts)
def test_what_is_dumped_parses_back_to_an_equal_contract(contract: Contract) -> None:
    assert parse_contract(dump_contract(contract), "dumped") == contract
    monitor = Monitor("m", contract=contract)
    assert parse_monitors(dump_monitors([monitor]), "dumped") == (monitor,)


def test_a_printed_contract_is_easy_to_read_and_to_edit() -> None:
    assert (
        dump_contract(READ)
        == """\
contract:
  features:
    amount: {type: number, present: 0.99, 'null': 0.01, low: 0.0, high: 10000.0, integer: true}
    country:
      type: category
      categories: [DE, FR, 'no', '007']
      other: 0.001
    customer: {unique: 0.9}
    there: {}
    version: {constant: v1}
  rules:
  - {name: debt_needs_loan, check: loan == 'yes' or balance >= 0, at_most: 0.001}
  unknown_features: 0.01
"""
    )
