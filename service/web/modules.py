"""Which scripts a page's script imports, so that a browser asks for all of them at once and not one after the other."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path, PurePosixPath

SCRIPTS = Path(__file__).with_name("static") / "js"
_IMPORTS = re.compile(r'^(?:import|export)\b[^"]*"(\.[^"]+\.js)";', re.MULTILINE)


@cache
def modules_of(script: str) -> tuple[str, ...]:
    """All modules that this one needs, by their paths below `static/js`; without itself."""
    found: dict[str, None] = {}
    waiting = [script]
    while waiting:
        for module in _imported_by(waiting.pop()):
            if module not in found and module != script:
                found[module] = None
                waiting.append(module)
    return tuple(sorted(found))


def _imported_by(script: str) -> list[str]:
    text = (SCRIPTS / script).read_text(encoding="utf-8")
    return [_plain(PurePosixPath(script).parent / name) for name in _IMPORTS.findall(text)]


def _plain(path: PurePosixPath) -> str:
    """Without ".": each ".." takes a folder away."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
