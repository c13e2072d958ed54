"""What somebody may have meant who wrote a name that there is not: the nearest one that there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

LONGEST_COMPARED = 100


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The other name that differs least, upper and lower case being one; None where all differ much."""
    if len(name) > LONGEST_COMPARED:
        return None
    folded = {one.casefold(): one for one in names if one != name}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.7)
    return folded[found[0]] if found else None


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
