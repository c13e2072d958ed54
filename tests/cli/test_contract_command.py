"""`driftbell contract`: a contract out of a reference, and what a table or a log breaks of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli.main import main
from service.contract_file import parse_contract
from service.reference.profile import profile_to_bytes
from tests.contract.rows import event
from tests.replaying import reference_of

CONTRACT = """\
contract:
  features:
    amount: {type: number, present: 0.99, high: 100}
    country: {categories: [DE, FR]}
  rules:
    - {name: french_pay_more, check: "country != 'FR' or amount > -10", at_most: 0.01}
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with a contract, a reference and tables, without a database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRIFTBELL_DATABASE_URL", raising=False)
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "churn.profile").write_bytes(profile_to_bytes(reference_of(tmp_path, rows=2_000)))
    (tmp_path / "good.csv").write_text("amount,country\n" + "1.5,DE\n2.5,FR\n" * 20)
    (tmp_path / "bad.csv").write_text("amount,country\n" + "1.5,DE\n2.5,fr\n" * 19 + "500,DE\n1.5,IT\n")


def run(*arguments: str) -> Result:
    """The command line."""
    return CliRunner().invoke(main, ["contract", *arguments])


def fails(result: Result, sentence: str) -> None:
    """It ended with this one sentence, as a mistake of the caller."""
    assert result.exit_code == 2, result.output
    assert result.stderr == f"driftbell: {sentence}\n"


# ---------------------------------------------------------------- infer
def test_infer_prints_a_contract_that_the_reference_itself_keeps(tmp_path: Path) -> None:
    shown = run("infer", "--reference", "churn.profile")
    assert shown.exit_code == 0
    contract = parse_contract(shown.stdout, "shown")
    assert contract.features["country"].categories == ("DE", "FR")
    (tmp_path / "inferred.yaml").write_text(shown.stdout)
    table = "churn-1.csv"
    checked = run(
        "check",
        "--contract",
        "inferred.yaml",
        "--reference",
        "churn.profile",
        "--data",
        table,
        "--score",
        "score",
    )
    assert (checked.exit_code, checked.stdout) == (0, "2,000 rows, 7 clauses, all of them kept\n")


def test_infer_may_be_asked_for_some_features_only() -> None:
    shown = run("infer", "--reference", "churn.profile", "--feature", "country")
    assert list(parse_contract(shown.stdout, "shown").features) == ["country"]


def test_a_feature_that_is_not_there_is_said_with_the_nearest_one() -> None:
    failed = run("infer", "--reference", "churn.profile", "--feature", "contry")
    fails(failed, "the reference has no feature 'contry'; did you mean 'country'?")


def test_without_a_file_or_a_store_there_is_no_reference() -> None:
    fails(
        run("infer", "--reference", "nobody"),
        "there is no file 'nobody': name one, or set DRIFTBELL_DATABASE_URL to use the store",
    )


# ---------------------------------------------------------------- check
def test_a_table_that_keeps_the_contract_is_a_success() -> None:
    shown = run("check", "--contract", "contract.yaml", "--data", "good.csv")
    assert (shown.exit_code, shown.output) == (0, "40 rows, 5 clauses, all of them kept\n")


def test_what_breaks_the_contract_is_said_and_is_no_success() -> None:
    shown = run("check", "--contract", "contract.yaml", "--data", "bad.csv")
    assert shown.exit_code == 1
    assert shown.stdout.splitlines() == [
        "feature amount is above 100 in 2.5 % of 40 rows, allowed is none [float_type_big_float]",
        (
            "feature country is none of its 2 categories in 50 % of 40 rows, allowed is none, such as 'fr', 'IT' "
            "[enum_type_unexpected_string_values]"
        ),
        "40 rows, 5 clauses, 2 broken",
    ]


def test_programs_get_every_clause_as_json() -> None:
    shown = run("check", "--contract", "contract.yaml", "--data", "bad.csv", "--json")
    assert shown.exit_code == 1
    said = json.loads(shown.stdout)
    assert (said["rows"], said["kept"], len(said["findings"])) == (40, False, 5)
    broken = [one for one in said["findings"] if one["verdict"] == "drift"]
    assert [(one["column"], one["role"], one["code"], one["share"]) for one in broken] == [
        ("amount", "feature", "float_type_big_float", 0.025),
        ("country", "feature", "enum_type_unexpected_string_values", 0.5),
    ]
    assert broken[0]["sentence"] == "feature amount is above 100 in 2.5 % of 40 rows, allowed is none"
    kept = run("check", "--contract", "contract.yaml", "--data", "good.csv", "--json")
    assert (kept.exit_code, json.loads(kept.stdout)["kept"]) == (0, True)


def test_a_rule_that_no_row_can_be_judged_by_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "typo.yaml").write_text("contract: {rules: [{name: r, check: amunt > 0}]}")
    shown = run("check", "--contract", "typo.yaml", "--data", "good.csv")
    assert shown.exit_code == 0
    assert shown.stderr == "driftbell: rule r (amunt > 0) is broken: cannot be told of any row\n"


def events(path: Path, *features: object) -> None:
    """A log of predictions of model m."""
    path.write_bytes(b"\n".join(event(i, one) for i, one in enumerate(features)) + b"\n")  # type: ignore[arg-type]


def test_a_log_is_checked_too(tmp_path: Path) -> None:
    events(tmp_path / "log.jsonl", *[{"amount": 1, "country": "DE"}] * 9, {"amount": 1, "country": 5})
    shown = run("check", "--contract", "contract.yaml", "--model", "m", "--events", "log.jsonl")
    assert shown.exit_code == 1
    assert "such as '5' [enum_type_unexpected_string_values]" in shown.stdout


def test_events_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    events(tmp_path / "log.jsonl", {"amount": 1, "country": "DE"})
    (tmp_path / "log.jsonl").write_bytes((tmp_path / "log.jsonl").read_bytes() + b"{oops\n")
    shown = run("check", "--contract", "contract.yaml", "--model", "m", "--events", "log.jsonl")
    assert shown.exit_code == 0
    assert shown.stderr == "driftbell: 1 events cannot be used, and are left out\n"


def test_the_contract_may_stand_in_the_monitors(tmp_path: Path) -> None:
    body = "".join(f"    {line}\n" for line in CONTRACT.splitlines())
    (tmp_path / "monitors.yaml").write_text(
        f"models:\n  fraud: {{}}\n  churn:\n    reference: churn.profile\n{body}"
    )
    shown = run("check", "--monitors", "monitors.yaml", "--data", "bad.csv")
    assert shown.exit_code == 1
    assert shown.stdout.endswith("40 rows, 5 clauses, 2 broken\n")
    fails(
        run("check", "--monitors", "monitors.yaml", "--model", "fraud", "--data", "bad.csv"),
        "monitors.yaml: no model 'fraud' has a contract",
    )


def test_of_several_contracts_one_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "monitors.yaml").write_text("models: {a: {contract: {}}, b: {contract: {}}}")
    fails(
        run("check", "--monitors", "monitors.yaml", "--data", "good.csv"),
        "monitors.yaml: several models have a contract (a, b); say --model NAME",
    )
    shown = run("check", "--monitors", "monitors.yaml", "--model", "a", "--data", "good.csv")
    assert (shown.exit_code, shown.output) == (0, "40 rows, 0 clauses, all of them kept\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say which contract: --contract FILE or --monitors FILE, one of the two"),
        (("--contract", "contract.yaml"), "say what to check: --data FILE or --events LOG, one of the two"),
        (
            ("--contract", "contract.yaml", "--data", "good.csv", "--events", "log.jsonl"),
            "say what to check: --data FILE or --events LOG, one of the two",
        ),
        (
            ("--contract", "nobody.yaml", "--data", "good.csv"),
            "cannot read nobody.yaml: No such file or directory",
        ),
        (
            ("--contract", "contract.yaml", "--data", "goo.csv"),
            "there is no file goo.csv; did you mean good.csv?",
        ),
        (
            ("--contract", "contract.yaml", "--events", "good.csv"),
            "say --model NAME: a log may hold events of several models",
        ),
        (
            ("--contract", "contract.yaml", "--model", "m", "--events", "nobody.jsonl"),
            "there is no file or folder nobody.jsonl; --events names the log to check",
        ),
    ],
)
def test_each_mistake_is_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    fails(run("check", *arguments), sentence)


def test_a_log_without_events_of_the_model_says_nothing_of_its_contract(tmp_path: Path) -> None:
    events(tmp_path / "log.jsonl", {"amount": 1})
    fails(
        run("check", "--contract", "contract.yaml", "--model", "other", "--events", "log.jsonl"),
        "log.jsonl holds no events of model 'other'",
    )


def test_the_mistakes_of_a_contract_are_told_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("contract:\n  features:\n    amount: {lowest: 0}\n")
    fails(
        run("check", "--contract", "broken.yaml", "--data", "good.csv"),
        "broken.yaml:3: contract.features.amount.lowest is not a known key; did you mean 'low'?",
    )


@pytest.mark.parametrize("command", ["infer", "check"])
def test_the_help_teaches_by_example(command: str) -> None:
    shown = run(command, "--help")
    assert f"driftbell contract {command}" in shown.output.split("Options:")[0].split("\n", 2)[2]
