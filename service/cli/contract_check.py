"""`driftbell contract check`: holds a table or a log against a contract."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.cli.monitors import read_monitors, read_profile
from service.cli.profiles import profile_named
from service.configuration import ModelVersion
from service.contract.clauses import Code
from service.contract.findings import clauses_in, contract_findings
from service.contract.grids import grid_for
from service.contract.logs import count_log
from service.contract.tables import sketch_of_table
from service.contract.texts import unexpected_texts
from service.contract.wording import sentence
from service.contract_file import parse_contract
from service.errors import ConfigurationError
from service.intake.file_log import FileLogSource
from service.messages import Role, Verdict
from service.monitor import Monitor
from service.reference.regrid import parts_of
from service.reference.specification import ReferenceSpec
from service.sketches.grids import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.messages import Finding
    from service.promises import Contract
    from service.reference.profile import ReferenceProfile
    from service.sketches.pane import PaneSketch

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class Asked:
    """The contract to check, of which monitor, and the grid of its reference."""

    monitor: Monitor
    contract: Contract
    base: Grid


@click.command()
@click.option("--contract", "path", type=_PATH, help="A file that `contract infer` has printed.")
@click.option("--monitors", type=_PATH, help="The monitors' YAML, with the contract below the model.")
@click.option(
    "--reference", "references", multiple=True, type=_PATH, help="A profile file (may be given again)."
)
@click.option("--model", help="The model, where the monitors or the log have several.")
@click.option("--data", type=_PATH, help="A table to check: CSV (.gz, .zst) or Parquet.")
@click.option("--events", type=_PATH, help="A log to check: JSONL file or folder, plain, .gz or .zst.")
@click.option("--prediction", help="With --data: the column with the model's answer, for rules about it.")
@click.option("--score", help="With --data: the column with the probability of the positive class.")
@click.option(
    "--exclude", multiple=True, help="With --data: a column that is no feature (may be given again)."
)
@click.option(
    "--alpha",
    default=0.01,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The probability that rows which keep the contract are said to break it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def check(  # noqa: PLR0913, PLR0917 - click hands over every option
    path: Path | None, monitors: Path | None, references: tuple[Path, ...], model: str | None, data: Path | None,
    events: Path | None, prediction: str | None, score: str | None, exclude: tuple[str, ...], alpha: float,
    as_json: bool,
) -> None:  # fmt: skip
    """Say what of a contract a table or a log breaks. Exit code 0: all is kept, 1: something is broken.

    \b
    driftbell contract check --contract contract.yaml --data new.csv --exclude churned
    driftbell contract check --monitors monitors.yaml --events log.jsonl.gz --json
    """  # noqa: D301
    asked = _asked(path, monitors, references, model)
    if (data is None) == (events is None):
        raise ConfigurationError("say what to check: --data FILE or --events LOG, one of the two")
    if data is not None:
        spec = ReferenceSpec(asked.monitor.model, "", None, prediction, score, exclude=exclude)
        sketch = sketch_of_table(data, spec, asked.contract, asked.base)
    else:
        sketch = _of_log(events or Path(), asked)
    findings = contract_findings(asked.contract, sketch, alpha / clauses_in(asked.contract))
    broken = [one for one in findings if one.verdict is Verdict.DRIFT]
    if as_json:
        click.echo(json.dumps(_document(asked, sketch, findings), indent=2, allow_nan=False))
    else:
        _say(asked.contract, sketch, findings, broken)
    sys.exit(1 if broken else 0)


def _asked(
    path: Path | None, monitors: Path | None, references: tuple[Path, ...], model: str | None
) -> Asked:
    if (path is None) == (monitors is None):
        raise ConfigurationError("say which contract: --contract FILE or --monitors FILE, one of the two")
    if path is not None:
        given = [read_profile(one) for one in references]
        contract = parse_contract(_read(path), path.name)
        name = model or (given[0].model if given else "")
        return Asked(Monitor(name, contract=contract), contract, given[0].grid if given else Grid())
    monitor, contract, profiles = _monitor(monitors or Path(), references, model)
    return Asked(monitor, contract, _base(monitor, profiles))


def _monitor(
    path: Path, references: tuple[Path, ...], model: str | None
) -> tuple[Monitor, Contract, Mapping[str, ReferenceProfile]]:
    """The one monitor of a file that is asked for, and the profiles that came with it."""
    read = read_monitors(path, references)
    found = [(one, one.contract) for one in read.monitors if model in {None, one.model} and one.contract]
    if not found:
        raise ConfigurationError(f"{path}: no model{f' {model!r}' if model else ''} has a contract")
    if len(found) > 1:
        names = ", ".join(one.model for one, _ in found)
        raise ConfigurationError(f"{path}: several models have a contract ({names}); say --model NAME")
    return *found[0], read.profiles


def _base(monitor: Monitor, profiles: Mapping[str, ReferenceProfile]) -> Grid:
    if not monitor.reference:
        return Grid()
    known = profiles.get(monitor.reference)
    return (profile_named(monitor.reference) if known is None else known).grid


def _read(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise ConfigurationError(f"cannot read {path}: {getattr(why, 'strerror', None) or why}") from why


def _of_log(events: Path, asked: Asked) -> PaneSketch:
    if not asked.monitor.model:
        raise ConfigurationError("say --model NAME: a log may hold events of several models")
    if not events.exists():
        raise ConfigurationError(f"there is no file or folder {events}; --events names the log to check")
    counted = count_log(
        FileLogSource(events), ModelVersion(asked.monitor, grid_for(asked.monitor, asked.base))
    )
    if counted.dead:
        click.secho(
            f"driftbell: {counted.dead:,} events cannot be used, and are left out", fg="yellow", err=True
        )
    if not counted.sketch.inferences:
        raise ConfigurationError(f"{events} holds no events of model {asked.monitor.model!r}")
    return counted.sketch


def _say(
    contract: Contract, sketch: PaneSketch, findings: Sequence[Finding], broken: Sequence[Finding]
) -> None:
    for finding in broken:
        click.echo(f"{sentence(contract, finding)}{_examples(contract, sketch, finding)} [{finding.method}]")
    for finding in findings:
        if finding.verdict is Verdict.TOO_LITTLE_DATA and not _is_without_values(finding):
            click.secho(f"driftbell: {sentence(contract, finding)}", fg="yellow", err=True)
    kept = "all of them kept" if not broken else f"{len(broken)} broken"
    click.echo(f"{sketch.inferences:,} rows, {len(findings)} clauses, {kept}")


def _is_without_values(finding: Finding) -> bool:
    """A clause about values of a column without any: that it has none is said by other clauses."""
    return finding.column is not None and finding.column.role is Role.FEATURE and finding.n == 0


def _examples(contract: Contract, sketch: PaneSketch, finding: Finding) -> str:
    if finding.method != Code.UNEXPECTED_TEXT or finding.column is None:
        return ""
    texts = parts_of(sketch)[finding.column].texts
    shown = [repr(text) for text in unexpected_texts(texts, contract.features[finding.column.name])]
    return f", such as {', '.join(shown)}" if shown else ""


def _document(asked: Asked, sketch: PaneSketch, findings: Sequence[Finding]) -> dict[str, object]:
    broken = [one for one in findings if one.verdict is Verdict.DRIFT]
    return {
        "model": asked.monitor.model, "rows": sketch.inferences, "kept": not broken,
        "findings": [
            {
                "column": one.column.name if one.column else None,
                "role": one.column.role.value if one.column else None, "code": one.method, "share": one.value,
                "allowed": one.limit, "p_value": one.p_value, "rows": one.n, "resolution": one.resolution,
                "verdict": one.verdict.value, "reason": one.reason, "sentence": sentence(asked.contract, one),
            }
            for one in findings
        ],
    }  # fmt: skip
