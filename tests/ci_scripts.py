"""The scripts of `.ci`, which is no package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

_FOLDER = Path(__file__).parent.parent / ".ci"


def ci_script(name: str) -> ModuleType:
    """The script as a module."""
    specification = importlib.util.spec_from_file_location(f"ci_{name}", _FOLDER / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module
