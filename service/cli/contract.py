"""Contracts: infer one from a reference; `contract_check` holds a table or a log against one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from service.cli.contract_check import check
from service.cli.profiles import profile_named
from service.contract.inference import infer_contract
from service.contract_file import dump_contract
from service.errors import ConfigurationError
from service.messages import Role
from service.parsers import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group()
def contract() -> None:
    """What a model's rows must be: presence, types, ranges, categories, rules between fields."""


contract.add_command(check)


@contract.command()
@click.option(
    "--reference", "name", required=True, help="A profile file, or a reference's name in the store."
)
@click.option("--feature", "features", multiple=True, help="Only this feature (may be given again).")
def infer(name: str, features: tuple[str, ...]) -> None:
    """Print the contract that a reference keeps, as YAML for a monitor. Read it before you apply it.

    \b
    driftbell contract infer --reference churn.profile > contract.yaml
    """  # noqa: D301
    profile = profile_named(name)
    known = [one.column.name for one in profile.columns if one.column.role is Role.FEATURE]
    problems = [_no_feature(feature, known) for feature in features if feature not in known]
    if problems:
        raise ConfigurationError(*problems)
    click.echo(dump_contract(infer_contract(profile, features)).encode(), nl=False)


def _no_feature(feature: str, known: Sequence[str]) -> str:
    near = nearest(feature, known)
    return f"the reference has no feature {feature!r}" + (f"; did you mean {near!r}?" if near else "")
