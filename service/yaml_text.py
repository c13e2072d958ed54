"""YAML that reads back as what was written."""

from __future__ import annotations

from typing import Any

import yaml

_BREAKS = "\x85\u2028\u2029"
"""Line breaks to YAML, which folds them into spaces unless they are escaped."""


class _Dumper(yaml.SafeDumper):
    """Escapes such breaks."""


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = '"' if any(mark in text for mark in _BREAKS) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def yaml_of(document: object, **how: Any) -> str:
    """The document, its keys in their order, a value a line."""
    written: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000, **how
    )
    return written
