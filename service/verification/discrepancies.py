"""What a verification can find wrong, as values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

MOST_KEPT = 1_000


class Kind(StrEnum):
    """What is wrong. Rows are lost or duplicated in panes; what is missing or unexpected is a row of the database."""

    EQUATION = "equation"
    POSITION = "position"
    COUNT = "count"
    GAP = "gap"
    PANE_MISSING = "pane_missing"
    PANE_UNEXPECTED = "pane_unexpected"
    PANE_ROWS = "pane_rows"
    PANE_SKETCH = "pane_sketch"
    IDS = "ids"
    LETTER_MISSING = "dead_letter_missing"
    LETTER_UNEXPECTED = "dead_letter_unexpected"
    LETTER_REASON = "dead_letter_reason"
    WINDOW_MISSING = "window_missing"
    WINDOW_UNEXPECTED = "window_unexpected"
    WINDOW = "window"
    FINDING_MISSING = "finding_missing"
    FINDING_UNEXPECTED = "finding_unexpected"
    FINDING = "finding"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """`subject` names partition, offsets, pane or window; `expected` follows from the log, `found` is stored."""

    kind: Kind
    subject: str
    expected: str
    found: str

    @property
    def sentence(self) -> str:
        """What a person reads."""
        return f"{self.subject}: expected {self.expected}, found {self.found}"

    def document(self) -> dict[str, str]:
        """What a program reads."""
        return {
            "kind": self.kind.value, "subject": self.subject, "expected": self.expected, "found": self.found,
            "sentence": self.sentence,
        }  # fmt: skip


@dataclass
class Discrepancies:
    """The first thousand, and how many there are of each kind: everything may be wrong in a long log."""

    kept: list[Discrepancy] = field(default_factory=list)
    counted: Counter[Kind] = field(default_factory=Counter)

    def add(self, *found: Discrepancy) -> None:
        """Take what was found."""
        self.counted.update(one.kind for one in found)
        self.kept.extend(found[: max(0, MOST_KEPT - len(self.kept))])

    def __len__(self) -> int:
        return self.counted.total()
