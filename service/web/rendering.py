"""Jinja: pages out of templates, with everything escaped that is not a template's own text."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from service.web.modules import modules_of


@cache
def _environment() -> Environment:
    # A report has its style within: what it shares with pages lies among what these load.
    loader = ChoiceLoader([PackageLoader("service.web"), PackageLoader("service.web", "static")])
    made = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals["modules_of"] = modules_of
    return made


def render(template: str, **values: object) -> str:
    """The template's text with these values. `root` leads from the page's address to ours: "" or some "../"."""
    return _environment().get_template(template).render({"root": ""} | values)
