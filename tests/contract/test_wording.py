"""A finding about a contract is a sentence with the share of rows, and the share that may."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from service.contract.clauses import CAUSES, Code
from service.contract.findings import contract_findings
from service.contract.wording import phrase, sentence
from service.messages import Column, Finding, Role, Verdict
from service.promises import Contract, Promise, RowRule
from tests.contract.rows import counted, grid_of

CONTRACT = Contract(
    {"x": Promise(low=-1.5, high=100.0, categories=("a", "b"), constant="v1", other=0.5)},
    (RowRule("debt", "loan == 'yes' or balance >= 0"),),
)


def finding(code: Code, value: float | None = 0.03, limit: float = 0.0, resolution: float = 0.0) -> Finding:
    """A broken clause about feature x."""
    column = Column(Role.RULE, "debt") if code is Code.RULE else Column(Role.FEATURE, "x")
    return Finding(column, code.value, value, limit, 0.0, 1_000, 0, resolution, Verdict.DRIFT)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (finding(Code.BIG), "feature x is above 100 in 3 % of 1,000 rows, allowed is none"),
        (finding(Code.SMALL, limit=0.001), "feature x is below -1.5 in 3 % of 1,000 rows, allowed are 0.1 %"),
        (finding(Code.NULL, value=1.0), "feature x is null in 100 % of 1,000 rows, allowed is none"),
        (
            finding(Code.UNEXPECTED_TEXT),
            "feature x is none of its 2 categories in 3 % of 1,000 rows, allowed is none",
        ),
        (finding(Code.NOT_CONSTANT), "feature x is not 'v1' in 3 % of 1,000 rows, allowed is none"),
        (
            finding(Code.RULE),
            "rule debt (loan == 'yes' or balance >= 0) is broken in 3 % of 1,000 rows, allowed is none",
        ),
        (
            finding(Code.NOT_INTEGER, resolution=0.125),
            "feature x is no integer in 3 % of 1,000 rows (known to within 12.5 %), allowed is none",
        ),
    ],
)
def test_a_broken_clause_is_one_sentence(told: Finding, said: str) -> None:
    assert sentence(CONTRACT, told) == said


@pytest.mark.parametrize("code", Code)
def test_every_code_has_words(code: Code) -> None:
    said = phrase(CONTRACT, finding(code))
    assert said.startswith(("feature x ", "rule debt "))
    assert "{" not in said


def test_what_cannot_be_told_says_why() -> None:
    contract = Contract({"x": Promise(low=0.0)}, (RowRule("r", "nobody > 1"),))
    findings = contract_findings(contract, counted([{"x": "a"}], contract, grid_of(x=["a"])), 1e-3)
    assert [sentence(contract, one) for one in findings] == [
        "feature x is below 0: cannot be told, the reference counts it as categories",
        "rule r (nobody > 1) is broken: cannot be told of any row",
    ]


def test_braces_in_a_rule_are_only_braces() -> None:
    contract = Contract(rules=(RowRule("r", "a == '{low.__class__}'"),))
    told = Finding(Column(Role.RULE, "r"), "contract_rule", 1.0, 0.0, 0.0, 5, 0, 0.0, Verdict.DRIFT)
    assert "{low.__class__}" in sentence(contract, told)


def test_every_code_and_every_key_stands_in_the_docs() -> None:
    listed = Path(__file__).parents[2].joinpath("docs", "contract.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in listed.splitlines() if line.startswith("| `")}
    assert [code for code in Code if f"`{CAUSES[code].value}` |" not in rows.get(code.value, "")] == []
    assert [one.name for one in fields(Promise) if f"`{one.name}`" not in listed] == []
