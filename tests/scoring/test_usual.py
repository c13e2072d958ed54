"""What is usual of all traffic and of its segments."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from service.scoring.evidence_state import begin
from service.scoring.usual import UsualSlices
from service.sketches.pane import PaneSketch
from tests.scoring.sketches import amounts, sketch_of

MOVED = sketch_of(amounts(1_000, 7, shift=3.0), ["IT"] * 1_000)


def blocks() -> list[PaneSketch]:
    """Sixteen alike, of 500 rows; a tenth of each is the segment, whose amounts are far from the others'."""
    return [
        sketch_of([*amounts(450, seed), *amounts(50, seed + 100, shift=3.0)], [*["DE"] * 450, *["IT"] * 50])
        for seed in range(16)
    ]


@dataclass
class Known:
    """A reference of sixteen blocks that knows one segment."""

    blocks: list[PaneSketch] = field(default_factory=blocks)
    ordered: bool = True
    errors: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def sketch(self) -> PaneSketch:
        whole = PaneSketch(self.blocks[0].grid)
        for block in self.blocks:
            whole.merge(block)
        return whole

    def segment(self, name: str) -> PaneSketch | None:
        return {"country=IT": MOVED, "country=XX": sketch_of(amounts(5, 1), ["XX"] * 5)}.get(name)


def test_a_segment_that_differs_from_the_whole_is_not_taken_to_vary_more() -> None:
    slices = UsualSlices(Known())
    whole, segment = slices.of(""), slices.of("country=IT")
    assert whole is not None
    assert segment is not None
    assert np.abs(whole.proportions[0] - segment.proportions[0]).sum() > 1
    assert whole.varying(500).tolist() == segment.varying(500).tolist() == [1.0, 1.0]
    assert segment.rates_vary.tolist() == whole.rates_vary.tolist()


def test_the_wholes_past_is_neither_the_recent_past_nor_a_regime_of_a_segment() -> None:
    slices = UsualSlices(Known())
    whole, segment = slices.of(""), slices.of("country=IT")
    assert whole is not None
    assert segment is not None
    assert begin(whole, 0).memory.sum() > 0
    assert begin(segment, 0).memory.sum() == 0
    assert list(whole.regimes(10))
    assert not list(segment.regimes(10))


def test_segments_that_the_reference_does_not_know_are_one_and_compared_in_quality_only() -> None:
    slices = UsualSlices(Known())
    some, other, too_small = (slices.of(f"country={name}") for name in ("A", "B", "XX"))
    assert some is not None
    assert some is other is too_small
    assert some.quality_only
    whole = slices.of("")
    assert whole is not None
    assert (some.rate_rows == whole.rate_rows).all()
