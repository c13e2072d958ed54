"""Jinja: pages out of templates, with everything escaped that is not a template's own text."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from service.web.modules import modules_of


@cache
def _environment() -> Environment:
    loader = PackageLoader("service.web")
    made = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals["modules_of"] = modules_of
    return made


def render(template: str, **values: object) -> str:
    """The template's text with these values. `root` leads from the page's address to ours: "" or some "../"."""
    return _environment().get_template(template).render({"root": ""} | values)
