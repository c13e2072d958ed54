"""What somebody may have meant who wrote a parameter that there is not."""

from __future__ import annotations

from collections.abc import Sequence

from service.parsers import nearest


def unknown_parameter(name: str, names: Sequence[str]) -> str:
    """That there is none of this name, and which there are."""
    if not names:
        return "there is no such parameter; this address takes none"
    meant = nearest(name, names)
    said = (
        "there is no such parameter"
        if meant is None
        else f"there is no such parameter; did you mean {meant}?"
    )
    return f"{said}{'; there are' if meant is None else ' There are'}: {', '.join(names)}"
